"""The family as one record: what is read of a directory, planned, and refused."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from tests.models.gliclass.made import raw, tokenizer, write

from onepass import Schema
from onepass.errors import CheckpointError, InputError, SchemaError
from onepass.hub import locate
from onepass.models.family import Model
from onepass.models.gliclass.family import GLICLASS
from onepass.models.labels import LabelVectors
from onepass.models.registry import read_model

BI = {"architecture_type": "bi-encoder"}


class Counting:
    """A label encoder that gives the number of pieces, and remembers what it was asked."""

    def __init__(self) -> None:
        self.rows: list[int] = []

    def run(self, graph: str, inputs: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        assert graph == "encode_labels"
        counts = inputs["label_mask"].sum(1)
        self.rows += counts.tolist()
        return [np.repeat(counts[:, None], 32, axis=1).astype(np.float32)]


def opened(directory: Path, kind: str = "wordpiece", **options: Any) -> Model:
    write(directory, raw(**options), kind)
    if options.get("architecture_type", "").startswith("bi-encoder"):
        (directory / "label_tokenizer").mkdir()
        tokenizer(kind).save(str(directory / "label_tokenizer" / "tokenizer.json"))
    return read_model(locate(directory))


def plan(model: Model, schema: Schema) -> Any:
    return GLICLASS.plan(schema, model.tokenizer, model.settings, 80)


def prepared(model: Model, labels: Any, known: LabelVectors | None = None) -> Any:
    backend: Any = Counting()
    prompts = plan(model, Schema().classification("t", labels))
    return GLICLASS.prepare(prompts, model.settings, backend, known), backend.rows


def test_a_directory_is_read_without_weights(tmp_path: Path) -> None:
    model = opened(tmp_path, prompt_first=True)
    assert (model.family.name, model.limits.pieces, model.limits.words) == ("gliclass", 160, None)
    assert model.settings.config.prompt_first
    assert model.settings.style.name == "2026-02"
    assert model.settings.label_tokenizer is None


def test_the_generation_is_read_from_onepass_json(tmp_path: Path) -> None:
    write(tmp_path, raw())
    (tmp_path / "onepass.json").write_text(json.dumps({"prompt_style": "v1"}))
    assert read_model(locate(tmp_path)).settings.style.lower
    (tmp_path / "onepass.json").write_text(json.dumps({"prompt_style": "v0"}))
    with pytest.raises(CheckpointError, match="The prompt_style 'v0' in"):
        read_model(locate(tmp_path))


@pytest.mark.parametrize("encoder", ["bert", "modernbert"])
def test_modernbert_reads_a_space_in_front_of_texts_but_not_of_labels(
    tmp_path: Path, encoder: str
) -> None:
    content = {**BI, "label_model_config": raw(encoder)["encoder_config"]}
    write(tmp_path, raw(encoder, **BI) | content, "byte pairs")
    (tmp_path / "label_tokenizer").mkdir()
    tokenizer("byte pairs").save(str(tmp_path / "label_tokenizer" / "tokenizer.json"))
    model = read_model(locate(tmp_path))
    with_space, without = model.tokenizer.pieces([" tim", "tim"])
    assert (with_space == without) == (encoder == "modernbert")
    with_space, without = model.settings.label_tokenizer.pieces([" tim", "tim"])
    assert with_space != without


@pytest.mark.parametrize("missing", ["<<LABEL>>", "<<SEP>>"])
def test_a_tokenizer_without_markers_is_refused(tmp_path: Path, missing: str) -> None:
    markers = tuple(m for m in ("<<LABEL>>", "<<SEP>>") if m != missing)
    write(tmp_path, raw())
    tokenizer("wordpiece", markers).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(CheckpointError, match=f"has no token '{missing}'"):
        read_model(locate(tmp_path))


def test_a_bi_encoder_needs_no_markers(tmp_path: Path) -> None:
    opened(tmp_path, **BI)
    tokenizer("wordpiece", ()).save(str(tmp_path / "tokenizer.json"))
    assert len(plan(read_model(locate(tmp_path)), Schema().classification("t", ["a", "b"]))) == 1


def test_every_task_has_its_own_prompts(tmp_path: Path) -> None:
    model = opened(tmp_path)
    schema = Schema().classification("one", ["a", "b"])
    schema.classification("two", [f"topic {a} {b}" for a in "abcdef" for b in "xyz"])
    prompts = plan(model, schema)
    assert [prompt.task for prompt in prompts] == [0] + [1] * (len(prompts) - 1)
    assert len(prompts) > 2


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        (Schema().entities(["person"]), "only classifies, so it finds no entities"),
        (Schema().relations(["in"]), "only classifies, so it finds no (entities|relations)"),
        (Schema().structure("thing", ["name"]), "only classifies, so it finds no records"),
    ],
)
def test_other_questions_are_refused(tmp_path: Path, schema: Schema, said: str) -> None:
    with pytest.raises(SchemaError, match=f"A GLiClass checkpoint {said}"):
        plan(opened(tmp_path), schema)


def test_labels_are_encoded_once(tmp_path: Path) -> None:
    model = opened(tmp_path, **BI)
    backend: Any = Counting()
    schema = Schema().classification("one", ["a", "great person"])
    schema.classification("two", ["a", "red"])
    first, second = GLICLASS.prepare(plan(model, schema), model.settings, backend, None)
    assert sorted(backend.rows) == [3, 3, 4]  # "a" is one of both
    assert first.vectors[:, 0].tolist() == [3, 4]
    assert second.vectors[:, 0].tolist() == [3, 3]


def test_known_vectors_are_not_encoded_again(tmp_path: Path) -> None:
    model = opened(tmp_path, architecture_type="bi-encoder-fused")
    known = LabelVectors(("a",), ("a",), np.full((1, 32), 9, dtype=np.float32), None)
    (prompt,), rows = prepared(model, ["b", "a"], known)
    assert prompt.vectors[:, 0].tolist() == [3, 9]
    assert rows == [3]
    assert prepared(model, ["a"], known)[1] == []


def test_a_description_is_what_a_label_encoder_reads(tmp_path: Path) -> None:
    model = opened(tmp_path, **BI)
    backend: Any = Counting()
    labels = Schema().entities({"a": "great person", "b": None}).entity_labels
    assert GLICLASS.encode_labels is not None
    texts, vectors = GLICLASS.encode_labels(labels, model.settings, backend)
    assert texts == ["a: great person", "b"]
    assert vectors[:, 0].tolist() == [6, 3]
    known = LabelVectors(("a", "b"), tuple(texts), vectors, None)
    assert prepared(model, {"a": "great person", "b": None}, known)[1] == []


def test_wrong_vectors_are_refused(tmp_path: Path) -> None:
    known = LabelVectors(("a",), ("a",), np.zeros((1, 8), dtype=np.float32), None)
    with pytest.raises(InputError, match="have 8 numbers, but those of this checkpoint have 32"):
        prepared(opened(tmp_path / "bi", **BI), ["a"], known)
    with pytest.raises(InputError, match="but a uni-encoder checkpoint of GLiClass reads its"):
        prepared(opened(tmp_path / "uni"), ["a"], known)
    assert GLICLASS.encode_labels is not None
    with pytest.raises(InputError, match="of the kind uni-encoder has no label encoder"):
        GLICLASS.encode_labels(
            Schema().entities(["a"]).entity_labels, read_model(locate(tmp_path / "uni")).settings,
            Counting(),  # type: ignore[arg-type]
        )  # fmt: skip


def test_a_label_that_its_encoder_would_cut_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SchemaError, match=r"takes 300 pieces, but the label encoder .* reads 158"):
        prepared(opened(tmp_path, **BI), ["a " * 300])


def test_a_label_of_no_pieces_is_refused(tmp_path: Path) -> None:
    labels = Schema().entities({"a": None, "empty": "\u200b", "\u200b": None}).entity_labels
    assert GLICLASS.encode_labels is not None
    settings, backend = opened(tmp_path, **BI).settings, Counting()
    texts, _ = GLICLASS.encode_labels(labels[:2], settings, backend)  # type: ignore[arg-type]
    assert texts == ["a", "empty: \u200b"]
    with pytest.raises(SchemaError, match=r"The label '\\u200b' is read as .* nothing to read"):
        GLICLASS.encode_labels(labels[2:], settings, backend)  # type: ignore[arg-type]


def test_a_label_of_no_pieces_for_its_encoder_cannot_be_asked(tmp_path: Path) -> None:
    model = opened(tmp_path, **BI)
    with pytest.raises(SchemaError, match=r"The label '\\u200b' is read as .* nothing to read"):
        plan(model, Schema().classification("t", ["a", "\u200b"]))
