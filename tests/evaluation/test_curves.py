"""Curves from arrays, against scoring what is selected at one threshold after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.evaluation.curves import f1_curves, gather_sections
from onepass.evaluation.records import gold_choices, judged_choices
from onepass.evaluation.scoring import Scorers
from onepass.evaluation.thresholds import at_threshold
from onepass.results.types import Classification, Entity, Extraction, Relation, Value

TEXT = "Ann Lee met Bob. ann"
GRID = [0.0, 0.2, 0.3, 0.5, 0.8, 1.0]
SCORES = {"entities": "f1", "classifications": "micro_f1", "records": "f1", "relations": "f1"}
LABELS, TYPES, TOPICS = ("person", "poet", "thing"), ("met", "knows"), ("art", "law", "war")
FIELDS = (GoldField("name", dtype="str"), GoldField("tags"), GoldField("size", choices=("s", "L")))

spans = st.sampled_from([(0, 7), (0, 3), (4, 7), (12, 15), (0, 15), (17, 20)])
scores = st.sampled_from([0.1, 0.2, 0.25, 0.3, 0.45, 0.49, 0.5, 0.6, 0.8, 0.85, 1.0])


def slow(answered, grid, overlap, ties):
    """Score what every threshold selects, text by text."""
    curves: dict[str, dict[float, float]] = {}
    for at in grid:
        scorers = Scorers()
        for prediction, gold in answered:
            multi = {task.name for task in gold.classifications if task.multi_label}
            scorers.add(
                at_threshold(
                    prediction, at, policy=overlap, labels=gold.asked, multi_label=multi, ties=ties
                ),
                without_choices(gold),
            )
        for section, scorer in scorers.asked().items():
            if SCORES[section] in scorer.scores():
                curves.setdefault(section, {})[at] = scorer.scores()[SCORES[section]]
        if any(gold.structures for _, gold in answered):
            judged = [one for pair in answered for one in judged_choices(*pair)]
            kept = [one.right for one in judged if one.score >= at]
            items = len(kept) + sum(len(gold_choices(gold)) for _, gold in answered)
            curves.setdefault("choices", {})[at] = 2 * sum(kept) / items if items else 0.0
    return curves


def without_choices(gold: Example) -> Example:
    rows = [
        {name: held for name, held in row.items() if name != "size"}
        for structure in gold.structures
        for row in structure.records
    ]
    guests = (GoldStructure("guest", FIELDS[:2], tuple(rows)),) if gold.structures else ()
    return replace(gold, structures=guests)


def value(span: tuple[int, int], score: float) -> Value:
    return Value(TEXT[slice(*span)], *span, score)


def some(one: st.SearchStrategy, most: int = 4) -> st.SearchStrategy:
    return st.lists(one, max_size=most).map(tuple)


values = st.builds(value, spans, scores)
choices = st.builds(
    lambda name, score: Value(name, None, None, score), st.sampled_from("sL"), scores
)
entities = st.builds(
    lambda span, label, score: Entity(label, TEXT[slice(*span)], *span, score),
    spans, st.sampled_from(LABELS), scores,
)  # fmt: skip
rows = st.fixed_dictionaries(
    {"name": st.none() | values, "tags": some(values), "size": some(choices, 2)}
)
predictions = st.builds(
    lambda found, topics, guests, pairs: Extraction(
        TEXT,
        found,
        {} if topics is None else {"topics": Classification((), topics)},
        {"guest": guests},
        pairs,
    ),
    some(entities, 9),
    st.none() | st.fixed_dictionaries(dict.fromkeys(TOPICS, scores)),
    some(rows),
    some(st.builds(Relation, st.sampled_from(TYPES), values, values, scores), 6),
)
gold_values = st.builds(lambda span: GoldValue(*span), spans)
gold_rows = st.fixed_dictionaries(
    {},
    optional={
        "name": gold_values.map(lambda one: (one,)),
        "tags": some(gold_values),
        "size": st.just((GoldValue(choice="L"),)),
    },
)
golds = st.builds(
    lambda mentions, asked, tasks, guests, pairs, types: Example(
        TEXT,
        mentions,
        asked,
        classifications=tuple(tasks),
        structures=() if guests is None else (GoldStructure("guest", FIELDS, guests),),
        relations=pairs,
        asked_relations=types,
    ),
    some(st.builds(lambda span, label: Mention(*span, label), spans, st.sampled_from(LABELS))),
    st.sampled_from([(), LABELS, LABELS[::-1]]),
    st.sampled_from([
        (),
        (GoldTask("topics", TOPICS, ("art", "law"), True),),
        (GoldTask("topics", TOPICS, (), True), GoldTask("tone", ("calm",), ())),
        (GoldTask("topics", TOPICS, ("art",)),),
    ]),
    st.none() | some(gold_rows, 3),
    some(st.builds(GoldRelation, st.sampled_from(TYPES), spans, spans)),
    st.sampled_from([(), TYPES]),
)  # fmt: skip


@given(
    st.lists(st.tuples(predictions, golds), max_size=4),
    st.sampled_from(["flat", "nested", "label", "all"]),
    st.sampled_from(["longest", "first"]),
)
def test_curves_are_those_of_scoring_each_threshold(answered, overlap, ties):
    sections = gather_sections(answered, GRID, overlap, ties=ties)
    assert f1_curves(sections, GRID) == slow(answered, GRID, overlap, ties)


def many_records(number: int) -> tuple[Extraction, Example]:
    """Return records of which most agree in part with many gold ones, and in full with one."""
    gold = [
        {"name": (GoldValue(text=f"name {i}"),), "tags": (GoldValue(text=str(i % 9)),)}
        for i in range(number)
    ]
    found = [
        {
            "name": Value(f"name {i if i % 3 else i + 1}", None, None, (i * 7 % 10 + 1) / 11),
            "tags": (Value(str(i % 9 if i % 4 else i % 5), None, None, (i * 3 % 10 + 1) / 11),),
        }
        for i in reversed(range(number))
    ]
    example = Example("x", structures=(GoldStructure("guest", FIELDS[:2], tuple(gold)),))
    return Extraction("x", records={"guest": tuple(found)}), example


def test_many_records_of_one_text_take_no_square_of_time():
    def prepare(number: int) -> Callable[[], object]:
        answered = [many_records(number)]
        return lambda: f1_curves(gather_sections(answered, GRID, "flat"), GRID)

    assert_grows_in_proportion(prepare, 60)
