"""Values of records are chosen with entities and relations, under the rules of their fields."""

from __future__ import annotations

from itertools import combinations, product
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass import Schema
from onepass.decoding.assemble import Choice, assemble
from onepass.decoding.candidates import Candidates, RecordFind, RelationFind, SpanFind, ValueOption
from onepass.decoding.consistency import Pair, Wish, choose_together
from onepass.decoding.consistency_solve import Solver
from onepass.decoding.consistency_values import Slot
from onepass.decoding.constrained import constrained_values
from onepass.decoding.findings import Findings, WindowFindings
from onepass.errors import SchemaError
from onepass.results.types import Coverage, Extraction, Value
from onepass.schema import Field, Rules
from onepass.text.windows import Window
from onepass.text.words import split_words

WORDS = split_words("Ann sold 12 pears to Apple in May")
PEOPLE, FRUIT, FIRM = range(3)
SCHEMA = Schema().entities(["person", "fruit", "firm"])
Span = tuple[int, int]


def table(rows: dict[tuple[int, int, int], float]) -> Candidates:
    places = np.array(list(rows), dtype=np.int64).reshape(-1, 3)
    return Candidates(places[:, 0], places[:, 1], np.array(list(rows.values())), places[:, 2])


def slot(field: Field, options: dict[Span, float], scope: object = None) -> Slot:
    finds = (ValueOption(SpanFind(*span, score)) for span, score in options.items())
    return Slot(field, tuple(finds), scope)  # type: ignore[arg-type]


def choose(
    rows: dict[tuple[int, int, int], float], slots: list[Slot], solver: Solver = "greedy"
) -> tuple[set[tuple[int, int, int]], list[list[Span]]]:
    chosen = choose_together(WORDS, SCHEMA, table(rows), [], Wish("flat", solver), slots=slots)
    kept = chosen.entities
    places = zip(kept.starts.tolist(), kept.ends.tolist(), kept.labels.tolist(), strict=True)
    return set(places), [[(one.start, one.end) for one in own] for own in chosen.values]


BUYER = Field("buyer", "str", rules=Rules(labels=("firm",)))


def test_a_value_needs_an_entity_and_takes_its_span() -> None:
    _, values = choose({(5, 6, FIRM): 0.9}, [slot(BUYER, {(0, 1): 0.9, (4, 6): 0.6})])
    assert values == [[(5, 6)]]
    assert choose({(0, 1, PEOPLE): 0.9}, [slot(BUYER, {(0, 1): 0.9})])[1] == [[]]


def test_a_sure_value_decides_between_labels_and_not_against_a_sure_one() -> None:
    apple = {(5, 6, FRUIT): 0.6, (5, 6, FIRM): 0.58}
    assert choose(apple, [slot(BUYER, {(5, 6): 0.9})]) == ({(5, 6, FIRM)}, [[(5, 6)]])
    sure = {**apple, (5, 6, FRUIT): 0.95}
    assert choose(sure, [slot(BUYER, {(5, 6): 0.4})]) == ({(5, 6, FRUIT)}, [[]])


def test_a_span_that_is_taken_over_keeps_the_rules_of_the_field() -> None:
    short = Field("buyer", "str", rules=Rules(labels=("firm",), max_length=5))
    wide = {(5, 7, FIRM): 0.9}
    assert choose(wide, [slot(short, {(5, 6): 0.9})])[1] == [[]]
    assert choose(wide, [slot(BUYER, {(5, 6): 0.9})])[1] == [[(5, 7)]]


@pytest.mark.parametrize("solver", ["greedy", "exact"])
def test_what_cannot_be_read_is_chosen_where_nothing_else_is_left(solver: Solver) -> None:
    if solver == "exact":
        pytest.importorskip("highspy")
    count = Field("count", "str", rules=Rules(kind="integer"))
    late, good = ValueOption(SpanFind(3, 4, 0.9), True), ValueOption(SpanFind(2, 3, 0.5))
    assert choose({}, [Slot(count, (late, good))], solver)[1] == [[(2, 3)]]
    assert choose({}, [Slot(count, (late,))], solver)[1] == [[(3, 4)]]


def test_exact_shares_out_the_words_of_an_exclusive_field() -> None:
    pytest.importorskip("highspy")
    field = Field("buyer", "str", rules=Rules(exclusive=True))
    slots = [slot(field, {(0, 1): 0.9, (5, 6): 0.8}), slot(field, {(0, 1): 0.85})]
    assert choose({}, slots)[1] == [[(0, 1)], []]
    assert choose({}, slots, "exact")[1] == [[(5, 6)], [(0, 1)]]


SPANS = [(start, end) for start in range(4) for end in range(start + 1, min(start + 2, 4) + 1)]
SCORES = st.integers(300, 999).map(lambda score: score / 1000)
OPTIONS = st.dictionaries(st.sampled_from(SPANS), SCORES, max_size=3)
FIELDS = st.builds(
    Field,
    st.just("x"),
    st.sampled_from(["str", "list"]),
    rules=st.builds(
        Rules,
        labels=st.sampled_from([(), ("firm",), ("person", "fruit")]),
        exclusive=st.booleans(),
        max_items=st.sampled_from([None, 1]),
    ),
)


Rows = dict[tuple[int, int, int], float]
Pairs = dict[tuple[Span, Span], float]
SELLS = {"sells to": {"head": ["person"], "tail": ["firm"], "max_tails": 1}}


@settings(max_examples=50, deadline=None)
@given(
    st.dictionaries(
        st.sampled_from([(*span, label) for span in SPANS for label in range(3)]),
        SCORES, max_size=4,
    ),
    FIELDS, st.lists(OPTIONS, min_size=1, max_size=2),
    st.dictionaries(st.tuples(st.sampled_from(SPANS), st.sampled_from(SPANS)), SCORES, max_size=2),
)  # fmt: skip
def test_exact_has_the_best_sum_of_all_allowed_choices(
    rows: Rows, field: Field, options: list[dict[Span, float]], pairs: Pairs
) -> None:
    pytest.importorskip("highspy")
    slots = [slot(field, own) for own in options]
    own = [_stand_ins(rows, field.rules.labels, one) for one in options]
    facts = [_relations(rows, pair, score) for pair, score in pairs.items()]
    relations: Pairs = {}
    for one in facts:
        relations |= {ends: max(s, relations.get(ends, 0.0)) for ends, s in one.items()}
    found = [
        Pair(RelationFind(0, SpanFind(*head, score), SpanFind(*tail, score), score))
        for (head, tail), score in pairs.items()
    ]
    schema, sums = SCHEMA.copy().relations(SELLS).checked(), []
    for solver in ("greedy", "exact"):
        chosen = choose_together(
            WORDS, schema, table(rows), found, Wish("flat", solver), slots=slots
        )
        kept = chosen.entities
        places = zip(kept.starts.tolist(), kept.ends.tolist(), kept.labels.tolist(), strict=True)
        entities, held = set(places), [_places(values) for values in chosen.values]
        joined = [((o.head.start, o.head.end), (o.tail.start, o.tail.end)) for o in chosen.facts]
        assert _allowed(entities, held, field)
        assert _joins(entities, joined, facts)
        got = sum(rows[one] for one in entities) + sum(relations[one] for one in joined)
        got += sum(one[span] for one, values in zip(own, held, strict=True) for span in values)
        sums.append(got)
    best = _best(rows, (own, relations), (field, facts))
    assert sums[1] == pytest.approx(best)
    assert sums[0] <= best + 1e-9


def _places(values: tuple[SpanFind, ...]) -> list[Span]:
    return [(one.start, one.end) for one in values]


def _relations(rows: Rows, pair: tuple[Span, Span], score: float) -> Pairs:
    """Return what a relation may stand for."""
    heads = _stand_ins(rows, ("person",), {pair[0]: score})
    tails = _stand_ins(rows, ("firm",), {pair[1]: score})
    return {(head, tail): score for head in heads for tail in tails if head != tail}


def _joins(
    entities: set[tuple[int, int, int]], joined: list[tuple[Span, Span]], facts: list[Pairs]
) -> bool:
    """Return whether relations keep their rules; no two spans of the text are spelled alike."""
    heads = [head for head, _ in joined]
    return (
        len(set(heads)) == len(heads)
        and all((*h, PEOPLE) in entities and (*t, FIRM) in entities for h, t in joined)
        and all(sum(one in own for one in joined) <= 1 for own in facts)
    )


def _stand_ins(
    rows: Rows, labels: tuple[str, ...], options: dict[Span, float]
) -> dict[Span, float]:
    """Return what the options may stand for, tried one by one."""
    if not labels:
        return options
    numbers = {("person", "fruit", "firm").index(name) for name in labels}
    places = {(s, e) for s, e, label in rows if label in numbers}
    out: dict[Span, float] = {}
    for (start, end), score in options.items():
        own = {(start, end)} if (start, end) in places else places
        for one in own:
            if one[0] < end and start < one[1]:
                out[one] = max(out.get(one, 0.0), score)
    return out


def _allowed(entities: set[tuple[int, int, int]], values: list[list[Span]], field: Field) -> bool:
    """Return whether a choice keeps every rule, as the guide states them."""
    if _share([one[:2] for one in entities]):
        return False
    names = ("person", "fruit", "firm")
    held = {one[:2]: names[one[2]] for one in entities}
    labels = field.rules.labels
    most = 1 if field.dtype == "str" else field.rules.max_items
    return (
        all(not labels or held.get(span) in labels for own in values for span in own)
        and all(most is None or len(own) <= most for own in values)
        and not any(_share(own) for own in values)
        and not (field.rules.exclusive and _share([span for own in values for span in own]))
    )


def _share(spans: list[Span]) -> bool:
    return any(a[0] < b[1] and b[0] < a[1] for a, b in combinations(spans, 2))


def _best(
    rows: Rows, given: tuple[list[dict[Span, float]], Pairs], rules: tuple[Field, list[Pairs]]
) -> float:
    """Try every choice of entities, values and relations."""
    (options, relations), (field, facts) = given, rules
    best = 0.0
    for entities in _subsets(rows):
        if _share([one[:2] for one in entities]):
            continue
        held, own = set(entities), sum(rows[one] for one in entities)
        values = max(
            sum(own[s] for own, v in zip(options, values, strict=True) for s in v)
            for values in product(*(_subsets(own) for own in options))
            if _allowed(held, [list(own) for own in values], field)
        )
        joined = max(
            sum(relations[one] for one in joined)
            for joined in _subsets(relations)
            if _joins(held, list(joined), facts)
        )
        best = max(best, own + values + joined)
    return best


def _subsets(items: Any) -> list[tuple[Any, ...]]:
    return [one for size in range(len(items) + 1) for one in combinations(items, size)]


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(["str", "list"]), st.booleans(),
    st.permutations(range(40)), st.lists(st.sets(st.sampled_from(SPANS)), min_size=1, max_size=3),
)  # fmt: skip
def test_without_labels_the_greedy_choice_is_that_of_a_field_by_itself(
    dtype: Any, exclusive: bool, scores: list[int], places: list[set[Span]]
) -> None:
    field = Field("x", dtype, rules=Rules(exclusive=exclusive, max_items=2))
    free = iter(scores)
    slots = [slot(field, {span: 0.5 + next(free) / 100 for span in sorted(own)}) for own in places]
    _, values = choose({}, slots)
    alone = constrained_values([one.options for one in slots], field)
    assert values == [[(one.start, one.end) for one in own] for own in alone]


# From the findings of windows to results.

SALE = SCHEMA.copy().structure(
    "sale",
    ["seller::str", {"name": "buyer", "dtype": "str", "labels": ["firm"]}, "items::list"],
)
NAMES = Candidates([5, 5], [6, 6], [0.6, 0.58], [FRUIT, FIRM])


def record(buyer: float, seller: float = 0.9) -> RecordFind:
    find, own = SpanFind(5, 6, buyer), SpanFind(0, 1, seller)
    return RecordFind(((own,) if seller else (), (find,), ()), ((), (ValueOption(find),), ()))


def put(
    schema: Schema, parts: list[tuple[Window, Findings]], solver: Solver = "greedy"
) -> Extraction:
    windows = [WindowFindings(window, (found,)) for window, found in parts]
    choice = Choice("flat", (), solver=solver)
    return assemble(WORDS, schema, windows, choice, Coverage(33, 33, len(parts), False))


def said(doc: Extraction, name: str) -> list[str | None]:
    out = []
    for one in doc.records["sale"]:
        value = one[name]
        out.append(value.text if isinstance(value, Value) else None)
    return out


WHOLE = Window(0, 8)


def test_records_and_entities_agree() -> None:
    doc = put(SALE, [(WHOLE, Findings(NAMES, {0: (record(0.9),)}))])
    assert [one.label for one in doc.entities] == ["firm"]
    assert (said(doc, "seller"), said(doc, "buyer")) == (["Ann"], ["Apple"])


def test_a_record_of_which_nothing_is_kept_is_none() -> None:
    found = Findings(NAMES.take(np.array([0])), {0: (record(0.9, 0), record(0.9))})
    doc = put(SALE, [(WHOLE, found)])
    assert [one.label for one in doc.entities] == ["fruit"]
    assert (said(doc, "seller"), said(doc, "buyer")) == (["Ann"], [None])


def test_windows_that_repeat_a_record_give_it_once_in_words_of_the_document() -> None:
    shifted = RecordFind(
        ((), (SpanFind(3, 4, 0.9),), ()), ((), (ValueOption(SpanFind(3, 4, 0.9)),), ())
    )
    parts = [
        (Window(0, 7), Findings(NAMES, {0: (record(0.9),)})),
        (Window(2, 8), Findings(NAMES.shift(-2), {0: (shifted,)})),
    ]
    doc = put(SALE, parts)
    assert (said(doc, "seller"), said(doc, "buyer")) == (["Ann"], ["Apple"])


def test_spare_records_are_compared_once_their_values_are_chosen() -> None:
    records = (record(0.9), record(0.8, 0))
    for spare, count in ((frozenset[int](), 2), (frozenset({0}), 1)):
        doc = put(SALE, [(WHOLE, Findings(NAMES, {0: records}, spare=spare))])
        assert len(doc.records["sale"]) == count


def test_relations_values_and_entities_are_chosen_at_once() -> None:
    grown = {"grows": {"head": ["person"], "tail": ["fruit"]}}
    schema = SALE.copy().relations(grown)
    names = Candidates([0, 5, 5], [1, 6, 6], [0.9, 0.6, 0.58], [PEOPLE, FRUIT, FIRM])
    pair = RelationFind(0, SpanFind(0, 1, 0.9), SpanFind(5, 6, 0.9), 0.9)
    doc = put(schema, [(WHOLE, Findings(names, {0: (record(0.95),)}, (pair,)))])
    assert [one.label for one in doc.entities] == ["person", "fruit"]
    assert (len(doc.relations), said(doc, "buyer")) == (1, [None])
    weak = RelationFind(0, SpanFind(0, 1, 0.3), SpanFind(5, 6, 0.3), 0.3)
    doc = put(schema, [(WHOLE, Findings(names, {0: (record(0.99),)}, (weak,)))])
    assert [one.label for one in doc.entities] == ["person", "firm"]
    assert (doc.relations, said(doc, "buyer")) == ((), ["Apple"])


def test_relations_without_rules_stay_as_they_are() -> None:
    schema = SALE.copy().relations(["sells to"])
    pair = RelationFind(0, SpanFind(0, 1, 0.9), SpanFind(0, 1, 0.9), 0.9)  # no rule forbids it
    doc = put(schema, [(WHOLE, Findings(NAMES, {0: (record(0.9),)}, (pair,)))])
    assert len(doc.relations) == 1


def test_exact_takes_rules_of_fields_into_account() -> None:
    pytest.importorskip("highspy")
    rule = {"name": "seller", "dtype": "str", "exclusive": True}
    schema = Schema().structure("sale", [rule])
    ann, apple = SpanFind(0, 1, 0.9), SpanFind(5, 6, 0.8)
    one = RecordFind(((ann,),), ((ValueOption(ann), ValueOption(apple)),))
    other = RecordFind(((),), ((ValueOption(SpanFind(0, 1, 0.85)),),))
    parts = [(WHOLE, Findings(records={0: (one, other)}))]
    assert said(put(schema, parts), "seller") == ["Ann"]
    assert said(put(schema, parts, "exact"), "seller") == ["Apple", "Ann"]


def test_labels_must_be_asked_for_and_have_a_place() -> None:
    field = {"name": "buyer", "labels": "firm"}
    schema = SCHEMA.copy().structure("sale", [field])
    assert Schema.from_json(schema.to_json()) == schema
    assert '"labels": ["firm"]' in schema.to_json()
    with pytest.raises(SchemaError, match="'firm', which is no entity label"):
        Schema().entities(["city"]).structure("sale", [field]).checked()
    with pytest.raises(SchemaError, match="has choices"):
        Schema().structure("sale", [{**field, "choices": ["a", "b"]}])
    for wrong in ([""], 3, ["a", "a"]):
        with pytest.raises(SchemaError, match="labels must be"):
            Schema().structure("sale", [{**field, "labels": wrong}])
