"""Hypotheses: templates, their frames and types, and what an NLI checkpoint refuses to read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.nli_checkpoints import edit_json
from tests.tiny_tokenizers import TOKENIZERS

from onepass import Extractor, Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.whole import read_whole
from onepass.errors import CheckpointError, InputError, SchemaError
from onepass.models.nli.encode import collate, read_window
from onepass.models.nli.prompt import TEMPLATE, Prompt, plan_prompts
from onepass.models.wording import Template
from onepass.text.windows import Window

DEFAULT = Template.parse(TEMPLATE)
LABELS = {"sport": "football and the like", "art": None}


@pytest.fixture(scope="module", params=TOKENIZERS)
def tokenizer(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> PieceTokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    TOKENIZERS[request.param]().save(str(path))
    return PieceTokenizer(path)


def plan(
    tokenizer: PieceTokenizer, schema: Schema, *, budget: int = 100, typed: bool = True
) -> tuple[Prompt, ...]:
    return plan_prompts(schema, tokenizer, DEFAULT, budget, typed=typed)


def hypotheses(tokenizer: PieceTokenizer, prompts: tuple[Prompt, ...]) -> list[list[int]]:
    frame = tokenizer.pair_frame
    start, end = len(frame.between), -len(frame.after)
    return [prompt.after[start:end].tolist() for prompt in prompts]


def test_one_sentence_a_label(tokenizer: PieceTokenizer) -> None:
    schema = Schema().classification("topic", LABELS).classification("tone", ["calm"])
    prompts = plan(tokenizer, schema)
    assert [(prompt.task, prompt.label) for prompt in prompts] == [(0, 0), (0, 1), (1, 0)]
    texts = [
        "This example is football and the like.",  # a description stands for its label
        "This example is art.",
        "This example is calm.",
    ]
    expected = [list(one) for one in tokenizer.pieces(texts)]
    assert hypotheses(tokenizer, prompts) == expected


def test_the_prompt_of_a_task_is_its_template(tokenizer: PieceTokenizer) -> None:
    schema = Schema().classification("topic", ["a{}b", "art"], prompt="Is it about {}?")
    expected = [list(one) for one in tokenizer.pieces(["Is it about a{}b?", "Is it about art?"])]
    assert hypotheses(tokenizer, plan(tokenizer, schema)) == expected


@pytest.mark.parametrize("prompt", ["the tone of the text", "{} or {}", "{0}"])
def test_a_prompt_without_one_gap_is_refused(tokenizer: PieceTokenizer, prompt: str) -> None:
    schema = Schema().classification("tone", ["calm"], prompt=prompt)
    with pytest.raises(SchemaError, match=r"prompt of task 'tone' is .* must hold \{\} once"):
        plan(tokenizer, schema)


@pytest.mark.parametrize(
    ("schema", "named"),
    [
        (Schema().entities(["person"]), "finds no entities"),
        (Schema().ask(["Who?"]), "finds no answers to questions"),
        (Schema().structure("product", ["name"]), "finds no records"),
        (Schema().relations(["in"]), "finds no relations"),
        (
            Schema().classification("t", ["a", "b"], examples=[("it is a", "a")]),
            "reads no examples",
        ),
    ],
)
def test_what_cannot_be_asked(tokenizer: PieceTokenizer, schema: Schema, named: str) -> None:
    with pytest.raises(SchemaError, match=f"An NLI checkpoint .*{named}"):
        plan(tokenizer, schema)


def test_a_label_that_is_too_long_is_named(tokenizer: PieceTokenizer) -> None:
    schema = Schema().classification("t", ["a", "b" * 3 + " red" * 40])
    with pytest.raises(SchemaError, match=r"The label 'bbb red .* of task 't' makes a sentence of"):
        plan(tokenizer, schema, budget=30)


def test_special_tokens_in_a_label_are_text(tokenizer: PieceTokenizer) -> None:
    prompts = plan(tokenizer, Schema().classification("t", ["x[SEP]y</s>z"]))
    (own,) = hypotheses(tokenizer, prompts)
    frame = tokenizer.pair_frame
    assert not {*own} & {*frame.before.tolist(), *frame.between.tolist(), *frame.after.tolist()}


def test_a_batch_is_padded_on_the_right_and_typed(tokenizer: PieceTokenizer) -> None:
    prompts = plan(tokenizer, Schema().classification("t", ["a", "red and green"]))
    text = read_whole("it costs 9", tokenizer, max_word_pieces=50)
    readings = [read_window(prompt, text, Window(0, 3)) for prompt in prompts]
    readings.append(read_window(prompts[0], text, Window(1, 1)))  # no words at all
    batch = collate(readings, types=True)
    for row, reading in enumerate(readings):
        prompt = reading.prompt
        whole = [*prompt.before, *reading.ids, *prompt.after]
        assert batch["ids"][row].tolist() == whole + [0] * (batch["ids"].shape[1] - len(whole))
        assert batch["mask"][row].sum() == reading.pieces == len(whole)
        own = len(tokenizer.pair_frame.between)
        second = len(prompt.after) - own if tokenizer.pair_frame.typed else 0
        expected = np.arange(batch["ids"].shape[1])
        expected = (expected >= len(whole) - second) & (expected < len(whole))
        assert batch["second_mask"][row].tolist() == expected.astype(int).tolist()
    assert "second_mask" not in collate(readings, types=False)
    plain = plan(tokenizer, Schema().classification("t", ["a"]), typed=False)
    assert not collate([read_window(plain[0], text, Window(0, 3))], types=True)["second_mask"].any()


def test_the_template_of_a_checkpoint(made: Callable[..., Path], tmp_path: Path) -> None:
    directory = tmp_path / "checkpoint"
    directory.mkdir()
    for path in made().iterdir():
        (directory / path.name).symlink_to(path)
    labels = ["sports", "art"]

    def scores(schema: Schema) -> dict[str, float]:
        doc = Extractor.from_pretrained(directory, backend="torch").extract("red paris", schema)
        return dict(doc.classifications["t"].scores)

    own = Schema().classification("t", labels, prompt="It is {}")
    expected = scores(own)
    assert expected != scores(Schema().classification("t", labels))
    edit_json(directory / "onepass.json", template="It is {}")
    assert scores(Schema().classification("t", labels)) == expected == scores(own)
    edit_json(directory / "onepass.json", template="It is good")
    with pytest.raises(CheckpointError, match=r"template in .*onepass\.json is wrong"):
        scores(own)


def test_a_label_that_leaves_the_gap_empty_is_refused(tokenizer: PieceTokenizer) -> None:
    schema = Schema().classification("t", {"a": None, "empty": "\u200b"}, prompt="It is {}.")
    if not tokenizer.pieces(["\u200b"])[0]:
        with pytest.raises(SchemaError, match=r"The label 'empty' is read as .* nothing to read"):
            plan(tokenizer, schema)
    else:  # one of bytes reads everything
        assert len(plan(tokenizer, schema)) == 2


def test_label_vectors_are_for_others(made: Callable[..., Path]) -> None:
    model = Extractor.from_pretrained(made(), backend="torch")
    with pytest.raises(InputError, match="no label encoder"):
        model.encode_labels(["a"])
