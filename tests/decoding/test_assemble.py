"""Findings of several windows and prompts become one extraction with characters for words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from onepass import Schema
from onepass.decoding.assemble import Choice, assemble
from onepass.decoding.candidates import Candidates, ChoiceFind, RecordFind, RelationFind, SpanFind
from onepass.decoding.findings import Findings, WindowFindings
from onepass.decoding.overlap import Policy
from onepass.results.types import Coverage, Extraction, LabelScore, Value
from onepass.schema.types import Field, Structure
from onepass.text.windows import Window
from onepass.text.words import split_words

# words: Tim Cook runs Apple , in Paris and Rome .
TEXT = "Tim Cook runs Apple, in Paris\u0301 and Rome."
WORDS = split_words(TEXT)
WHOLE = Window(0, 10)
LEFT, RIGHT = Window(0, 6), Window(3, 10)
COVERAGE = Coverage(len(TEXT), len(TEXT), 1, False)
ALL = np.zeros(3, dtype=np.float32)

Row = tuple[int, int, float, int]
Part = tuple[Window, Sequence[Findings]]


def entities(*rows: Row) -> Findings:
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    return Findings(Candidates(table[:, 0], table[:, 1], table[:, 2], table[:, 3]))


def put(
    schema: Schema, parts: Sequence[Part], *, overlap: Policy = "flat", **choice: object
) -> Extraction:
    thresholds = choice.pop("thresholds", (ALL,) * len(schema.classification_tasks))
    return assemble(
        WORDS,
        schema,
        [WindowFindings(window, tuple(findings)) for window, findings in parts],
        Choice(overlap, thresholds, **choice),  # type: ignore[arg-type]
        COVERAGE,
    )


def found(doc: Extraction) -> list[tuple[str, str, float]]:
    return [(entity.label, entity.text, entity.score) for entity in doc.entities]


ENTITIES = Schema().entities(["person", "company", "capital"])


def test_words_become_characters() -> None:
    doc = put(ENTITIES, [(WHOLE, [entities((0, 2, 0.9, 0), (6, 7, 0.8, 2))])])
    assert found(doc) == [("person", "Tim Cook", 0.9), ("capital", "Paris\u0301", 0.8)]
    assert [(e.start, e.end) for e in doc.entities] == [(0, 8), (24, 30)]
    assert doc.coverage == COVERAGE


def test_positions_belong_to_their_window() -> None:
    doc = put(ENTITIES, [(LEFT, [entities((0, 2, 0.9, 0))]), (RIGHT, [entities((3, 4, 0.8, 2))])])
    assert found(doc) == [("person", "Tim Cook", 0.9), ("capital", "Paris\u0301", 0.8)]


def test_what_two_windows_see_is_one() -> None:
    parts = [(LEFT, [entities((3, 4, 0.6, 1))]), (RIGHT, [entities((0, 1, 0.9, 1))])]
    for overlap in ("flat", "label", "nested", "all"):
        doc = put(ENTITIES, parts, overlap=overlap)  # type: ignore[arg-type]
        assert found(doc) == [("company", "Apple", 0.9)]


def named(*rows: tuple[Row, tuple[tuple[str, float], ...]], labels: bool = False) -> Findings:
    """Return entities with their names, which are labels or stand beside them."""
    return Findings(
        entities(*(row for row, _ in rows)).entities,
        names=tuple(names for _, names in rows),
        names_are_labels=labels,
    )


def test_the_surest_window_names_an_entity() -> None:
    left = named(((3, 4, 0.6, 1), (("firm", 0.9),)), ((0, 2, 0.8, 0), (("boss", 0.5),)))
    right = named(((0, 1, 0.9, 1), (("maker", 0.5), ("fruit", 0.25))))
    for parts in ([(LEFT, [left]), (RIGHT, [right])], [(RIGHT, [right]), (LEFT, [left])]):
        doc = put(ENTITIES, parts)
        assert found(doc) == [("person", "Tim Cook", 0.8), ("company", "Apple", 0.9)]
        names = [[(name.label, name.score) for name in entity.names] for entity in doc.entities]
        assert names == [[("boss", 0.5)], [("maker", 0.5), ("fruit", 0.25)]]
    assert put(ENTITIES, [(RIGHT, [entities((0, 1, 0.9, 1))])]).entities[0].names == ()


def test_names_become_labels_before_anything_is_merged() -> None:
    left = named(
        ((3, 4, 0.6, 0), (("maker", 0.9),)),
        ((3, 4, 0.8, 2), (("maker", 0.7),)),
        ((0, 2, 0.5, 1), ()),
        labels=True,
    )
    right = named(((0, 1, 0.7, 0), (("firm", 0.5),)), labels=True)
    parts = [(LEFT, [left]), (RIGHT, [right])]
    doc = put(ENTITIES, parts, overlap="all")
    assert found(doc) == [
        ("company", "Tim Cook", 0.5), ("maker", "Apple", 0.8), ("firm", "Apple", 0.7)
    ]  # fmt: skip
    assert doc.entities[1].names == (LabelScore("maker", 0.7),)
    assert found(put(ENTITIES, parts)) == found(doc)[:2]


def test_labels_of_several_prompts_stand_together() -> None:
    doc = put(
        ENTITIES,
        [(WHOLE, [entities((0, 2, 0.9, 0)), entities((3, 4, 0.8, 1)), entities((0, 1, 0.99, 2))])],
        overlap="nested",
    )
    assert [label for label, _, _ in found(doc)] == ["capital", "person", "company"]


def test_the_specific_label_stands_for_a_place() -> None:
    rows = entities((6, 7, 0.9, 0), (6, 7, 0.88, 2))
    assert found(put(ENTITIES, [(WHOLE, [rows])])) == [("capital", "Paris\u0301", 0.88)]
    assert len(found(put(ENTITIES, [(WHOLE, [rows])], overlap="label"))) == 2


# -- classes -------------------------------------------------------------------------------------

CLASSES = Schema().classification("tone", ["calm", "angry", "sad"])
SEVERAL = Schema().classification("color", ["red", "blue", "green"], multi_label=True)


def classes(items: tuple[int, ...], *logits: float, task: int = 0) -> Findings:
    return Findings(classes={(task, items): np.array(logits, dtype=np.float32)})


def test_one_label_wins() -> None:
    answer = put(CLASSES, [(WHOLE, [classes((0, 1, 2), 0.0, 2.0, 1.0)])]).classifications["tone"]
    assert [one.label for one in answer.labels] == ["angry"]
    assert sum(answer.scores.values()) == pytest.approx(1.0)
    assert list(answer.scores) == ["calm", "angry", "sad"]


def test_one_label_must_reach_a_floor_that_was_asked_for() -> None:
    floor = np.full(3, 0.9, dtype=np.float32)
    parts = [(WHOLE, [classes((0, 1, 2), 0.0, 2.0, 1.0)])]
    answer = put(CLASSES, parts, thresholds=(floor,)).classifications["tone"]
    assert answer.labels == ()
    assert answer.scores["angry"] == pytest.approx(0.665, abs=1e-3)


def test_the_labels_of_a_task_may_be_spread_over_prompts() -> None:
    spread = [classes((2,), 1.0), classes((0, 1), 0.0, 2.0)]
    one = put(CLASSES, [(WHOLE, spread)]).classifications["tone"]
    whole = put(CLASSES, [(WHOLE, [classes((0, 1, 2), 0.0, 2.0, 1.0)])]).classifications["tone"]
    assert one == whole


def test_several_labels_may_hold_or_none() -> None:
    half = np.full(3, 0.5, dtype=np.float32)
    parts = [(WHOLE, [classes((0, 1, 2), 0.0, 2.0, -1.0)])]
    answer = put(SEVERAL, parts, thresholds=(half,)).classifications["color"]
    assert [one.label for one in answer.labels] == ["blue", "red"]  # best first, 0.5 is enough
    parts = [(WHOLE, [classes((0, 1, 2), -1.0, -2.0, -1.5)])]
    answer = put(SEVERAL, parts, thresholds=(half,)).classifications["color"]
    assert answer.labels == ()
    assert max(answer.scores.values()) == pytest.approx(0.269, abs=1e-3)


def test_windows_vote_by_length_or_by_their_best() -> None:
    parts = [(LEFT, [classes((0, 1, 2), 9, -9, -9)]), (RIGHT, [classes((0, 1, 2), -9, 9, -9)])]
    answer = put(CLASSES, parts).classifications["tone"]
    (chosen,) = answer.labels
    assert chosen.label == "angry"
    assert chosen.score == pytest.approx(7 / 13, abs=1e-4)
    half = np.full(3, 0.5, dtype=np.float32)
    answer = put(SEVERAL, parts, thresholds=(half,)).classifications["color"]
    assert {one.label for one in answer.labels} == {"red", "blue"}


def test_class_logits_are_calibrated() -> None:
    parts = [(WHOLE, [classes((0, 1, 2), 0.0, 2.0, 1.0)])]
    scores = put(SEVERAL, parts, class_scale=(2.0, -1.0)).classifications["color"].scores
    assert scores["blue"] == pytest.approx(1 / (1 + np.exp(-3.0)))
    flat = put(CLASSES, parts, single_scale=0.0).classifications["tone"].scores
    assert list(flat.values()) == pytest.approx([1 / 3] * 3)


@pytest.mark.filterwarnings("error")
def test_extreme_logits() -> None:
    parts = [(WHOLE, [classes((0, 1, 2), 1e4, -1e4, 0.0)])]
    assert put(CLASSES, parts).classifications["tone"].scores["calm"] == 1.0
    assert put(SEVERAL, parts).classifications["color"].scores["blue"] == 0.0


# -- records and relations -----------------------------------------------------------------------

RECORDS = Schema().structure("firm", ["name::str", "places", "size::[small|large]::str"])
NAME, PLACES, SIZE = SpanFind(3, 4, 0.9), SpanFind(6, 7, 0.8), ChoiceFind(1, 0.7)


def records(*rows: RecordFind) -> Findings:
    return Findings(records={0: rows})


def test_records_hold_every_field_in_its_shape() -> None:
    doc = put(RECORDS, [(WHOLE, [records(RecordFind(((NAME,), (PLACES,), (SIZE,))))])])
    assert doc.records["firm"] == (
        {
            "name": Value("Apple", 14, 19, 0.9),
            "places": (Value("Paris\u0301", 24, 30, 0.8),),
            "size": Value("large", None, None, 0.7),  # a choice stands nowhere
        },
    )
    doc = put(RECORDS, [(WHOLE, [records(RecordFind(((), (PLACES,), ())))])])
    (record,) = doc.records["firm"]
    assert (record["name"], record["size"]) == (None, None)
    assert put(RECORDS, [(WHOLE, [Findings()])]).records == {"firm": ()}


def test_the_fields_of_a_record_may_be_spread_over_prompts() -> None:
    spread = [
        records(RecordFind(((NAME,), (), ()))),
        records(RecordFind(((), (PLACES,), ())), RecordFind(((), (PLACES,), (SIZE,)))),
    ]
    first, second = put(RECORDS, [(WHOLE, spread)]).records["firm"]
    assert isinstance(first["name"], Value)
    assert first["places"]
    assert second["name"] is None
    assert isinstance(second["size"], Value)


def test_a_record_of_two_windows_is_one() -> None:
    left = records(RecordFind(((NAME,), (), ())))
    right = records(RecordFind(((SpanFind(0, 1, 0.5),), (SpanFind(3, 4, 0.8),), ())))
    (record,) = put(RECORDS, [(LEFT, [left]), (RIGHT, [right])]).records["firm"]
    assert record["places"] == (Value("Paris\u0301", 24, 30, 0.8),)


def test_equal_records_of_one_window_stay() -> None:
    """One window may speak of two things in the same words: nothing is known of repetition."""
    same = RecordFind(((), (), (SIZE,)))
    assert len(put(RECORDS, [(WHOLE, [records(same, same)])]).records["firm"]) == 2


def test_structures_are_named_in_the_order_of_the_schema() -> None:
    schema = Schema().structure("b", ["x"]).structure("a", ["x"])
    doc = put(schema, [(WHOLE, [Findings(records={1: (RecordFind(((NAME,),)),)})])])
    assert list(doc.records) == ["b", "a"]
    assert [len(rows) for rows in doc.records.values()] == [0, 1]
    assert Structure("b", (Field("x"),)) == schema.structures[0]


def test_relations_point_at_characters_once() -> None:
    schema = Schema().relations(["runs", "in"])
    pair = RelationFind(0, SpanFind(0, 2, 0.9), SpanFind(3, 4, 0.8), 0.8)
    again = RelationFind(0, SpanFind(0, 2, 0.95), SpanFind(3, 4, 0.9), 0.9)
    other = RelationFind(1, SpanFind(0, 1, 0.7), SpanFind(3, 4, 0.6), 0.6)
    doc = put(
        schema,
        [
            (LEFT, [Findings(relations=(pair, again))]),  # two instances may name the same pair
            (RIGHT, [Findings(relations=(other,))]),
        ],
    )
    first, second = doc.relations
    assert (first.type, first.head.text, first.tail.text, first.score) == (
        "runs", "Tim Cook", "Apple", 0.9,
    )  # fmt: skip
    assert (second.type, second.head.text, second.tail.text) == ("in", "Apple", "Paris\u0301")


@pytest.mark.parametrize("rules", [{}, {"max_tails": 1}])
def test_whatever_ends_with_a_link_ends_where_the_link_does(rules: dict[str, int]) -> None:
    text = "Docs (https://y.org/z), https://x.org."  # four words
    schema = Schema().entities(["page"]).relations({"next": rules}).structure("site", ["link"])
    found = Findings(
        Candidates([0, 3], [3, 4], [0.9, 0.8], [0, 0]),
        relations=(RelationFind(0, SpanFind(2, 3, 0.9), SpanFind(3, 4, 0.8), 0.8),),
        records={0: (RecordFind(((SpanFind(2, 3, 0.9),),)),)},
    )
    doc = assemble(
        split_words(text), schema, [WindowFindings(Window(0, 4), (found,))], Choice("flat", ()),
        Coverage(len(text), len(text), 1, False),
    )  # fmt: skip
    links = ["https://y.org/z", "https://x.org"]
    assert [(e.text, e.start, e.end) for e in doc.entities] == [
        (f"Docs ({links[0]}", 0, 21), (links[1], 24, 37)
    ]  # fmt: skip
    assert [(one.head.text, one.tail.text) for one in doc.relations] == [tuple(links)]
    (site,) = doc.records["site"]
    assert site["link"] == (Value(links[0], 6, 21, 0.9),)


def test_a_text_without_words() -> None:
    schema = ENTITIES.copy().relations(["in"]).structure("firm", ["name"])
    doc = assemble(
        split_words(" "),
        schema,
        [WindowFindings(Window(0, 0), (Findings(),))],
        Choice("flat", ()),
        Coverage(1, 1, 1, False),
    )
    assert (doc.entities, doc.relations, doc.records) == ((), (), {"firm": ()})
