"""What only sentence encoders have: label vectors, templates and prompts of labels, a scale."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tests.nli_checkpoints import edit_json

from onepass import Extractor, LabelVectors, Schema
from onepass.errors import InputError, SchemaError
from onepass.results.types import Extraction

TOLERANCE = 1e-5
TEXTS = ["Tim Cook runs Apple in Paris and Rome.", "", "it costs 9.5 , qx-zt ! " * 3]
LABELS = ["sports", "not about art", "Paris"]


def schema() -> Schema:
    return (
        Schema()
        .classification("one", LABELS)
        .classification("many", LABELS[::-1], multi_label=True)
    )


def scores(doc: Extraction) -> np.ndarray:
    return np.array([list(answer.scores.values()) for answer in doc.classifications.values()])


def test_label_vectors_are_made_once(made: Callable[[str], Path], tmp_path: Path) -> None:
    model = Extractor.from_pretrained(made("mean"), backend="torch")
    vectors = model.encode_labels(LABELS)
    vectors.save(tmp_path / "labels.safetensors")
    again = LabelVectors.load(tmp_path / "labels.safetensors")
    expected = model.extract(TEXTS, schema())
    for known in (vectors, again):
        for got, one in zip(model.extract(TEXTS, schema(), labels=known), expected, strict=True):
            np.testing.assert_allclose(scores(got), scores(one), rtol=0, atol=TOLERANCE)
    # They are used: other vectors give other answers. Labels without a vector are encoded.
    strange = LabelVectors(
        vectors.names[:1], vectors.texts[:1], -vectors.vectors[:1], vectors.model
    )
    got = model.extract(TEXTS[0], schema(), labels=strange).classifications["many"].scores
    plain = expected[0].classifications["many"].scores
    assert abs(got[LABELS[0]] - (1 - plain[LABELS[0]])) <= TOLERANCE  # of the opposite cosine
    assert abs(got[LABELS[1]] - plain[LABELS[1]]) <= TOLERANCE


def copied(made: Callable[[str], Path], tmp_path: Path, **settings: object) -> Extractor:
    directory = tmp_path / f"copy-{len(list(tmp_path.iterdir()))}"
    shutil.copytree(made("mean"), directory)
    edit_json(directory / "onepass.json", **settings)
    return Extractor.from_pretrained(directory, backend="torch")


def test_vectors_that_do_not_fit(made: Callable[[str], Path]) -> None:
    model = Extractor.from_pretrained(made("mean"), backend="torch")
    wrong = LabelVectors(("a",), ("a",), np.zeros((1, 5), dtype=np.float32), None)
    with pytest.raises(InputError, match="5 numbers"):
        model.extract("x", schema(), labels=wrong)
    with pytest.raises(SchemaError, match=r"takes .* pieces"):
        model.encode_labels(["red " * 200])
    with pytest.raises(SchemaError, match=r"The label 'empty' is read as .* nothing to read"):
        model.encode_labels({"a": None, "empty": "\u200b"})
    with pytest.raises(SchemaError, match=r"The label 'empty' is read as .* nothing to read"):
        model.extract("x", Schema().classification("t", {"a": None, "empty": "\u200b"}))


def test_what_is_read_of_a_label(made: Callable[[str], Path], tmp_path: Path) -> None:
    model = copied(made, tmp_path)

    def scores(own: Extractor, asked: Schema) -> list[float]:
        return list(own.extract(TEXTS[0], asked).classifications["t"].scores.values())

    plain = Schema().classification("t", ["red", "in paris"])
    described = Schema().classification("t", {"a": "red", "b": "in paris"})
    assert scores(model, described) == scores(model, plain)
    prompted = Schema().classification("t", ["red", "paris"], prompt="in {}")
    spelled = Schema().classification("t", ["in red", "in paris"])
    assert scores(model, prompted) == scores(model, spelled)
    templated = copied(made, tmp_path, template="in {}")
    assert scores(templated, Schema().classification("t", ["red", "paris"])) == scores(
        model, spelled
    )
    assert templated.encode_labels(["red"]).texts == ("in red",)
    with pytest.raises(SchemaError, match=r"must hold \{\} once"):
        model.extract("x", Schema().classification("t", ["a"], prompt="the tone"))


def test_the_scale_and_the_prompt_of_texts(made: Callable[[str], Path], tmp_path: Path) -> None:
    asked = Schema().classification("t", LABELS, multi_label=True)

    def logits(model: Extractor, text: str) -> np.ndarray:
        scores = model.extract(text, asked).classifications["t"].scores.values()
        return np.array([np.log(one / (1 - one)) for one in scores])

    one, four = copied(made, tmp_path, scale=1.0), copied(made, tmp_path, scale=4)
    np.testing.assert_allclose(logits(four, TEXTS[0]), 4 * logits(one, TEXTS[0]), atol=1e-4)
    prompted = copied(made, tmp_path, scale=1.0, text_prompt="query: ")
    expected = logits(one, f"query: {TEXTS[0]}")
    np.testing.assert_allclose(logits(prompted, TEXTS[0]), expected, atol=1e-5)
    # Every window of a long text has it, and none is too long for it.
    text = "Tim Cook runs Apple in Paris. " * 40
    assert prompted.extract(text, asked).coverage.windows > 1


def test_examples_cannot_be_shown(made: Callable[[str], Path]) -> None:
    model = Extractor.from_pretrained(made("mean"), backend="torch")
    with pytest.raises(SchemaError, match="An embedding checkpoint"):
        model.extract("x", Schema().classification("t", ["a"], examples=[("it is a", "a")]))
