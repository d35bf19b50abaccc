"""Records in records are scored under one alignment from the top down."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.corpus.example import Example, GoldField, GoldStructure, GoldValue
from onepass.evaluation.nested import NestedScorer, Tree, tree_of_gold, tree_of_node, tree_of_record
from onepass.evaluation.records import RecordScorer
from onepass.results.types import Extraction, Value
from onepass.schema.json_model import shape_of_json
from onepass.typed.link import link

FIELDS = ("a", "b", "c")
ROWS = st.lists(st.dictionaries(st.sampled_from(FIELDS), st.sampled_from("xyz")), max_size=4)


def leaf(**values: str) -> Tree:
    return Tree(frozenset(values.items()))


def order(number: str, *items: Tree) -> Tree:
    return Tree(frozenset({("number", number)}), (("items", items),))


def scored(found: list[Tree], wanted: list[Tree]) -> NestedScorer:
    scorer = NestedScorer()
    scorer.add(found, wanted)
    return scorer


@settings(max_examples=50, deadline=None)
@given(ROWS, ROWS)
def test_one_level_is_the_score_of_records(found: list[dict], wanted: list[dict]):
    fields = tuple(map(GoldField, FIELDS))
    gold = tuple({name: (GoldValue(text=word),) for name, word in row.items()} for row in wanted)
    rows = tuple({name: (Value(word, None, None, 0.9),) for name, word in r.items()} for r in found)
    flat = RecordScorer()
    flat.add(
        Extraction("", records={"kind": rows}),
        Example("", structures=(GoldStructure("kind", fields, gold),)),
    )
    scorer = scored([tree_of_record(row) for row in rows], [leaf(**row) for row in wanted])
    assert scorer.total().values.triple() == flat.counts()["f1"]
    for name in ("record_f1", "count_accuracy"):
        assert scorer.scores()[name] == flat.scores()[name]


@settings(max_examples=40, deadline=None)
@given(st.lists(ROWS, max_size=3), st.lists(ROWS, max_size=3))
def test_counts_stay_in_bounds_and_a_copy_is_right(found: list, wanted: list):
    one = [order(str(i), *(leaf(**row) for row in rows)) for i, rows in enumerate(found)]
    other = [order(str(i), *(leaf(**row) for row in rows)) for i, rows in enumerate(wanted)]
    for level in scored(one, other).levels.values():
        for counts in (level.values, level.records):
            assert 0 <= counts.right <= min(counts.predicted, counts.gold)
        assert level.same_number <= level.asked
    same = scored(other, list(reversed(other)))
    if other:
        assert same.scores()["f1"] == same.scores()["record_f1"] == 1
    assert same.scores()["count_accuracy"] == 1


def test_a_child_under_the_wrong_parent_is_wrong():
    lamp, desk = leaf(what="lamp"), leaf(what="desk")
    scorer = scored([order("1", lamp, desk), order("2")], [order("1", lamp), order("2", desk)])
    first, second = scorer.level_scores().values()
    assert first["f1"] == 1
    assert (second["precision"], second["recall"]) == (0.5, 0.5)
    assert second["count_accuracy"] == 0


def test_the_alignment_looks_at_what_is_below():
    lamp, desk = leaf(what="lamp"), leaf(what="desk")
    wanted = [order("1", lamp), order("1", desk)]
    scorer = scored([order("1", desk), order("1", lamp)], wanted)
    assert scorer.scores()["f1"] == scorer.scores()["record_f1"] == 1


def test_what_is_below_a_missing_parent_is_missed():
    scorer = scored([], [order("1", leaf(what="lamp"))])
    assert scorer.scores()["f1"] == 0
    assert scorer.level_scores()[2]["count_accuracy"] == 0


def test_parts_add_up():
    lamp = leaf(what="lamp")
    one, other = scored([order("1", lamp)], [order("1")]), scored([order("2")], [order("2", lamp)])
    one.merge(other)
    assert one.total().values.triple() == (2, 3, 3)


def test_trees_of_linked_records_and_of_gold_are_alike():
    shape = shape_of_json(
        {
            "title": "Order",
            "properties": {
                "number": {"type": "string"},
                "items": {
                    "type": "array",
                    "items": {"title": "Item", "properties": {"what": {"type": "string"}}},
                },
            },
        }
    )
    text = "1: Lamp, desk"
    doc = Extraction(
        text,
        records={
            "order": ({"number": Value("1", 0, 1, 0.9)},),
            "item": ({"what": Value("Lamp", 3, 7, 0.9)}, {"what": Value("desk", 9, 13, 0.9)}),
        },
    )
    gold = {"number": ["1"], "items": [{"what": ["lamp"]}, {"what": ["desk"]}]}
    (node,) = link(doc, shape)
    assert tree_of_node(node) == tree_of_gold(gold, shape)
    with pytest.raises(KeyError):
        tree_of_gold({"items": []}, shape)
