"""Label vectors are made once and used again; labels of a prompt are split, and none is lost."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file
from tests.models.gliner.conftest import Case

from onepass import Extractor, InputError, LabelVectors, Schema
from onepass.arrays import Array
from onepass.backends.base import Backend
from onepass.errors import CheckpointError, SchemaError
from onepass.hub import locate
from onepass.models.export import export_checkpoint

TEXTS = ["tim cook runs apple in paris and rome .", "the price of a great person"]
LABELS = [f"{kind} {number}" for number in range(193) for kind in ("a", "in", "is", "of", "the")]


class Counting:
    """A backend that notes how often each graph ran, and on how many rows."""

    def __init__(self, inner: Backend) -> None:
        self.inner, self.rows = inner, dict[str, list[int]]()
        self.name, self.precision = inner.name, inner.precision

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        self.rows.setdefault(graph, []).append(len(next(iter(inputs.values()))))
        return self.inner.run(graph, inputs)


def counted(directory: Path) -> tuple[Extractor, Counting]:
    model = Extractor.from_pretrained(directory, backend="torch")
    counting = Counting(model._reader.backend)
    model._reader.backend = counting
    return model, counting


def found(docs: Any) -> list[Any]:
    return [doc.to_dict()["entities"] for doc in docs]


@pytest.mark.parametrize("name", ["bi-span", "bi-token", "poly-span-l2l-l2t-t2t"])
def test_vectors_are_saved_and_used_again(
    name: str, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    directory = case_of(name).directory
    model, _ = counted(directory)
    vectors = model.encode_labels({"person": None, "place": "a town", "company": None})
    vectors.save(tmp_path / "labels.safetensors")
    again = LabelVectors.load(tmp_path / "labels.safetensors")
    assert (again.names, again.texts, again.model) == (vectors.names, vectors.texts, vectors.model)
    np.testing.assert_array_equal(again.vectors, vectors.vectors)
    other, counting = counted(directory)
    schema = Schema().entities({"person": None, "place": "a town", "company": None})
    expected = model.extract(TEXTS, schema, threshold=0.2, overlap="all")
    assert found(other.extract(TEXTS, labels=again, threshold=0.2, overlap="all")) == found(
        expected
    )
    streamed = other.stream(TEXTS, labels=again, threshold=0.2, overlap="all")
    assert found(streamed) == found(expected)
    assert "encode_labels" not in counting.rows
    assert any(doc.entities for doc in expected)


def test_a_label_encoder_reads_a_thousand_labels_in_one_pass(
    case_of: Callable[[str], Case],
) -> None:
    model, counting = counted(case_of("bi-span").directory)
    schema = Schema().entities(LABELS)
    first = model.extract(TEXTS[0], schema, threshold=0.0, overlap="all")
    assert {entity.label for entity in first.entities} == set(LABELS)
    assert counting.rows["encode"] == [1]
    assert sum(counting.rows["encode_labels"]) == len(LABELS)
    model.extract(TEXTS[1], schema)
    assert sum(counting.rows["encode_labels"]) == len(LABELS)  # the second text cost none
    assert counting.rows["encode"] == [1, 1]


def test_as_many_labels_in_a_prompt_are_split_over_passes(case_of: Callable[[str], Case]) -> None:
    model, counting = counted(case_of("span-bert").directory)
    doc = model.extract(TEXTS[0], Schema().entities(LABELS), threshold=0.0, overlap="all")
    by_label = dict.fromkeys(LABELS, 0)
    for entity in doc.entities:
        by_label[entity.label] += 1
    assert len(set(by_label.values())) == 1  # every label was scored on every span
    assert sum(counting.rows["encode"]) > 5
    alone = model.extract(TEXTS[0], Schema().entities(LABELS[:1]), threshold=0.0, overlap="all")
    assert len(alone.entities) == by_label[LABELS[0]]


def test_vectors_of_another_checkpoint_are_refused(case_of: Callable[[str], Case]) -> None:
    vectors = Extractor.from_pretrained(
        case_of("bi-span").directory, backend="torch"
    ).encode_labels(["person"])
    other = Extractor.from_pretrained(case_of("bi-token").directory, backend="torch")
    with pytest.raises(InputError, match="were made by another checkpoint than"):
        other.extract(TEXTS[0], labels=vectors)


def test_vectors_of_another_checkpoint_are_refused_where_there_are_graphs_alone(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    made = {}
    for name in ("bi-span", "bi-token"):
        directory = tmp_path / name
        shutil.copytree(case_of(name).directory, directory)
        whole = Extractor.from_pretrained(directory, backend="torch").encode_labels(["person"])
        export_checkpoint(locate(directory))
        (directory / "model.safetensors").unlink()
        model = Extractor.from_pretrained(directory, backend="onnx")
        assert model.encode_labels(["person"]).model == whole.model  # of the same weights
        model.extract(TEXTS[0], labels=whole)
        made[name] = model
    vectors = made["bi-span"].encode_labels(["person"])
    with pytest.raises(InputError, match="were made by another checkpoint than"):
        made["bi-token"].extract(TEXTS[0], labels=vectors)


def test_a_checkpoint_without_a_label_encoder_says_so(case_of: Callable[[str], Case]) -> None:
    model = Extractor.from_pretrained(case_of("span").directory, backend="torch")
    with pytest.raises(InputError, match="A UniEncoderSpan checkpoint has no label encoder"):
        model.encode_labels(["person"])
    given = LabelVectors(("person",), ("person",), np.zeros((1, 24), dtype=np.float32), None)
    with pytest.raises(InputError, match="are for checkpoints with a label encoder"):
        model.extract(TEXTS[0], labels=given)
    with pytest.raises(InputError, match="A gliner2 checkpoint has no label encoder"):
        Extractor().encode_labels(["person"])


def test_names_are_no_vectors(case_of: Callable[[str], Case], tmp_path: Path) -> None:
    model = Extractor.from_pretrained(case_of("bi-span").directory, backend="torch")
    with pytest.raises(InputError, match="labels takes what encode_labels"):
        model.extract(TEXTS[0], labels=["person"])  # type: ignore[call-overload]
    with pytest.raises(InputError, match="cannot be written to"):
        model.encode_labels(["person"]).save(tmp_path / "missing" / "labels.safetensors")
    with pytest.raises(SchemaError, match="but the label encoder of this model reads"):
        model.encode_labels(["w " * 900])


def test_a_label_of_no_pieces_is_refused(case_of: Callable[[str], Case]) -> None:
    model = Extractor.from_pretrained(case_of("bi-span").directory, backend="torch")
    said = "finds nothing to read; write it with other characters"
    with pytest.raises(SchemaError, match=f"The entity label 'empty' is read as .*{said}"):
        model.extract(TEXTS[0], Schema().entities({"person": None, "empty": "\u200b"}))
    with pytest.raises(SchemaError, match=f"The relation type .*{said}"):
        model.extract(TEXTS[0], Schema().entities(["person"]).relations(["\u200b"]))
    with pytest.raises(SchemaError, match=f"The label 'empty' is read as .*{said}"):
        model.encode_labels({"empty": "\u200b"})


def test_thresholds_of_labels_stay_with_their_vectors(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    model = Extractor.from_pretrained(case_of("bi-span").directory, backend="torch")
    labels = {"person": {"threshold": 0.9}, "place": {"description": "a town"}, "company": None}
    vectors = model.encode_labels(labels)
    vectors.save(tmp_path / "labels.safetensors")
    again = LabelVectors.load(tmp_path / "labels.safetensors")
    schema = Schema().entities(labels)
    for one in (vectors, again):
        assert one.schema().entity_labels == schema.entity_labels
        own = model.extract(TEXTS, labels=one, threshold=0.1, overlap="all")
        assert found(own) == found(model.extract(TEXTS, schema, threshold=0.1, overlap="all"))
    with pytest.raises(InputError, match="3 labels with 1 thresholds were given"):
        LabelVectors(again.names, again.texts, again.vectors, None, (0.5,))


def test_a_file_of_vectors_may_say_nothing_of_thresholds(
    case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    model = Extractor.from_pretrained(case_of("bi-span").directory, backend="torch")
    vectors = model.encode_labels(["person"]).vectors
    metadata = {"names": '["person"]', "texts": '["person"]'}
    save_file({"vectors": vectors}, tmp_path / "old.safetensors", metadata)
    (label,) = LabelVectors.load(tmp_path / "old.safetensors").schema().entity_labels
    assert (label.name, label.threshold) == ("person", None)


@pytest.mark.parametrize("name", ["bi-span", "poly-span-l2l-l2t-t2t"])
def test_prompts_of_known_vectors_are_planned_once(
    name: str, case_of: Callable[[str], Case], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, counting = counted(case_of(name).directory)
    vectors, others = model.encode_labels(LABELS), model.encode_labels(LABELS[:5])
    plans = model._reader._plans
    first = plans.of(vectors.schema(), counting, vectors)
    for text in TEXTS:
        model.extract(text, labels=vectors)
    assert plans.of(vectors.schema(), counting, vectors) is first
    assert counting.rows.get("queries", [1])[0] == 1
    assert len(counting.rows.get("queries", [])) == (len(TEXTS) if name.startswith("poly") else 1)
    schema = Schema().entities(LABELS[:5])
    same = plans.of(schema, counting, others)
    assert plans.of(schema, counting) is not same  # which were encoded anew


def test_known_vectors_cost_nothing_a_text(case_of: Callable[[str], Case]) -> None:
    model, counting = counted(case_of("bi-span").directory)
    schema = Schema().entities(LABELS)
    for text in TEXTS:
        model.extract(text, schema)
    assert len(counting.rows["queries"]) == 1  # once a schema, not once a text


def test_wrong_vectors(tmp_path: Path, case_of: Callable[[str], Case]) -> None:
    path = tmp_path / "labels.safetensors"
    path.write_bytes(b"nonsense")
    with pytest.raises(CheckpointError, match="holds no label vectors"):
        LabelVectors.load(path)
    with pytest.raises(InputError, match="need one row a label"):
        LabelVectors(("a", "b"), ("a", "b"), np.zeros((1, 4), dtype=np.float32), None)
    short = LabelVectors(("person",), ("person",), np.zeros((1, 4), dtype=np.float32), None)
    model = Extractor.from_pretrained(case_of("bi-span").directory, backend="torch")
    with pytest.raises(InputError, match="have 4 numbers, but those of this checkpoint have 24"):
        model.extract(TEXTS[0], labels=short)
