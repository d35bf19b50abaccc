"""Exports of doccano: labels of text, relations, categories, and places in UTF-16 units."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.formats import Format, format_of, read_any, read_each
from onepass.corpus.utf16 import Utf16Text
from onepass.errors import InputError

TEXT = "Ann runs Acme."
ANN, ACME = (0, 3), (9, 13)


def lines(path: Path, *rows: object) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def errors(path: Path) -> list[str | None]:
    """Return the error of every row, None for one that can be read."""
    return [str(found) if isinstance(found, InputError) else None for _, found in read_each(path)]


def entity(number: int, place: tuple[int, int], label: str) -> dict[str, Any]:
    return {"id": number, "label": label, "start_offset": place[0], "end_offset": place[1]}


def relation(head: object, tail: object, kind: str = "runs") -> dict[str, Any]:
    return {"id": 7, "from_id": head, "to_id": tail, "type": kind}


LABELLED = {"id": 1, "text": TEXT, "label": [[*ANN, "PER"], [*ACME, "ORG"]], "Comments": ["hm"]}
EMPTY = {"id": 2, "text": "No.", "label": [], "Comments": []}


@pytest.mark.parametrize("rows", [(LABELLED, EMPTY), (EMPTY, LABELLED)])
def test_labels_of_text(tmp_path: Path, rows: tuple[dict[str, Any], ...]):
    path = lines(tmp_path / "all.jsonl", *rows)
    assert format_of(path) is Format.DOCCANO
    examples = {example.text: example for example in read_any(path)}
    assert examples == {
        TEXT: Example(TEXT, (Mention(*ANN, "PER"), Mention(*ACME, "ORG")), ("ORG", "PER")),
        "No.": Example("No.", asked=("ORG", "PER")),
    }


RELATED = {
    "id": 1,
    "text": TEXT,
    "lang": "en",
    "entities": [entity(4, ANN, "PER"), entity(5, ACME, "ORG")],
    "relations": [relation(4, 5)],
}
UNRELATED = {"id": 2, "text": "No.", "entities": [], "relations": []}


@pytest.mark.parametrize("more", [{}, {"Comments": []}])
def test_relations(tmp_path: Path, more: dict[str, Any]):
    path = lines(tmp_path / "all.jsonl", {**UNRELATED, **more}, {**RELATED, **more})
    assert format_of(path) is Format.DOCCANO
    empty, full = read_any(path)
    assert empty == Example("No.", asked=("ORG", "PER"), asked_relations=("runs",))
    assert full.relations == (GoldRelation("runs", ANN, ACME),)
    assert full.entities == (Mention(*ANN, "PER"), Mention(*ACME, "ORG"))


def test_categories_beside_labels(tmp_path: Path):
    rows = [
        {"id": 1, "text": "Fly to Oslo", "cats": ["book"], "entities": [[7, 11, "city"]]},
        {"id": 2, "text": "Bye", "cats": ["end"], "entities": []},
    ]
    path = lines(tmp_path / "all.jsonl", *rows)
    first, second = read_any(path)
    assert first.entities == (Mention(7, 11, "city"),)
    assert first.classifications == (GoldTask("class", ("book", "end"), ("book",)),)
    assert second == Example(
        "Bye", asked=("city",), classifications=(GoldTask("class", ("book", "end"), ("end",)),)
    )
    lines(path, *rows, {"text": "Hm", "cats": [], "entities": []})
    assert all(example.classifications[0].multi_label for example in read_any(path))
    lines(path, {"text": "Hm", "cats": [], "entities": []})
    assert list(read_any(path)) == [Example("Hm")]


def test_categories_alone_are_a_text_and_its_labels(tmp_path: Path):
    rows = [
        {"id": 1, "text": "Hm", "label": [], "Comments": []},
        {"id": 2, "text": "Great.", "label": ["good"], "Comments": []},
    ]
    path = lines(tmp_path / "all.jsonl", *rows)
    assert format_of(path) is Format.LABELED
    assert [one.classifications[0].true for one in read_any(path)] == [(), ("good",)]


def test_places_count_utf_16_units_but_for_the_first_versions(tmp_path: Path):
    text = "\U0001f692 Ann left"
    (new,) = read_any(lines(tmp_path / "a.jsonl", {"text": text, "label": [[3, 6, "PER"]]}))
    (old,) = read_any(lines(tmp_path / "a.jsonl", {"text": text, "labels": [[2, 5, "PER"]]}))
    assert [text[m.start : m.end] for m in (*new.entities, *old.entities)] == ["Ann", "Ann"]


def test_a_half_of_a_character_shows_that_places_count_something_else(tmp_path: Path):
    row = {"text": "\U0001f692 Ann left", "label": [[0, 1, "THING"]]}
    (error,) = errors(lines(tmp_path / "a.jsonl", row))
    assert error is not None
    assert "the label at 0 to 1 begins or ends within a character that counts as two" in error


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({"label": [[0, 2]]}, "an item of label must be [start, end, label], but [0, 2] is not"),
        ({"label": ["PER"]}, "an item of label must be a list, but 'PER'"),
        ({"label": "PER"}, "label must be a list, but 'PER'"),
        ({"label": [["0", 2, "PER"]]}, "must be integers, but '0' and 2 were given"),
        ({"label": [[2, 2, "PER"]]}, "must have 0 <= start < end"),
        ({"label": [[-1, 2, "PER"]]}, "must have 0 <= start < end"),
        ({"label": [[0, 3, "PER"]]}, "lies outside the text of 2 characters"),
        ({"label": [[0, 2, 7]]}, "the label of an entity must be a string, but 7"),
        ({"label": [[0, 2, "\ud800"]]}, "the label of an entity"),
        ({"label": [{"label": "PER", "start_offset": 0}]}, "needs the key 'end_offset'"),
        ({"label": [{"start_offset": 0, "end_offset": 2}]}, "needs the key 'label'"),
        ({"text": 3, "label": []}, "text must be a string, but 3"),
        ({"cats": "x"}, "cats must be a list, but 'x'"),
        ({"cats": ["x", "x"]}, "'x' was given twice"),
        ({"relations": [3]}, "an item of relations must be an object"),
    ],
)
def test_a_wrong_row_spoils_no_other(tmp_path: Path, bad: dict[str, Any], message: str):
    path = lines(tmp_path / "all.jsonl", LABELLED, {"id": 3, "text": "Bo", **bad}, LABELLED)
    before, error, behind = errors(path)
    assert (before, behind) == (None, None)
    assert error is not None
    assert error.startswith(f"{path}, line 2: ")
    assert message in error


@pytest.mark.parametrize(
    ("relations", "message"),
    [
        ([relation(4, 9)], "a relation names 9, which is no id of an entity"),
        ([relation([], 5)], "the from_id of a relation must be a string or an integer, but []"),
        ([{"from_id": 4, "type": "runs"}], "a relation needs the key 'to_id'"),
        ([{"from_id": 4, "to_id": 5}], "a relation needs the key 'type'"),
        ([relation(4, 5, "")], "a relation type must not be empty"),
    ],
)
def test_a_wrong_relation_spoils_no_other_row(tmp_path: Path, relations: list[Any], message: str):
    path = lines(tmp_path / "all.jsonl", RELATED, {**RELATED, "relations": relations}, RELATED)
    before, error, behind = errors(path)
    assert (before, behind) == (None, None)
    assert error is not None
    assert message in error


def test_two_entities_of_one_id(tmp_path: Path):
    row = {**RELATED, "entities": [entity(4, ANN, "PER"), entity(4, ACME, "ORG")]}
    (error,) = errors(lines(tmp_path / "all.jsonl", row))
    assert error is not None
    assert "two entities at different places have the id 4" in error


def test_a_row_in_which_nothing_could_be_labelled_asks_nothing(tmp_path: Path):
    _, bare = read_any(lines(tmp_path / "all.jsonl", LABELLED, {"id": 9, "text": "Hm"}))
    assert bare == Example("Hm")


def test_what_is_wrong_behind_a_row_without_labels_is_said_there(tmp_path: Path):
    path = lines(tmp_path / "all.jsonl", UNRELATED, {**RELATED, "relations": "x"})
    first, second = errors(path)
    assert first is not None  # no row of the file tells that it is of doccano
    assert "the row has the unknown key 'id'" in first
    assert second is not None
    assert second.startswith(f"{path}, line 2: ")


@given(st.text(max_size=6), st.integers(0, 14))
def test_units_are_characters_as_far_as_they_are_whole(text: str, units: int):
    starts = [
        len(text[:end].encode("utf-16-le", "surrogatepass")) // 2 for end in range(len(text) + 1)
    ]
    counted = Utf16Text(text)
    assert [counted.characters(start) for start in starts] == list(range(len(text) + 1))
    assert counted.splits(units) == (units < starts[-1] and units not in starts)
