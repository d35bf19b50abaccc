"""What holds for every scorer: parts add up, order does not matter, gold scores 1."""

from __future__ import annotations

import copy

from hypothesis import given
from hypothesis import strategies as st

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.evaluation.scoring import Scorers
from onepass.results.types import (
    Classification,
    Entity,
    Extraction,
    LabelScore,
    Relation,
    Value,
)

TEXT = "aa bb cc aa dd ee"
SPANS = [(i * 3, i * 3 + 2) for i in range(6)]
LABELS = ("x", "y", "z")
FIELDS = (GoldField("f"), GoldField("g"))

spans = st.sampled_from(SPANS)
labels = st.sampled_from(LABELS)
mentions = st.lists(st.builds(lambda s, label: Mention(*s, label), spans, labels), max_size=4)
pairs = st.lists(st.builds(GoldRelation, labels, spans, spans), max_size=4)
held = st.lists(spans.map(lambda s: GoldValue(*s)), max_size=2).map(tuple)
rows = st.lists(st.fixed_dictionaries({"f": held, "g": held}), max_size=3)
examples = st.builds(
    lambda m, p, r, true, many: Example(
        TEXT,
        tuple(m),
        LABELS,
        classifications=(
            GoldTask("one", LABELS, (true,)),
            GoldTask("many", LABELS, tuple(many), True),
        ),
        structures=(GoldStructure("s", FIELDS, tuple(r)),),
        relations=tuple(p),
        asked_relations=LABELS,
    ),
    mentions, pairs, rows, labels, st.lists(labels, unique=True),
)  # fmt: skip


def value(span: tuple[int, int]) -> Value:
    return Value(TEXT[slice(*span)], *span, 0.9)


def answer(gold: Example) -> Extraction:
    """Return gold as if a model had said it."""
    return Extraction(
        gold.text,
        entities=tuple(
            Entity(m.label, TEXT[m.start : m.end], m.start, m.end, 0.9) for m in gold.entities
        ),
        classifications={
            task.name: Classification(
                tuple(LabelScore(label, 0.9) for label in task.true), dict.fromkeys(LABELS, 0.9)
            )
            for task in gold.classifications
        },
        records={
            s.name: tuple(
                {k: tuple(value(v.span) for v in vs if v.span) for k, vs in row.items()}
                for row in s.records
            )
            for s in gold.structures
        },
        relations=tuple(
            Relation(r.type, value(r.head), value(r.tail), 0.9) for r in gold.relations
        ),
    )


def scored(pairs: list[tuple[Extraction, Example]]) -> Scorers:
    scorers = Scorers()
    for prediction, gold in pairs:
        scorers.add(prediction, gold)
    return scorers


def everything(scorers: Scorers) -> dict[str, object]:
    return {name: (one.texts, one.scores(), one.table()) for name, one in scorers.asked().items()}


pairs_of_examples = st.lists(st.tuples(examples, examples), max_size=6).map(
    lambda drawn: [(answer(guess), gold) for guess, gold in drawn]
)


@given(pairs_of_examples, st.integers(0, 6))
def test_parts_add_up(data, cut):
    first, second = scored(data[:cut]), scored(data[cut:])
    untouched = everything(copy.deepcopy(second))
    first.merge(second)
    assert everything(first) == everything(scored(data))
    assert everything(second) == untouched


@given(pairs_of_examples)
def test_order_of_texts_does_not_matter(data):
    assert everything(scored(data[::-1])) == everything(scored(data))


@given(examples)
def test_gold_scores_one(gold):
    for name, scorer in scored([(answer(gold), gold)]).asked().items():
        row = scorer.scores()
        if name == "classifications":
            assert row["accuracy"] == row["exact_match"] == 1.0
        elif name == "records":
            assert row["count_accuracy"] == 1.0
            assert row["f1"] == float(
                any(map(any, (r.values() for r in gold.structures[0].records)))
            )
        else:
            assert row["f1"] == float(bool(gold.entities if name == "entities" else gold.relations))


@given(examples, examples)
def test_scores_are_shares(guess, gold):
    for scorer in scored([(answer(guess), gold)]).asked().values():
        assert all(0.0 <= score <= 1.0 for score in scorer.scores().values())


@given(examples, examples)
def test_relaxed_relations_are_never_below_strict(guess, gold):
    row = scored([(answer(guess), gold)]).relations.scores()
    assert row["relaxed_f1"] >= row["f1"]
