"""Prompts in pieces: those of the reference library's one string, whatever the tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.gliclass.made import KINDS, MARKERS, Pair, config

from onepass import Schema
from onepass.errors import SchemaError
from onepass.models.gliclass.config import EXAMPLE, LABEL, SEP
from onepass.models.gliclass.encode import Reading, read_window
from onepass.models.gliclass.prompt import Prompt, Writer, label_text
from onepass.models.gliclass.style import NEWEST, STYLES
from onepass.models.gliclass.text import read_text
from onepass.schema import Label
from onepass.text.windows import Window

BUDGET = 80  # half of what the tiny encoders read
LABELS = ("sports", "bad news", "art, music & red", "Red")
PROMPT = "What is it about?"
EXAMPLES = (("Great art in Rome. ", ("bad news",)), ("a red day", ("Red", "sports")))
TEXTS = (
    "Tim Cook runs Apple in Paris.",
    "  The price isn't great; it costs 9!  ",
    "green",
    ".",
    "A person (1976)... \n\nred, green\tblue \U0001f600 caf\u00e9 \ufb01",
)
GIVEN: tuple[dict[str, Any], ...] = (
    {},
    {"prompt": PROMPT},
    {"examples": EXAMPLES},
    {"prompt": PROMPT, "examples": EXAMPLES},
)
FUSED = {"architecture_type": "bi-encoder-fused"}
ORDERS = pytest.mark.parametrize("first", [True, False], ids=["labels first", "text first"])
Pairs = Callable[..., Pair]


def prompts(
    pair: Pair, options: dict[str, Any], labels: Any = LABELS, *, style: str = "2026-02",
    budget: int = 500, **extra: Any,
) -> list[Prompt]:  # fmt: skip
    schema = Schema().classification("about", labels, multi_label=True, **extra)
    writer = Writer(config(**options), STYLES[style], pair.ours, budget)
    return list(writer.write(0, schema.classification_tasks[0]))


def read(pair: Pair, prompt: Prompt, text: str) -> Reading:
    pieces = read_text(text, pair.ours, max_word_pieces=100)
    return read_window(prompt, pieces, Window(0, len(pieces.words)))


def string(
    kind: str, text: str, labels: Any = LABELS, *, first: bool, prompt: str | None = None,
    examples: Any = (),
) -> str:  # fmt: skip
    """Return the string that a pipeline of the reference library would tokenize."""
    pipelines = pytest.importorskip("gliclass.pipeline")
    pipeline = getattr(pipelines, f"{kind}ZeroShotClassificationPipeline")
    own = SimpleNamespace(
        label_token=LABEL, sep_token=SEP, example_token=EXAMPLE,
        model=SimpleNamespace(config=SimpleNamespace(prompt_first=first)),
    )  # fmt: skip
    own._format_examples_for_input = MethodType(pipeline._format_examples_for_input, own)
    shown = [{"text": text, "labels": list(labels)} for text, labels in examples]
    found: str = pipeline.prepare_input(own, text, list(labels), shown, prompt)
    return found


@ORDERS
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("options", [{}, FUSED], ids=["uni-encoder", "fused"])
def test_pieces_are_those_of_the_reference(
    pairs: Pairs, options: dict[str, Any], kind: str, first: bool
) -> None:
    pair = pairs(kind)
    name = "BiEncoder" if options else "UniEncoder"
    for given_ in GIVEN:
        (prompt,) = prompts(pair, {"prompt_first": first, **options}, **given_)
        for text in TEXTS:
            expected = pair.ids(string(name, text, first=first, **given_))
            found = read(pair, prompt, text)
            assert found.ids.tolist() == expected, (given_, text)
            assert found.pieces == len(expected)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_of_two_sequences_are_those_of_the_reference(pairs: Pairs, kind: str) -> None:
    pair = pairs(kind)
    for given_ in GIVEN:
        shown = "".join(
            f"<<EXAMPLE>>{text} \nLabels:\n {', '.join(own)}"
            for text, own in given_.get("examples", ())
        )
        (prompt,) = prompts(pair, {"architecture_type": "encoder-decoder"}, **given_)
        labels = "".join(f"<<LABEL>>{label}" for label in LABELS)
        assert prompt.classes.tolist() == pair.ids(f"{labels}<<SEP>>{given_.get('prompt', '')}")
        for text in TEXTS:
            expected = pair.ids(text + (shown and f"{shown}<<SEP>>"))
            assert read(pair, prompt, text).ids.tolist() == expected


@pytest.mark.parametrize("kind", KINDS)
def test_bi_encoders_read_the_prompt_and_the_text(pairs: Pairs, kind: str) -> None:
    pair = pairs(kind)
    for extra, before in (({}, ""), ({"prompt": PROMPT}, f"{PROMPT} ")):
        (prompt,) = prompts(pair, {"architecture_type": "bi-encoder"}, **extra)
        assert prompt.texts == LABELS
        for text in TEXTS:
            assert read(pair, prompt, text).ids.tolist() == pair.ids(f"{before}{text}")


@ORDERS
@pytest.mark.parametrize("kind", KINDS)
def test_older_generations(pairs: Pairs, kind: str, first: bool) -> None:
    pair = pairs(kind)
    shown = [f"<<EXAMPLE>>{t}\nLabels: {', '.join(own)}<<SEP>>" for t, own in EXAMPLES]
    labels = "".join(f"<<LABEL>>{label}" for label in LABELS) + "<<SEP>>"
    examples = "".join(shown)
    written = {
        "v1": labels.lower().replace("<<label>>", LABEL).replace("<<sep>>", SEP),
        "2026-01-22": f"{labels}{examples}{PROMPT}",
    }
    written["2026-01-10"] = f"{PROMPT} {examples}{written['v1']}"
    for style, beside in written.items():
        extra = {} if style == "v1" else {"prompt": PROMPT, "examples": EXAMPLES}
        (prompt,) = prompts(pair, {"prompt_first": first}, style=style, **extra)
        for text in TEXTS:
            whole = f"{beside}{text}" if first else f"{text}{beside}"
            assert read(pair, prompt, text).ids.tolist() == pair.ids(whole), style


def test_the_kinds_of_tokenizers_differ_behind_markers(pairs: Pairs) -> None:
    """Else the tests above could not fail."""
    for kind in KINDS:
        behind, at_start = pairs(kind).ours.pieces([f"{SEP}tim", "tim"])
        assert (behind[1:] == at_start) == (kind != "unigram, first")


# -- where labels stand ---------------------------------------------------------------------------


@ORDERS
@pytest.mark.parametrize("embed", [True, False], ids=["marker", "no marker"])
def test_ranges_are_the_pieces_of_labels(pairs: Pairs, embed: bool, first: bool) -> None:
    pair = pairs("byte pairs")
    options = {"prompt_first": first, "embed_class_token": embed}
    for given_ in GIVEN:
        for style in ("2026-02", "2026-01-10", "2026-01-22"):
            (prompt,) = prompts(pair, options, style=style, **given_)
            reading = read(pair, prompt, TEXTS[0])
            ids = reading.ids.tolist()
            for (start, end), label in zip(prompt.ranges.tolist(), LABELS, strict=True):
                text = label.lower() if STYLES[style].lower else label
                expected = pair.ours.pieces([LABEL + text])[0][0 if embed else 1 :]
                found = ids[reading.labels_start + start : reading.labels_start + end]
                assert tuple(found) == expected
            assert ids[reading.labels_start + prompt.features] == pair.ours.id_of(SEP)
            if style == "2026-02" and "examples" in given_:
                assert ids[reading.tail_start + prompt.examples] == pair.ours.id_of(EXAMPLE)
            else:
                assert prompt.examples == -1


def test_labels_of_a_fused_bi_encoder_are_their_markers(pairs: Pairs) -> None:
    (prompt,) = prompts(pairs("wordpiece"), {"prompt_first": True, **FUSED}, prompt=PROMPT)
    reading = read(pairs("wordpiece"), prompt, TEXTS[0])
    places = reading.labels_start + prompt.ranges[:, 0]
    assert (reading.ids[places] == pairs("wordpiece").ours.id_of(LABEL)).all()
    assert prompt.texts == LABELS


def test_a_description_stands_behind_the_name() -> None:
    label = Label("Sports", "Football and the like")
    assert label_text(label, NEWEST) == "Sports: Football and the like"
    assert label_text(label, STYLES["v1"]) == "sports: football and the like"
    assert label_text(Label("Sports"), NEWEST) == "Sports"


# -- user text is never a marker ------------------------------------------------------------------


PARTS = st.lists(
    st.sampled_from([*MARKERS, "<", "<<", "SEP>>", "LABEL>>", ">>", "[SEP]", "</s>", " ", "a"]),
    min_size=1,
    max_size=6,
).map("".join)


@ORDERS
@given(text=PARTS, prompt=PARTS, label=PARTS, example=PARTS, kind=st.sampled_from(list(KINDS)))
def test_user_text_is_never_a_marker(
    pairs: Pairs, first: bool, text: str, prompt: str, label: str, example: str, kind: str
) -> None:
    if not (label.strip() and prompt.strip() and example.strip()):
        return
    pair = pairs(kind)
    for options in ({}, FUSED, {"architecture_type": "encoder-decoder"}):
        asked = prompts(
            pair, {"prompt_first": first, **options}, [label, "b"], prompt=prompt,
            examples=[(example, label)],
        )  # fmt: skip
        reading = read(pair, asked[0], text)
        ids = [*reading.ids.tolist(), *asked[0].classes.tolist()]
        counts = [ids.count(pair.ours.id_of(marker)) for marker in MARKERS]
        assert counts == [2, 2, 1]


def test_a_prompt_and_a_text_make_no_marker_together(pairs: Pairs) -> None:
    pair = pairs("wordpiece")
    (prompt,) = prompts(pair, {"prompt_first": True}, prompt="is this <<")
    reading = read(pair, prompt, "SEP>> or not")
    assert reading.ids.tolist().count(pair.ours.id_of(SEP)) == 1


# -- more labels than fit -------------------------------------------------------------------------


@ORDERS
def test_many_labels_are_asked_in_passes_of_similar_length(pairs: Pairs, first: bool) -> None:
    labels = [f"topic {a} {b}" for a in "abcdefghij" for b in "abc"]
    asked = prompts(
        pairs("wordpiece"), {"prompt_first": first}, labels, prompt=PROMPT, budget=BUDGET
    )
    assert len(asked) > 2
    assert [i for prompt in asked for i in prompt.items] == list(range(len(labels)))
    sizes = [prompt.pieces for prompt in asked]
    assert max(sizes) <= BUDGET + 1  # a space may be a piece
    assert min(sizes) > max(sizes) / 2
    for prompt in asked:
        assert len(prompt.ranges) == len(prompt.items)


def test_labels_that_fit_are_asked_at_once(pairs: Pairs) -> None:
    labels = [f"{a}" for a in "abcdefghijklmnopqrstuvwxyz"]
    (prompt,) = prompts(pairs("wordpiece"), {}, labels)
    assert len(prompt.items) == 26  # more than the slots of the reference library


@pytest.mark.parametrize(
    ("options", "labels", "extra", "said"),
    [
        ({}, ["a", "b " * 100], {}, "of task 'about' takes 101 pieces, but 79 are left"),
        ({}, ["a"], {"prompt": "c " * 90}, "The label 'a' of task 'about' takes 2 pieces, but 0"),
        (
            {"architecture_type": "bi-encoder"}, ["a"], {"prompt": "c " * 90},
            "The prompt of task 'about' takes 91 pieces, but this checkpoint has room for 80",
        ),
        (
            {"architecture_type": "bi-encoder"}, ["a"], {"examples": [("c", "a")]},
            "A bi-encoder reads no examples, but task 'about' has some",
        ),
        (
            {"style": "v1"}, ["a"], {"prompt": "c"},
            "the style 'v1', which has neither a prompt nor examples, but task 'about' has",
        ),
        (
            {"markers": MARKERS[:2]}, ["a"], {"examples": [("c", "a")]},
            "has no marker for examples \\(<<EXAMPLE>>\\), but task 'about' has some",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(
    pairs: Pairs, options: dict[str, Any], labels: Any, extra: dict[str, Any], said: str
) -> None:
    own = dict(options)
    style, markers = own.pop("style", "2026-02"), own.pop("markers", MARKERS)
    with pytest.raises(SchemaError, match=said):
        prompts(pairs("wordpiece", markers), own, labels, style=style, budget=BUDGET, **extra)


# -- windows --------------------------------------------------------------------------------------


@ORDERS
@pytest.mark.parametrize("kind", KINDS)
def test_windows_of_a_text_have_its_pieces(pairs: Pairs, kind: str, first: bool) -> None:
    pair = pairs(kind)
    text = " ".join(TEXTS)
    (prompt,) = prompts(pair, {"prompt_first": first})
    whole = read(pair, prompt, text)
    pieces = read_text(text, pair.ours, max_word_pieces=100)
    count = len(pieces.words)
    parts = [Window(i, min(i + 5, count)) for i in range(0, count, 5)]
    joined = np.concatenate([read_window(prompt, pieces, part).text for part in parts])
    assert joined.tolist() == whole.text.tolist()
    for part in parts:
        assert len(read_window(prompt, pieces, part).text) <= pieces.lengths[
            part.start : part.end
        ].sum()  # fmt: skip


@pytest.mark.parametrize("beside", ["before", "behind"])
def test_a_prompt_that_grows_into_the_text_stays_within_the_encoder(
    pairs: Pairs, beside: str
) -> None:
    """ "runsgreat" and "greatruns" have more pieces than the two words apart."""
    pair = pairs("wordpiece")
    options = {"prompt_first": True} if beside == "before" else {"prompt_first": False, **FUSED}
    (prompt,) = prompts(pair, options, ["a"], prompt="runs")
    assert len(read(pair, prompt, "great").text) > 4
    room = 160 - 2 - prompt.pieces
    reading = read(pair, prompt, "great " * (room - 1) + "great")
    runs, great = (pair.ours.pieces([word])[0][0] for word in ("runs", "great"))
    order = [runs] + room * [great] if beside == "before" else room * [great] + [runs]
    assert reading.text.tolist() == order
    assert reading.pieces < 160


def test_a_word_that_was_cut_stays_cut_beside_a_prompt(pairs: Pairs) -> None:
    pair = pairs("byte pairs")
    (prompt,) = prompts(pair, {"architecture_type": "bi-encoder"}, ["a"], prompt="runs")
    room = 160 - 2 - prompt.pieces
    pieces = read_text("x1" * 300, pair.ours, max_word_pieces=room)
    assert pieces.cut.sum() == 600
    assert read_window(prompt, pieces, Window(0, 1)).pieces <= 160
