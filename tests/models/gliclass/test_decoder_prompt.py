"""Prompts for a decoder: those of the reference library, whatever the tokenizer."""

from __future__ import annotations

from collections.abc import Callable
from types import MethodType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.gliclass.made import KINDS, Pair, config

from onepass import Schema
from onepass.errors import SchemaError
from onepass.models.gliclass.config import EXAMPLE, LABEL, SEP
from onepass.models.gliclass.encode import Reading, collate, read_window
from onepass.models.gliclass.prompt import Prompt, Writer
from onepass.models.gliclass.style import NEWEST, STYLES
from onepass.models.gliclass.text import read_text
from onepass.text.windows import Window

DECODER = config(architecture_type="decoder-kv")
LABELS = ("sports", "bad news", "art, music & red", "Red")
EXAMPLES = (("Great art in Rome. ", ("bad news",)), ("a red day", ("Red", "sports")))
TEXTS = ("Tim Cook runs Apple in Paris.", "  The price isn't great; it costs 9!  ", "", "caf\u00e9")
GIVEN: tuple[dict[str, Any], ...] = (
    {},
    {"prompt": "What is it about?"},
    {"examples": EXAMPLES},
    {"prompt": "What is it about?", "examples": EXAMPLES},
)
Pairs = Callable[..., Pair]


def prompts(
    pair: Pair, labels: Any = LABELS, *, style: Any = NEWEST, budget: int = 500, **extra: Any
) -> list[Prompt]:
    schema = Schema().classification("about", labels, multi_label=True, **extra)
    writer = Writer(DECODER, style, pair.ours.unframed, budget)
    return list(writer.write(0, schema.classification_tasks[0]))


def read(pair: Pair, prompt: Prompt, text: str) -> Reading:
    pieces = read_text(text, pair.ours.unframed, max_word_pieces=100)
    return read_window(prompt, pieces, Window(0, len(pieces.words)))


def reference(pair: Pair, text: str, *, prompt: str = "", examples: Any = ()) -> list[int]:
    """Return the ids that a pipeline of the reference library makes, before they are padded."""
    pipelines = pytest.importorskip("gliclass.pipeline")
    pipeline = pipelines.DecoderKVZeroShotClassificationPipeline
    own = SimpleNamespace(
        label_token=LABEL, sep_token=SEP, example_token=EXAMPLE, tokenizer=pair.theirs,
        max_length=500, _pad_inputs=lambda found: found,
    )  # fmt: skip
    for name in (
        "_format_examples_for_input", "_get_text_examples", "_examples_are_per_text",
        "_format_prompt", "_build_context_and_labels",
    ):  # fmt: skip
        setattr(own, name, MethodType(getattr(pipeline, name), own))
    shown = [{"text": text, "labels": list(labels)} for text, labels in examples]
    found = pipeline.prepare_inputs(own, [text], list(LABELS), True, shown, prompt)
    return list(found["input_ids"][0])


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_those_of_the_reference(pairs: Pairs, kind: str) -> None:
    pair = pairs(kind)
    for given_ in GIVEN:
        (prompt,) = prompts(pair, **given_)
        for text in TEXTS:
            assert read(pair, prompt, text).ids.tolist() == reference(pair, text, **given_)


@given(text=st.text(max_size=30))
def test_any_text_stands_in_front_of_its_labels(pairs: Pairs, text: str) -> None:
    pair = pairs("byte pairs")
    (prompt,) = prompts(pair)
    ids = read(pair, prompt, text).ids.tolist()
    assert ids[-len(prompt.tail) :] == prompt.tail.tolist()
    markers = [pair.ours.id_of(marker) for marker in (LABEL, SEP)]
    assert [ids.count(marker) for marker in markers] == [len(LABELS), 2]


def test_the_section_holds_the_labels_and_what_ends_them(pairs: Pairs) -> None:
    pair = pairs("wordpiece")
    rows = [
        read(pair, prompt, text)
        for text, labels in (("tim runs", LABELS), ("a red day in paris", ["red"]))
        for prompt in prompts(pair, labels)
    ]
    found = collate(rows, DECODER)
    label, sep = (pair.ours.id_of(marker) for marker in (LABEL, SEP))
    for line, (row, count) in enumerate(zip(rows, (len(LABELS), 1), strict=True)):
        real = found["section_mask"][line].astype(bool)
        places = found["section"][line][real]
        assert row.ids[places[0] - 1] == row.ids[places[-1]] == sep
        assert places.tolist() == list(range(places[0], len(row.ids)))
        markers = row.ids[places][found["labels"][line, :count, 0]]
        assert (markers == label).all()
        assert found["label_mask"][line].sum() == count
    assert not found["labels"][1, 1:].any()


def test_labels_that_do_not_fit_together_are_asked_in_parts(pairs: Pairs) -> None:
    pair = pairs("wordpiece")
    labels = [f"red {word}" for word in "abcdefghij"]
    parts = prompts(pair, labels, budget=20)
    assert [i for part in parts for i in part.items] == list(range(10))
    assert len(parts) > 1
    assert all(part.pieces <= 20 for part in parts)
    with pytest.raises(SchemaError, match=r"'red red red' .* takes 4 pieces, but 3 are left"):
        prompts(pair, ["red red red"], budget=5)
    assert len(prompts(pair, ["red red red"], budget=6)) == 1


def test_old_generations_change_labels_and_examples_alone(pairs: Pairs) -> None:
    pair = pairs("byte pairs")
    (old,) = prompts(pair, style=STYLES["v1"])
    (lower,) = prompts(pair, [label.lower() for label in LABELS])
    np.testing.assert_array_equal(old.tail, lower.tail)
