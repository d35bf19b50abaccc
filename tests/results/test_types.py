"""Results refuse bad states and survive every round trip."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from typing import Any, TypeVar

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.errors import InputError
from onepass.results.types import (
    Classification,
    Coverage,
    Entity,
    Extraction,
    LabelScore,
    Relation,
    Value,
)

T = TypeVar("T")

# Lone surrogates too; low ones, because JSON joins a high one with a low one that follows it.
letters = st.characters(codec="utf-8") | st.characters(min_codepoint=0xDC00, max_codepoint=0xDFFF)
scores = st.floats(0, 1)
names = st.text(min_size=1, max_size=8)


@st.composite
def extractions(draw: st.DrawFn) -> Extraction:
    """Any extraction over any text, overlapping entities and all."""
    text = draw(st.text(letters, max_size=40))

    def place() -> tuple[int, int]:
        first, last = sorted(draw(st.tuples(*[st.integers(0, len(text))] * 2)))
        return first, last

    def span() -> Value:
        first, last = place()
        return Value(text[first:last], first, last, draw(scores))

    def value() -> Value:
        return Value(draw(names), None, None, draw(scores)) if draw(st.booleans()) else span()

    def entity() -> Entity:
        first, last = place()
        return Entity(draw(names), text[first:last], first, last, draw(scores))

    def many(make: Callable[[], T], most: int = 3) -> tuple[T, ...]:
        return tuple(make() for _ in range(draw(st.integers(0, most))))

    def answer() -> Classification:
        every = draw(st.dictionaries(names, scores, max_size=4))
        chosen = [LabelScore(k, s) for k, s in every.items() if s >= 0.5]
        paths = draw(st.sampled_from([None, tuple((one.label,) for one in chosen)]))
        fit = draw(st.none() | scores)
        return Classification(tuple(sorted(chosen, key=lambda c: -c.score)), every, paths, fit)

    def field() -> Value | tuple[Value, ...] | None:
        return draw(st.sampled_from([lambda: None, value, lambda: many(value)]))()

    return Extraction(
        text,
        entities=many(entity, 6),
        classifications={draw(names): answer() for _ in range(draw(st.integers(0, 2)))},
        records={
            draw(names): many(lambda: {draw(names): field() for _ in range(2)})
            for _ in range(draw(st.integers(0, 2)))
        },
        relations=many(lambda: Relation(draw(names), span(), span(), draw(scores))),
        coverage=Coverage(len(text), draw(st.integers(0, len(text))), 1, draw(st.booleans())),
    )


TEXT = "Tim Cook sells the iPhone."
TIM = Value("Tim Cook", 0, 8, 0.9)
PHONE = Value("iPhone", 19, 25, 0.8)


def full() -> Extraction:
    return Extraction(
        TEXT,
        entities=(Entity("person", "Tim Cook", 0, 8, 0.97),),
        classifications={
            "sentiment": Classification(
                (LabelScore("positive", 0.91),), {"positive": 0.91, "negative": 0.05}
            )
        },
        records={
            "product": (
                {
                    "name": PHONE,
                    "colors": (),
                    "category": Value("electronics", None, None, 0.8),
                    "price": None,
                },
            )
        },
        relations=(Relation("sells", TIM, PHONE, 0.7),),
        coverage=Coverage(26, 26, 1, False),
    )


def test_dict_has_exactly_the_documented_shape() -> None:
    assert full().to_dict() == {
        "text": TEXT,
        "entities": [{"label": "person", "text": "Tim Cook", "start": 0, "end": 8, "score": 0.97}],
        "classifications": {
            "sentiment": {
                "labels": [{"label": "positive", "score": 0.91}],
                "scores": {"positive": 0.91, "negative": 0.05},
            }
        },
        "records": {
            "product": [
                {
                    "name": {"text": "iPhone", "start": 19, "end": 25, "score": 0.8},
                    "colors": [],
                    "category": {"text": "electronics", "start": None, "end": None, "score": 0.8},
                    "price": None,
                }
            ]
        },
        "relations": [
            {
                "type": "sells",
                "head": {"text": "Tim Cook", "start": 0, "end": 8, "score": 0.9},
                "tail": {"text": "iPhone", "start": 19, "end": 25, "score": 0.8},
                "score": 0.7,
            }
        ],
        "coverage": {"chars": 26, "chars_read": 26, "windows": 1, "truncated": False},
    }


def test_names_are_written_where_there_are_any() -> None:
    names = LabelScore("founder", 0.5), LabelScore("boss", 0.25)
    doc = Extraction(TEXT, (Entity("person", "Tim Cook", 0, 8, 0.97, names),))
    assert doc.to_dict()["entities"] == [
        {
            "label": "person",
            "text": "Tim Cook",
            "start": 0,
            "end": 8,
            "score": 0.97,
            "names": [{"label": "founder", "score": 0.5}, {"label": "boss", "score": 0.25}],
        }
    ]
    assert Extraction.from_dict(json.loads(doc.to_json())) == doc
    with pytest.raises(ValueError, match="'founder' must come before 'boss'"):
        Entity("person", "Tim Cook", 0, 8, 0.97, names[::-1])


def test_dict_keeps_its_order_and_its_shape_when_nothing_was_found() -> None:
    keys = ["text", "entities", "classifications", "records", "relations", "coverage"]
    assert list(full().to_dict()) == keys
    assert Extraction("").to_dict() == {
        "text": "",
        "entities": [],
        "classifications": {},
        "records": {},
        "relations": [],
        "coverage": {"chars": 0, "chars_read": 0, "windows": 0, "truncated": False},
    }


@given(extractions())
def test_every_extraction_survives_dict_json_pickle_and_copy(doc: Extraction) -> None:
    assert Extraction.from_dict(doc.to_dict()) == doc
    line = doc.to_json()
    line.encode("utf-8")
    assert "\n" not in line
    assert Extraction.from_dict(json.loads(line)) == doc
    assert pickle.loads(pickle.dumps(doc)) == doc
    assert copy.deepcopy(doc) == doc


def test_json_keeps_letters_and_indents() -> None:
    assert '"é"' in Extraction("é").to_json()
    assert Extraction("é").to_json(indent=2).startswith('{\n  "text"')


def test_numpy_numbers_become_python_numbers() -> None:
    entity = Entity("x", "a", np.int64(0), np.int32(1), np.float32(0.5))  # type: ignore[arg-type]
    value = Value("a", np.int64(0), np.int64(1), np.float32(0.25))  # type: ignore[arg-type]
    answer = Classification((), {"x": np.float32(0.5)})  # type: ignore[dict-item]
    cover = Coverage(np.int64(1), np.int64(1), np.int64(1), np.bool_(False))  # type: ignore[arg-type]
    assert {type(n) for n in (entity.start, entity.end, value.start, value.end)} == {int}
    assert {type(n) for n in (entity.score, value.score, answer.scores["x"])} == {float}
    assert (type(cover.chars), type(cover.truncated)) == (int, bool)
    json.loads(Extraction("a", (entity,), {"t": answer}, coverage=cover).to_json())


@pytest.mark.parametrize(("start", "end"), [(0, 7), (1, 9), (-8, 8), (0, 99), (18, 26), (26, 30)])
def test_an_entity_that_is_elsewhere_is_refused_by_name(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="Tim Cook"):
        Extraction(TEXT, entities=(Entity("person", "Tim Cook", start, end, 0.9),))


def test_an_end_past_the_text_is_refused_although_python_would_slice_it() -> None:
    with pytest.raises(ValueError, match="'Cook'"):
        Extraction("Tim Cook", entities=(Entity("person", "Cook", 4, 99, 0.9),))


@pytest.mark.parametrize(
    "found",
    [
        {"records": {"product": ({"name": Value("Galaxy", 19, 25, 0.5)},)}},
        {"records": {"product": ({"name": (PHONE, Value("Galaxy", 19, 25, 0.5))},)}},
        {"relations": (Relation("sells", Value("Galaxy", 19, 25, 0.5), TIM, 0.5),)},
        {"relations": (Relation("sells", TIM, Value("Galaxy", 19, 25, 0.5), 0.5),)},
    ],
)
def test_any_value_that_is_elsewhere_is_refused_by_name(found: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"'Galaxy'.*19:25.*'iPhone'"):
        Extraction(TEXT, **found)  # type: ignore[arg-type]


@pytest.mark.parametrize("score", [-0.01, 1.01, float("nan"), float("inf"), -float("inf"), 10**400])
def test_scores_outside_0_to_1_are_refused(score: float) -> None:
    for make in (
        lambda: Value("iPad", None, None, score),
        lambda: Entity("iPad", "iPad", 0, 4, score),
        lambda: LabelScore("iPad", score),
        lambda: Classification((), {"iPad": score}),
        lambda: Relation("iPad", TIM, PHONE, score),
    ):
        with pytest.raises(ValueError, match="iPad"):
            make()


@pytest.mark.parametrize(("start", "end"), [(None, 3), (3, None), (5, 3), (-1, 3)])
def test_broken_offsets_are_refused(start: int | None, end: int | None) -> None:
    with pytest.raises(ValueError, match="iPad"):
        Value("iPad", start, end, 0.5)


@pytest.mark.parametrize("make", [partial(Entity, "x"), Value])
@pytest.mark.parametrize("text", ["iPad", "iPhone 15", ""])
def test_a_text_that_is_longer_or_shorter_than_its_place_is_refused(
    make: Callable[[str, int, int, float], object], text: str
) -> None:
    with pytest.raises(ValueError, match=rf"19:25 of .*'{text}' hold 6 characters, but its text"):
        make(text, 19, 25, 0.5)


def test_empty_names_are_refused() -> None:
    with pytest.raises(ValueError, match="'label' must be the name of something, but it is empty"):
        Entity("", "Tim Cook", 0, 8, 0.5)
    with pytest.raises(ValueError, match="'type' must be the name of something, but it is empty"):
        Relation("", TIM, PHONE, 0.5)


@pytest.mark.parametrize(
    ("end", "said"),
    [
        ("Tim Cook", "must be a Value, but 'Tim Cook' was given"),
        (None, "must be a Value, but None was given"),
        (Value("Tim Cook", None, None, 0.5), "must have offsets, but 'Tim Cook' has none"),
    ],
)
def test_a_relation_joins_spans(end: Any, said: str) -> None:
    with pytest.raises(ValueError, match=f"The head of the relation 'sells' {said}"):
        Relation("sells", end, PHONE, 0.5)
    with pytest.raises(ValueError, match=f"The tail of the relation 'sells' {said}"):
        Relation("sells", TIM, end, 0.5)


def test_a_classification_is_consistent() -> None:
    with pytest.raises(ValueError, match="'b'"):
        Classification((LabelScore("b", 0.9),), {"a": 0.9})
    with pytest.raises(ValueError, match="'b'"):
        Classification((LabelScore("a", 0.6), LabelScore("b", 0.9)), {"a": 0.6, "b": 0.9})


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"entities": ({"label": "x"},)}, "An item of 'entities' must be of the class Entity"),
        ({"entities": "ab"}, "An item of 'entities' must be of the class Entity, but 'a'"),
        ({"relations": (TIM,)}, "An item of 'relations' must be of the class Relation"),
        ({"classifications": {"tone": {"labels": []}}}, "The classification 'tone' must be of"),
        ({"records": {"product": ({"name": "iPad"},)}}, "A value of 'name' must be of the class"),
        ({"records": {"product": ({"name": ["iPad"]},)}}, "A value of 'name' must be of the class"),
        ({"records": {"product": {"name": None}}}, "A record of 'product' must be an object"),
        ({"coverage": None}, "'coverage' must be of the class Coverage, but None"),
    ],
)
def test_parts_of_another_type_are_refused(given: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        Extraction(TEXT, **given)


def test_labels_of_another_type_are_refused() -> None:
    with pytest.raises(ValueError, match="An item of 'labels' must be of the class LabelScore"):
        Classification(("calm",), {"calm": 0.5})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="An item of 'names' must be of the class LabelScore"):
        Entity("person", "Tim Cook", 0, 8, 0.5, names=("boss",))  # type: ignore[arg-type]


@pytest.mark.parametrize("counts", [(3, 4, 1), (3, -1, 1), (3, 3, -1)])
def test_coverage_is_consistent(counts: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="Coverage"):
        Coverage(*counts, False)
    with pytest.raises(ValueError, match="5 characters in a text of 3"):
        Extraction("abc", coverage=Coverage(5, 3, 1, True))
    with pytest.raises(ValueError, match="99 characters in a text of 3"):
        Extraction("abc", coverage=Coverage(99, 0, 0, True))
    with pytest.raises(ValueError, match="needs a window if characters were read"):
        Coverage(3, 3, 0, False)


def test_results_cannot_be_changed() -> None:
    doc = full()
    with pytest.raises(TypeError):
        doc.records["product"][0]["name"] = None  # type: ignore[index]
    with pytest.raises(TypeError):
        doc.classifications["sentiment"].scores["positive"] = 1  # type: ignore[index]
    with pytest.raises(AttributeError):
        doc.text = ""  # type: ignore[misc]


@given(extractions())
def test_equal_results_hash_equal_and_are_taken_apart(doc: Extraction) -> None:
    same = Extraction.from_dict(doc.to_dict())
    turned = Extraction(
        doc.text,
        doc.entities,
        dict(reversed(doc.classifications.items())),
        dict(reversed(doc.records.items())),
        doc.relations,
        doc.coverage,
    )
    assert {doc, same, turned} == {doc}
    parts = asdict(doc)
    assert Extraction.from_dict(parts) == doc
    json.dumps(parts)


def test_read_only_mappings_can_be_stored_and_refuse_every_change() -> None:
    record = full().records["product"][0]
    assert copy.deepcopy(record) == pickle.loads(pickle.dumps(record)) == record
    changed: Any = record
    for change in (
        lambda: changed.update(name=None),
        lambda: changed.pop("name"),
        lambda: changed.popitem(),
        lambda: changed.clear(),
        lambda: changed.setdefault("more", None),
        lambda: changed.__delitem__("name"),
        lambda: changed.__ior__({"more": None}),
    ):
        with pytest.raises(TypeError, match="cannot be changed; change what to_dict"):
            change()
    assert record == full().records["product"][0]


def test_later_changes_of_what_was_given_do_not_reach_in() -> None:
    record = {"name": [PHONE]}
    doc = Extraction(TEXT, records={"product": [record]})  # type: ignore[dict-item, list-item]
    record["name"].clear()
    record.clear()
    assert doc.records["product"][0]["name"] == (PHONE,)


def test_entities_by_label_keeps_the_order_of_the_text() -> None:
    found = (Entity("b", "x", 0, 1, 0.5), Entity("a", "y", 1, 2, 0.5), Entity("b", "z", 2, 3, 0.5))
    groups = Extraction("xyz", entities=found).entities_by_label()
    assert groups == {"b": (found[0], found[2]), "a": (found[1],)}
    assert list(groups) == ["b", "a"]


MOVED = {"text": "b", "start": 0, "end": 1, "score": 1}
HERE = {**MOVED, "text": "a", "label": "x"}
ALL = {"chars": 1, "chars_read": 1, "windows": 1, "truncated": False}


@pytest.mark.parametrize(
    ("stored", "named"),
    [
        ({}, "'text'"),
        ({"text": "a", "entities": [{"label": "x"}]}, "'text'"),
        ({"text": "a", "entities": [{**MOVED, "label": "x"}]}, "'b'"),
        ({"text": "a", "records": {"x": [{"y": [MOVED]}]}}, "'b'"),
        ({"text": "a", "entities": 3}, "'entities' must be a list, but 3"),
        ({"text": "a", "entities": {}}, "'entities' must be a list, but {}"),
        ({"text": "a", "relations": ""}, "'relations' must be a list, but ''"),
        ({"text": "a", "records": {"x": {}}}, "The records 'x' must be a list, but {}"),
        ({"text": "a", "records": {"x": [{3: None}]}}, "of a field must be a string, but 3"),
        ({"text": "a", "records": {3: []}}, "of a structure must be a string, but 3"),
        ({"text": "a", "entities": [{**HERE, "score": "0.5"}]}, "must be a number, but '0.5'"),
        ({"text": "a", "entities": [{**HERE, "score": True}]}, "must be a number, but True"),
        ({"text": "a", "entities": [{**HERE, "score": None}]}, "must be a number, but None"),
        ({"text": "a", "entities": [{**HERE, "start": False}]}, "a whole number, but False"),
        ({"text": "a", "entities": [{**HERE, "end": "1"}]}, "a whole number, but '1'"),
        ({"text": "a", "entities": [{**HERE, "names": {}}]}, "'names' must be a list, but {}"),
        ({"text": "a", "coverage": {**ALL, "truncated": "false"}}, "true or false, but 'false'"),
        ({"text": "a", "coverage": {**ALL, "truncated": None}}, "true or false, but None"),
        ({"text": "a", "coverage": {**ALL, "chars": 1.0}}, "'chars' of coverage must be a whole"),
        ({"text": "a", "coverage": {**ALL, "windows": True}}, "'windows' of coverage must be a"),
        ({"text": "a", "coverage": {**ALL, "windows": 0}}, "needs a window"),
        ({"text": "a", "relations": [], "coverage": {"chars": 1}}, "no key 'chars_read'; was it c"),
        ({"text": "a", "entities": [{"label": "x"}]}, "or a part of it, has no key 'text'"),
        ({"text": "a", "coverage": 3}, "'coverage' must be an object, but 3"),
        ({"text": "a", "entities": ["x"]}, "An item of 'entities' must be an object, but 'x'"),
        ({"text": "a", "relations": [5]}, "An item of 'relations' must be an object, but 5"),
        ({"text": "a", "relations": [{"type": "x", "head": 3, "tail": 3}]},
         "'head' must be an object, but 3"),
        ({"text": "a", "records": {"x": [{"y": 5}]}}, "The value of 'y' must be an object, but 5"),
        ({"text": "a", "records": {"x": [{"y": [5]}]}}, "A value of 'y' must be an object, but 5"),
        ({"text": "a", "records": {"x": [5]}}, "A record of 'x' must be an object, but 5"),
        ({"text": "a", "classifications": []}, "'classifications' must be an object, but "),
        ({"text": "a", "classifications": {"x": 5}}, "The classification 'x' must be an object"),
        ({"text": "a", "classifications": {"x": {"labels": ["y"], "scores": {}}}},
         "An item of 'labels' must be an object, but 'y'"),
        ({"text": "a", "classifications": {"x": {"labels": [], "scores": 3}}},
         "'scores' must be an object, but "),
        ({"text": "a", "classifications": {"x": {"labels": [], "scores": [3]}}},
         "An item of 'scores' must be a label and its score, but 3"),
        ({"text": 3}, "'text' must be a string, but 3"),
        ({"text": "a", "entities": [{**MOVED, "label": 3}]}, "'label' must be a string, but 3"),
        ({"text": "a", "records": []}, "'records' must be an object, but "),
    ],
)  # fmt: skip
def test_a_broken_stored_result_is_an_input_error(stored: dict[str, object], named: str) -> None:
    with pytest.raises(InputError, match=named):
        Extraction.from_dict(stored)


def test_a_row_of_a_file_of_results_is_no_extraction() -> None:
    row = {"id": 1, "text": "a", "extraction": full().to_dict()}
    with pytest.raises(InputError, match=r"a row of a file of results was given; give row\["):
        Extraction.from_dict(row)
    with pytest.raises(InputError, match="a str was given; of JSON text give json"):
        Extraction.from_dict(full().to_json())  # type: ignore[arg-type]


def test_what_is_null_in_a_stored_result_is_empty() -> None:
    stored: dict[str, object] = {
        "text": "a", "entities": [{**HERE, "names": None}], "relations": None,
        "classifications": {"y": None}, "records": {"z": None}, "coverage": None,
    }  # fmt: skip
    assert Extraction.from_dict(stored) == Extraction("a", (Entity("x", "a", 0, 1, 1.0),))


def test_a_notebook_gets_a_fragment() -> None:
    shown = full()._repr_html_()
    assert shown.startswith("<div")
    assert "<body" not in shown
