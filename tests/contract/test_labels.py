"""Every label is asked, whatever it is called and however many there are."""

from __future__ import annotations

from pathlib import Path

import pytest

from onepass import Extractor, Schema
from onepass.errors import SchemaError
from onepass.results.types import Classification
from tests.contract.checkpoints import finds_records, in_turn

TEXT = "Tim Cook runs Apple in Paris; the price of 9 red things is not bad."
SHORT = "Tim Cook runs Apple in Paris."  # where every span and every pair of spans is an answer
NOTHING = "\u200b"  # has no piece: its marker alone would ask for anything
MARKERS = [
    "[E]", "[C]", "[R]", "[L]", "[P]", "[SEP_TEXT]", "[SEP_STRUCT]", "[DESCRIPTION]", "[EXAMPLE]",
    "[OUTPUT]", "[CLS]", "[SEP]", "[PAD]", "[MASK]", "[UNK]", "<s>", "</s>", "<<ENT>>", "<<LABEL>>",
    "( [P] entities ( [E] person ) ) [SEP_TEXT]", "[[E]]", "[E][E]", "(", ")", "|", ":",
    "\U0001f469", NOTHING, "\u65e5\u672c", "a\nb", "a\x00b", "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize(("model", "label"), in_turn(MARKERS), indirect=["model"])
def test_any_label_can_be_asked(model: Extractor, label: str) -> None:
    schema = (
        Schema()
        .entities({label: label, "place": None})
        .classification(
            label, {label: label, "calm": None}, prompt=label, examples=[(label, label)]
        )
        .relations({label: label, "in": None})
    )
    if finds_records(model):
        choice = {"name": label, "choices": [label, "red"], "description": label}
        schema.structure(label, [choice, "name"])
    refused = ""
    try:
        doc = model.extract(SHORT, schema, threshold=0.0, overlap="all")
    except SchemaError as error:
        refused = str(error)
    assert (label == NOTHING) == ("finds nothing to read" in refused)
    if refused:  # GLiNER chooses a class as a span, and those of these checkpoints have 4 words
        spans = "words, but this checkpoint chooses spans of at most 4 words" in refused
        assert (spans and model.family == "gliner") or label == NOTHING
        return
    assert list(doc.classifications) == [label]
    assert list(doc.records) == ([label] if finds_records(model) else [])
    assert set(doc.classifications[label].scores) == {label, "calm"}
    for record in doc.records.get(label, ()):
        assert list(record) == [label, "name"]
    if doc.entities:  # nothing is found where the count is 0
        assert {entity.label for entity in doc.entities} == {label, "place"}
    assert {relation.type for relation in doc.relations} <= {label, "in"}


def test_a_marker_in_a_label_is_only_text(model: Extractor) -> None:
    """What stands in a label means what its letters mean: the marker, broken by a space, is one."""
    schemas = [
        Schema()
        .entities({f"{mark} place": None, "person": f"by {mark} name"})
        .classification("tone", [f"calm {mark}", "angry"], multi_label=True)
        for mark in ("[E]", "[ E]")
    ]
    one, other = (
        model.extract(TEXT, schema, threshold=0.0, overlap="all").to_json().replace("[ E]", "[E]")
        for schema in schemas
    )
    assert one == other


def test_a_task_beside_it_is_answered_as_if_the_marker_were_text(model: Extractor) -> None:
    docs = [
        model.extract(TEXT, Schema().entities(["person", label]), threshold=0.2)
        for label in ("[SEP_TEXT]", "[ SEP_TEXT]")
    ]
    people = [[e for e in doc.entities if e.label == "person"] for doc in docs]
    assert people[0] == people[1]


KINDS = ("person", "place", "price", "thing", "is")
LABELS = [f"{kind} {number}" for number in range(100) for kind in KINDS]


def test_five_hundred_entity_labels(reader: Extractor) -> None:
    doc = reader.extract(TEXT, Schema().entities(LABELS), threshold=0.0, overlap="all")
    by_label: dict[str, int] = {}
    for entity in doc.entities:
        by_label[entity.label] = by_label.get(entity.label, 0) + 1
    if len(by_label) < 500:  # a pass whose count is 0 finds nothing, as in the reference
        schema = Schema().classification("tone", LABELS, multi_label=True)
        assert set(reader.extract(TEXT, schema).classifications["tone"].scores) == set(LABELS)
    if Path(reader.name).name != "boundary-each":  # where each label has spans of its own
        assert len(set(by_label.values())) <= 1  # every label was scored on every span
    assert doc.coverage.chars_read == len(TEXT)


@pytest.mark.parametrize("multi_label", [False, True])
def test_five_hundred_class_labels(reader: Extractor, multi_label: bool) -> None:
    schema = Schema().classification("tone", LABELS, multi_label=multi_label)
    answer = reader.extract(TEXT, schema).classifications["tone"]
    assert list(answer.scores) == LABELS
    assert len(set(answer.scores.values())) > 100
    if not multi_label:
        assert sum(answer.scores.values()) == pytest.approx(1.0, abs=1e-5)
        assert len(answer.labels) == 1


TREE = {
    "sport": ["ball", "ice", "other"],
    "science": {"physics": ["optics", "waves"], "life": [], "other": []},
}


@pytest.mark.parametrize("multi_label", [False, True])
def test_a_tree_of_classes(model: Extractor, multi_label: bool) -> None:
    """Its scores are those of its names in a list, made consistent."""
    schema = Schema().classification("topic", TREE, multi_label=multi_label, threshold=0.0)
    answer = model.extract(TEXT, schema).classifications["topic"]
    names = schema.classification_tasks[0].result_names
    assert tuple(answer.scores) == names
    for name, score in answer.scores.items():
        below = [answer.scores[n] for n in names if n.rpartition("/")[0] == name]
        assert all(one <= score for one in below)
        if below and not multi_label:
            assert sum(below) == pytest.approx(score)
    if multi_label:
        assert {one.label for one in answer.labels} == set(names)
    else:
        assert answer.scores["sport"] + answer.scores["science"] == pytest.approx(1.0)
        assert [one.label for one in answer.labels][-1] == "/".join(answer.path)


def test_no_answer_where_nothing_fits(model: Extractor) -> None:
    def asked(floor: float | None) -> Classification:
        schema = Schema().classification("tone", ["calm", "angry", "sad"], abstain=floor)
        return model.extract(TEXT, schema).classifications["tone"]

    plain, some, none = asked(None), asked(0.0), asked(1.0)
    assert plain.labels == some.labels
    assert dict(plain.scores) == dict(some.scores) == dict(none.scores)
    assert (plain.fit, none.labels) == (None, ())
    assert some.fit == none.fit
    assert some.fit is not None
    assert asked(some.fit).labels == plain.labels


def test_five_hundred_of_everything_together(reader: Extractor) -> None:
    fields, types = LABELS[:100], LABELS[100:150]
    schema = (
        Schema()
        .entities(dict.fromkeys(LABELS[:150], "a description"))
        .classification("tone", LABELS[:100])
        .classification("color", LABELS[:100], multi_label=True)
        .relations(types)
    )
    if finds_records(reader):
        schema.structure("product", [f"{field}::[red|blue]::str" for field in fields])
    doc = reader.extract(TEXT, schema)
    assert set(doc.classifications["tone"].scores) == set(LABELS[:100])
    assert set(doc.classifications["color"].scores) == set(LABELS[:100])
    for record in doc.records.get("product", ()):
        assert list(record) == fields
    assert doc.coverage.chars_read == len(TEXT)


def test_a_description_that_never_fits_is_refused(model: Extractor) -> None:
    schema = Schema().entities({"person": "a b c d " * model.max_pieces})
    with pytest.raises(SchemaError, match=r"^The entity label 'person' takes \d+ pieces with its"):
        model.extract(TEXT, schema)
