"""Where gliner2 2.1.0 is wrong we are right: each of its defects that we do not share, by number.

The numbers are those of the list of defects that the reference page keeps (B5, B9, ...).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch

gliner2 = pytest.importorskip("gliner2")

from onepass import Extractor, Schema  # noqa: E402
from onepass.errors import InputError  # noqa: E402
from onepass.results.types import Extraction, Value  # noqa: E402
from tests.parity.reference import make_reference, reference_raw  # noqa: E402

TEXT = "tim works for apple in cupertino"
COSTS = "galaxy costs 9 dollars and apple is great"
LABELS = ["person", "company"]


@dataclass(frozen=True)
class Both:
    """One checkpoint under both libraries."""

    theirs: Any
    ours: Extractor
    directory: Path

    def schema(self) -> Any:
        return self.theirs.create_schema()

    def raw(self, text: str, schema: Any, **options: Any) -> dict[str, Any]:
        return reference_raw(self.theirs, text, schema, **options)


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ONEPASS_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield tmp_path_factory.mktemp("gliner2")


def make(directory: Path, seed: int) -> Both:
    theirs = make_reference(directory, seed=seed)
    return Both(theirs, Extractor.from_pretrained(directory, backend="torch"), directory)


@pytest.fixture(scope="module")
def eager(root: Path) -> Both:
    """A checkpoint that finds much."""
    return make(root / "eager", 1)


@pytest.fixture(scope="module")
def pairs(root: Path) -> Both:
    """A checkpoint that finds pairs several times, and no class of several."""
    return make(root / "pairs", 6)


@pytest.fixture(scope="module")
def absent(root: Path) -> Both:
    """A checkpoint whose count head says that nothing is there."""
    theirs = make_reference(root / "absent", seed=1)
    with torch.no_grad():
        theirs.count_pred[2].bias[0] += 1_000
    theirs.save_pretrained(str(root / "absent"))
    ours = Extractor.from_pretrained(root / "absent", backend="torch")
    return Both(theirs, ours, root / "absent")


def places(found: dict[str, Any]) -> set[tuple[str, int, int]]:
    return {(label, one["start"], one["end"]) for label, all_ in found.items() for one in all_}


@pytest.mark.parametrize("text", ["", "tim", TEXT])
def test_b5_the_added_full_stop_is_never_an_answer(eager: Both, text: str) -> None:
    schema = eager.schema().entities(LABELS)
    found = places(eager.raw(text, schema, threshold=0.1)["entities"])
    assert any(end > len(text) for _, _, end in found)  # theirs points behind the text
    for overlap in ("flat", "all"):
        doc = eager.ours.extract(text, {"entities": LABELS}, threshold=0.1, overlap=overlap)
        for entity in doc.entities:
            assert text[entity.start : entity.end] == entity.text
        assert bool(doc.entities) is bool(text)


def test_b5_nothing_is_found_in_an_empty_text(eager: Both) -> None:
    doc = eager.ours.extract("", Schema().entities(LABELS).relations(["in"]), threshold=0.0)
    assert (doc.entities, doc.relations) == ((), ())


def test_b5_the_full_stop_is_no_part_of_a_link_at_the_end(eager: Both) -> None:
    text, link = "tim runs https://apple.org", (9, 26)
    theirs = eager.raw(text, eager.schema().entities(LABELS), threshold=0.0, overlap_policy="allow")
    doc = eager.ours.extract(text, {"entities": LABELS}, threshold=0.0, overlap="all")
    assert ("person", link[0], link[1] + 1) in places(theirs["entities"])
    assert ("person", *link) in {(e.label, e.start, e.end) for e in doc.entities}
    stopped = f"{text}."  # given as a part of the link, it is read as one
    theirs = eager.raw(stopped, eager.schema().entities(["person"]), overlap_policy="allow")
    doc = eager.ours.extract(stopped, {"entities": ["person"]}, threshold=0.5, overlap="all")
    expected = [e["confidence"] for e in theirs["entities"]["person"]]
    assert sorted(e.score for e in doc.entities) == pytest.approx(sorted(expected), abs=1e-4)


def test_b6_a_long_text_is_read_in_windows(eager: Both) -> None:
    text = f"{TEXT} . " * 200
    with pytest.raises(RuntimeError):  # theirs has no limit of its own: the encoder gives up
        eager.theirs.extract_entities(text, LABELS)
    doc = eager.ours.extract(text, {"entities": LABELS}, threshold=0.5)
    assert doc.coverage.windows > 1
    assert doc.coverage.chars_read == len(text)
    assert doc.entities[-1].end > len(text) - 100


def test_b6_what_was_cut_off_is_said(eager: Both) -> None:
    text = f"{TEXT} . " * 200
    assert "coverage" not in eager.theirs.extract_entities(text, LABELS, max_len=5)
    doc = eager.ours.extract(text, {"entities": LABELS}, on_long="truncate")
    assert doc.coverage.truncated
    assert doc.coverage.chars_read < len(text)


def test_b9_a_described_relation_keeps_its_name(pairs: Both) -> None:
    described = {"works_for": "person is employed by company"}
    found = pairs.raw(COSTS, pairs.schema().relations(described), threshold=0.3)
    theirs = found["relation_extraction"]
    assert theirs["works_for"] == []
    assert theirs["works_for: person is employed by company"]
    relations = pairs.ours.relations(COSTS, described, threshold=0.3)
    assert {relation.type for relation in relations} == {"works_for"}


def test_b9_a_described_relation_keeps_its_threshold(pairs: Both) -> None:
    def count(threshold: float) -> int:
        one = {
            "works_for": {"description": "person is employed by company", "threshold": threshold}
        }
        return len(pairs.ours.relations(COSTS, one, threshold=0.3))

    assert count(0.3) == len(
        pairs.ours.relations(COSTS, {"works_for": "person is employed by company"}, threshold=0.3)
    )
    assert count(1.0) == 0


def test_b10_one_name_may_be_used_for_two_things(eager: Both) -> None:
    schema = (
        eager.schema().classification("product", ["sports", "news"])
        .structure("product").field("name", dtype="str")
    )  # fmt: skip
    assert list(eager.raw(TEXT, schema, threshold=0.1)) == ["product"]  # theirs keeps one of them
    asked = (
        Schema()
        .entities(["product", "person"])
        .classification("product", ["sports", "news"])
        .structure("product", ["name::str"])
        .structure("entities", ["name::str"])
        .relations(["product"])
    )
    doc = eager.ours.extract(TEXT, asked, threshold=0.1)
    assert doc.classifications["product"].labels
    assert list(doc.records) == ["product", "entities"]
    assert doc.records["product"]
    assert doc.records["entities"]
    assert {entity.label for entity in doc.entities} <= {"product", "person"}


def test_b10_heads_and_tails_need_be_none_of_relations(eager: Both) -> None:
    asked = eager.schema().entities(["head", "tail"])
    theirs = eager.raw(TEXT, asked, threshold=0.1)
    assert "entities" not in theirs
    assert set(theirs["relation_extraction"]["entities"][0]) == {"head", "tail"}
    schema = Schema().entities(["head", "tail"]).structure("product", ["head::str", "tail::str"])
    doc = eager.ours.extract(TEXT, schema, threshold=0.1)
    assert {entity.label for entity in doc.entities} <= {"head", "tail"}
    assert doc.entities
    assert doc.records["product"]
    assert doc.relations == ()


def test_b13_a_marker_as_a_name_is_a_name(eager: Both) -> None:
    broken = eager.schema().structure("[E]").field("name", dtype="str")
    with pytest.raises(IndexError):
        eager.theirs.extract(TEXT, broken)
    for marker in ("[E]", "[SEP_TEXT]", "[CLS]", "( [P] entities ( [E] person ) ) [SEP_TEXT]"):
        schema = (
            Schema()
            .entities({marker: marker, "person": None})
            .classification(marker, [marker, "news"])
            .structure(marker, [{"name": marker, "choices": [marker, "red"]}, "name"])
            .relations([marker])
        )
        doc = eager.ours.extract(TEXT, schema, threshold=0.1)
        assert set(doc.classifications[marker].scores) == {marker, "news"}
        assert list(doc.records) == [marker]


def test_b13_a_marker_in_a_label_is_only_text(eager: Both) -> None:
    def theirs(label: str) -> float:
        schema = eager.schema().classification("topic", [label, "sports"])
        answer = eager.raw(TEXT, schema)["topic"]
        score = float(answer["confidence"])
        return score if answer["label"] == "sports" else 1 - score

    def ours(label: str) -> float:
        return eager.ours.classify(TEXT, [label, "sports"], name="topic").scores["sports"]

    assert theirs("[E] news") != pytest.approx(theirs("[ E] news"), abs=1e-5)
    assert ours("[E] news") == ours("[ E] news")


def test_b14_a_choice_is_read_from_its_own_cell(eager: Both) -> None:
    """Theirs takes the first word that is spelled alike: the field's name, or another field's."""
    schema = (
        eager.schema().structure("product")
        .field("color", dtype="list", choices=["color", "red"])
        .field("size", dtype="list", choices=["red", "small"])
    )  # fmt: skip
    (theirs,) = eager.raw(TEXT, schema, threshold=0.0)["product"]
    asked = Schema().structure("product", ["color::[color|red]::list", "size::[red|small]::list"])
    (record,) = eager.ours.extract(TEXT, asked, threshold=0.0).records["product"]
    scores = {}
    for field in ("color", "size"):
        values = record[field]
        assert isinstance(values, tuple)
        for one, value in zip(theirs[field], values, strict=True):
            assert one["text"] == value.text
            scores[field, value.text] = one["confidence"], value.score
    for own in (("color", "red"), ("size", "small")):
        assert scores[own][0] == pytest.approx(scores[own][1], abs=1e-4)
    for borrowed in (("color", "color"), ("size", "red")):
        assert scores[borrowed][0] != pytest.approx(scores[borrowed][1], abs=1e-4)


def test_b16_a_string_is_not_a_batch_of_characters(eager: Both) -> None:
    assert len(eager.theirs.batch_extract("abc", eager.schema().entities(LABELS))) == 3
    with pytest.raises(InputError, match="put it into a list"):
        eager.ours.stream("abc", {"entities": LABELS})
    assert isinstance(eager.ours.extract("abc", {"entities": LABELS}), Extraction)


def test_b16_values_out_of_range_are_refused(eager: Both) -> None:
    eager.theirs.extract_entities(TEXT, LABELS, threshold=7)
    with pytest.raises(InputError, match="from 0 to 1, but 7 was given"):
        eager.ours.entities(TEXT, LABELS, threshold=7)


def test_b17_several_labels_may_be_none(pairs: Both) -> None:
    schema = pairs.schema().classification(
        "topic", ["sports", "news"], multi_label=True, cls_threshold=0.9
    )
    assert len(pairs.raw(COSTS, schema)["topic"]) == 1  # the best, though it does not hold
    answer = pairs.ours.classify(
        COSTS, ["sports", "news"], name="topic", multi_label=True, threshold=0.9
    )
    assert answer.labels == ()
    assert set(answer.scores) == {"sports", "news"}


def test_b17_one_label_may_be_none_where_a_floor_is_asked_for(eager: Both) -> None:
    schema = eager.schema().classification("topic", ["sports", "news"], cls_threshold=0.99)
    assert eager.raw(TEXT, schema)["topic"]["confidence"] < 0.99
    answer = eager.ours.classify(
        TEXT, ["sports", "news"], name="topic", threshold={"classifications": 0.99}
    )
    assert answer.labels == ()


def test_b18_nothing_has_the_same_shape_as_something(absent: Both, eager: Both) -> None:
    entities, structure = absent.schema().entities(LABELS), absent.schema().structure("product")
    structure.field("name", dtype="str")
    assert absent.raw(TEXT, entities)["entities"] == {}
    assert eager.raw(TEXT, eager.schema().entities(LABELS), threshold=1.0)["entities"] != {}
    schema = (
        Schema()
        .entities(LABELS)
        .classification("topic", ["sports", "news"], multi_label=True)
        .structure("product", ["name::str", "price"])
        .relations(["in"])
    )
    for model in (absent.ours, eager.ours):
        found = model.extract(TEXT, schema, threshold=1.0).to_dict()
        assert found["entities"] == []
        assert found["relations"] == []
        assert found["records"] == {"product": []}
        assert found["classifications"]["topic"]["labels"] == []
        assert list(found) == [
            "text", "entities", "classifications", "records", "relations", "coverage",
        ]  # fmt: skip


def test_b18_repeated_mentions_stay_apart(eager: Both) -> None:
    text = "tim . tim . tim"
    names = eager.theirs.extract_entities(text, LABELS, threshold=0.1)["entities"]["person"]
    assert len(names) == len(set(names))  # theirs keeps each spelling once
    doc = eager.ours.extract(text, {"entities": ["person"]}, threshold=0.0, overlap="all")
    assert [e.start for e in doc.entities if e.text == "tim"] == [0, 6, 12]


def test_b19_a_pair_is_reported_once(pairs: Both) -> None:
    described = {"works_for": "person is employed by company"}
    (repeated,) = (
        found
        for name, found in pairs.raw(COSTS, pairs.schema().relations(described), threshold=0.3)[
            "relation_extraction"
        ].items()
        if found
    )
    spans = [(p["head"]["start"], p["head"]["end"], p["tail"]["start"]) for p in repeated]
    assert len(set(spans)) < len(spans)
    relations = pairs.ours.relations(COSTS, described, threshold=0.3)
    ours = [(r.head.start, r.head.end, r.tail.start, r.tail.end) for r in relations]
    assert len(set(ours)) == len(ours) > 0
    for relation in relations:  # the best of the repeated ones, no surer than its weaker end
        assert relation.score == min(relation.head.score, relation.tail.score)
        best = max(min(p["head"]["confidence"], p["tail"]["confidence"]) for p in repeated)
        assert relation.score == pytest.approx(best, abs=1e-4)


def test_b19_nothing_is_related_to_itself(eager: Both) -> None:
    schema = eager.schema().relations(["works for", "located"])
    found = eager.raw(TEXT, schema, threshold=0.1)["relation_extraction"]
    assert any(
        (p["head"]["start"], p["head"]["end"]) == (p["tail"]["start"], p["tail"]["end"])
        for pairs_ in found.values()
        for p in pairs_
    )
    for text in (TEXT, COSTS, "tim"):
        for relation in eager.ours.relations(text, ["works for", "located"], threshold=0.0):
            assert isinstance(relation.head, Value)
            assert (relation.head.start, relation.head.end) != (
                relation.tail.start, relation.tail.end,
            )  # fmt: skip
