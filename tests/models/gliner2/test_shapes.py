"""Checkpoints whose backbone is told the shapes of words: a variant of our own."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from tests.tiny import make_tiny_checkpoint

from onepass import Extractor, Schema
from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError
from onepass.hub import locate
from onepass.models.export import export_checkpoint
from onepass.models.gliner2.encode import Reading, collate
from onepass.models.gliner2.facts import TYPED
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.models.gliner2.prompt import all_groups, encode_prompt
from onepass.models.gliner2.targets import ask
from onepass.models.gliner2.text import read_text, read_window
from onepass.models.inspect import inspect_checkpoint
from onepass.nn.backbones.bert import KINDS
from onepass.text.windows import Window

SCHEMA = Schema().entities(["person", "place"]).classification("tone", ["calm", "angry"])
TEXT = "Tim Cook runs\nApple in Paris"
FORMS = [TEXT, TEXT.lower(), TEXT.upper(), TEXT.replace("\n", " ")]


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = make_tiny_checkpoint(tmp_path_factory.mktemp("told"), shapes=True)
    export_checkpoint(locate(directory))
    return directory


def windows(tokenizer: PieceTokenizer, text: str, *parts: tuple[int, int]) -> list[Reading]:
    prompt = encode_prompt(SCHEMA, all_groups(SCHEMA), tokenizer)
    read = read_text(text, tokenizer, max_word_pieces=20)
    return [read_window(prompt, read, Window(*part)) for part in parts]


def test_types_are_those_of_the_words(told: Path) -> None:
    tokenizer = PieceTokenizer(told / "tokenizer.json")
    whole, part, last = windows(tokenizer, TEXT, (0, 6), (0, 2), (3, 6))
    batch = collate([whole, part, last], shapes=True)
    assert batch.types is not None
    assert list(batch.inputs()) == ["ids", "mask", "words", "markers", "types"]
    head = len(whole.prompt.ids)
    assert batch.types.shape == batch.ids.shape
    assert not batch.types[:, :head].any()
    # line title, space title, space lower, line title, space lower, space title, the full stop
    assert batch.types[0, head:].tolist() == [26, 12, 11, 26, 11, 12, 1]
    assert batch.types[1, head : part.pieces].tolist() == [26, 12, 1]
    assert batch.types[2, head : last.pieces].tolist() == [26, 11, 12, 1]
    assert not batch.types[1, part.pieces :].any()
    assert collate([whole]).types is None


@pytest.mark.parametrize(
    "text", [TEXT, "incomprehensible Tim.", "Hm, no!", "Tim \n\n", "see http://a.com/b"]
)
def test_what_is_trained_has_the_types_of_what_is_read(told: Path, text: str) -> None:
    tokenizer = PieceTokenizer(told / "tokenizer.json")
    asked = ask(Question(text, SCHEMA, (), ((0,),), ()), tokenizer, max_pieces=100)
    length = len(read_text(text, tokenizer, max_word_pieces=20).words)
    (reading,) = windows(tokenizer, text, (0, length))
    one, other = (collate([r], shapes=True) for r in (asked.reading, reading))
    assert one.ids.tolist() == other.ids.tolist()
    assert one.types is not None
    assert other.types is not None
    assert one.types.tolist() == other.types.tolist()


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_capitals_and_line_breaks_count_where_they_are_told(
    told: Path, tmp_path: Path, backend: str
) -> None:
    plain = make_tiny_checkpoint(tmp_path / "plain")
    export_checkpoint(locate(plain))

    def scores(directory: Path) -> list[float]:
        model = Extractor.from_pretrained(directory, backend=backend)
        docs = model.extract(FORMS, SCHEMA, threshold=0.0)
        return [doc.classifications["tone"].scores["calm"] for doc in docs]

    assert len(set(np.round(scores(plain), 6))) == 1
    assert len(set(np.round(scores(told), 6))) == len(FORMS)


def test_graphs_and_network_agree(told: Path) -> None:
    found = [
        Extractor.from_pretrained(told, backend=backend).extract(FORMS, SCHEMA, threshold=0.0)
        for backend in ("onnx", "torch")
    ]
    for one, other in zip(*found, strict=True):
        assert [(e.label, e.start, e.end) for e in one.entities] == [
            (e.label, e.start, e.end) for e in other.entities
        ]
        np.testing.assert_allclose(
            [e.score for e in one.entities], [e.score for e in other.entities], atol=1e-5
        )


def test_the_types_of_the_encoder_are_as_many(told: Path, tmp_path: Path) -> None:
    wrong = make_tiny_checkpoint(tmp_path)
    config = json.loads((wrong / "config.json").read_text())
    (wrong / "config.json").write_text(json.dumps(config | {"word_shapes": True}))
    with pytest.raises(CheckpointError, match=r"word_shapes in config\.json need an encoder of"):
        load_network(wrong)
    (problem,) = inspect_checkpoint(locate(wrong)).problems  # without torch
    assert problem.startswith("word_shapes in config.json need an encoder of")
    assert tuple(TYPED) == (*KINDS, "deberta-v2")
    assert inspect_checkpoint(locate(told)).problems == ()
    assert json.loads((told / "config.json").read_text())["word_shapes"] is True


def test_a_reading_without_its_text_has_no_shapes(told: Path) -> None:
    tokenizer = PieceTokenizer(told / "tokenizer.json")
    (reading,) = windows(tokenizer, TEXT, (0, 6))
    with pytest.raises(ValueError, match="without shapes"):
        Reading(reading.prompt, reading.ids, reading.lengths).types()
