"""Entities and relations chosen together keep what relation types say."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.decoding.candidates import Candidates, RelationFind, SpanFind
from onepass.decoding.consistency import Fact, Pair, Wish, choose_together
from onepass.decoding.consistency_solve import Solver
from onepass.decoding.consistency_spans import EntitySpans
from onepass.decoding.merge import merge_relations
from onepass.decoding.overlap import Policy, resolve_overlaps
from onepass.schema import Schema
from onepass.text.words import split_words

WORDS = split_words("Ann and Bob Ray work for Apple or Siemens says Ann")
PERSON, FRUIT, COMPANY = range(3)
SCHEMA = Schema().entities(["person", "fruit", "company"])
ANN, BOB, APPLE, SIEMENS, ANN_2 = (0, 1), (2, 4), (6, 7), (8, 9), (10, 11)
PEOPLE = [
    (*ANN, PERSON, 0.9),
    (*BOB, PERSON, 0.8),
    (*APPLE, COMPANY, 0.7),
    (*SIEMENS, COMPANY, 0.9),
]


def table(rows: list[tuple[int, int, int, float]]) -> Candidates:
    columns = list(zip(*rows, strict=True)) if rows else [[], [], [], []]
    starts, ends, labels, scores = columns
    return Candidates(
        np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64),
        np.array(scores, dtype=np.float64), np.array(labels, dtype=np.int64),
    )  # fmt: skip


def pair(head: tuple[int, int], tail: tuple[int, int], score: float, kind: int = 0) -> RelationFind:
    return RelationFind(kind, SpanFind(*head, score), SpanFind(*tail, score), score)


def choose(
    rows: list[tuple[int, int, int, float]],
    pairs: list[RelationFind | Pair],
    relations: dict[str, Any],
    *,
    policy: Policy = "flat",
    solver: Solver = "greedy",
) -> tuple[list[tuple[int, int, int]], list[tuple[str, tuple[int, int], tuple[int, int]]]]:
    schema = SCHEMA.copy().relations(relations).checked()
    given = [one if isinstance(one, Pair) else Pair(one) for one in pairs]
    chosen = choose_together(WORDS, schema, table(rows), given, Wish(policy, solver))
    kept, facts = chosen.entities, chosen.facts
    places = zip(kept.starts.tolist(), kept.ends.tolist(), kept.labels.tolist(), strict=True)
    return list(places), [shown(fact) for fact in facts]


def shown(fact: Fact) -> tuple[str, tuple[int, int], tuple[int, int]]:
    return fact.name, shown_span(fact.head), shown_span(fact.tail)


def shown_span(find: SpanFind) -> tuple[int, int]:
    return find.start, find.end


WORKS = {"works for": {"head": ["person"], "tail": ["company"]}}


def test_ends_have_the_labels_that_are_allowed() -> None:
    pairs: list[RelationFind | Pair] = [
        pair(ANN, APPLE, 0.9),
        pair(APPLE, ANN, 0.9),
        pair(ANN, BOB, 0.9),
    ]
    _, facts = choose(PEOPLE, pairs, WORKS)  # fmt: skip
    assert facts == [("works for", ANN, APPLE)]


def test_an_end_takes_the_span_of_its_entity() -> None:
    _, facts = choose(PEOPLE, [pair((2, 3), APPLE, 0.9)], WORKS)
    assert facts == [("works for", BOB, APPLE)]


def test_a_relation_decides_between_labels_and_not_against_a_sure_one() -> None:
    fruit = (*APPLE, FRUIT, 0.72)
    entities, facts = choose([*PEOPLE, fruit], [pair(ANN, APPLE, 0.9)], WORKS)
    assert (*APPLE, COMPANY) in entities
    assert facts
    entities, facts = choose([*PEOPLE, (*APPLE, FRUIT, 0.99)], [pair(ANN, APPLE, 0.3)], WORKS)
    assert (*APPLE, FRUIT) in entities
    assert not facts


def test_alternatives_stand_in_for_a_pair_that_is_not_allowed() -> None:
    source = (0, 0, 0, 0)
    pairs = [Pair(pair(ANN, BOB, 0.9), source), Pair(pair(ANN, SIEMENS, 0.6), source),
             Pair(pair(ANN, APPLE, 0.5), source)]  # fmt: skip
    _, facts = choose(PEOPLE, list(pairs), WORKS)
    assert facts == [("works for", ANN, SIEMENS)]


@pytest.mark.parametrize("solver", ["greedy", "exact"])
def test_a_pair_is_left_to_the_source_that_stands_for_it(solver: Solver) -> None:
    if solver == "exact":
        pytest.importorskip("highspy")
    one, two = (0, 0, 0, 0), (0, 0, 0, 1)
    pairs: list[RelationFind | Pair] = [
        Pair(pair(ANN, APPLE, 0.99), one), Pair(pair(BOB, SIEMENS, 0.48), one),
        Pair(pair(BOB, SIEMENS, 0.95), two), Pair(pair(ANN, SIEMENS, 0.5), two),
    ]  # fmt: skip
    _, facts = choose(PEOPLE, pairs, WORKS, solver=solver)
    assert facts == [("works for", ANN, APPLE), ("works for", BOB, SIEMENS)]


@pytest.mark.parametrize("solver", ["greedy", "exact"])
def test_a_pair_of_two_windows_is_one_and_stands_for_both(solver: Solver) -> None:
    if solver == "exact":
        pytest.importorskip("highspy")
    one, two = (0, 0, 0, 0), (1, 0, 0, 0)
    pairs = [
        Pair(pair(ANN, APPLE, 0.9), one), Pair(pair(BOB, SIEMENS, 0.6), one),
        Pair(pair(ANN, APPLE, 0.8), two), Pair(pair(BOB, APPLE, 0.7), two),
    ]  # fmt: skip
    schema = SCHEMA.copy().relations(WORKS).checked()
    facts = choose_together(WORDS, schema, table(PEOPLE), pairs, Wish("flat", solver)).facts
    assert [(*shown(fact), fact.score) for fact in facts] == [("works for", ANN, APPLE, 0.9)]
    # It counts once in the sum: 0.95 is more than 0.5 and 0.4.
    rows = [(*ANN, PERSON, 0.9), (*APPLE, FRUIT, 0.95), (*APPLE, COMPANY, 0.5)]
    twice = [Pair(pair(ANN, APPLE, 0.4), one), Pair(pair(ANN, APPLE, 0.4), two)]
    assert choose(rows, list(twice), WORKS, solver=solver)[1] == []


HEADS, TAILS = (ANN, BOB, (4, 5)), (APPLE, SIEMENS, (9, 10))
ENDS = st.tuples(*[st.integers(300, 999).map(lambda score: score / 1000)] * 3)


@pytest.mark.parametrize("solver", ["greedy", "exact"])
@pytest.mark.parametrize(
    "rule",
    [{"max_tails": 9}, {"head": ["person", "fruit", "company"], "tail": ["fruit", "company"]}],
)
@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 1), ENDS, ENDS), min_size=1, max_size=5),
    st.tuples(ENDS, ENDS),
)
def test_a_rule_that_allows_every_pair_changes_nothing(
    solver: Solver,
    rule: dict[str, Any],
    instances: list[tuple[int, tuple[float, ...], tuple[float, ...]]],
    scores: tuple[tuple[float, ...], tuple[float, ...]],
) -> None:
    if solver == "exact":
        pytest.importorskip("highspy")
    rows = [
        (*span, label, score)
        for spans, label, own in zip((HEADS, TAILS), (PERSON, COMPANY), scores, strict=True)
        for span, score in zip(spans, own, strict=True)
    ]
    pairs, alone = [], []
    for number, (window, *ends) in enumerate(instances):
        heads, tails = (
            sorted(
                (SpanFind(*span, score) for span, score in zip(spans, own, strict=True)),
                key=lambda find: -find.score,
            )
            for spans, own in zip((HEADS, TAILS), ends, strict=True)
        )
        finds = [RelationFind(0, h, t, min(h.score, t.score)) for h in heads for t in tails]
        pairs += [Pair(find, (window, 0, 0, number)) for find in finds]
        alone.append(finds[0])  # best head and best tail: what an instance gives without rules
    schema = SCHEMA.copy().relations({"works for": rule}).checked()
    chosen = choose_together(WORDS, schema, table(rows), pairs, Wish("flat", solver))
    assert len(chosen.entities) == len(rows)
    assert {(shown_span(one.head), shown_span(one.tail), one.score) for one in chosen.facts} == {
        (shown_span(one.head), shown_span(one.tail), one.score) for one in merge_relations([alone])
    }


def test_limits_count_spellings() -> None:
    rows = [*PEOPLE, (*ANN_2, PERSON, 0.9)]
    pairs: list[RelationFind | Pair] = [
        pair(ANN, APPLE, 0.6), pair(ANN_2, SIEMENS, 0.9), pair(ANN, SIEMENS, 0.5),
        pair(BOB, APPLE, 0.5),
    ]  # fmt: skip
    one_employer = {"works for": {**WORKS["works for"], "max_tails": 1}}
    _, facts = choose(rows, pairs, one_employer)
    assert facts == [
        ("works for", ANN, SIEMENS), ("works for", BOB, APPLE), ("works for", ANN_2, SIEMENS),
    ]  # fmt: skip
    one_worker = {"works for": {**WORKS["works for"], "max_heads": 1}}
    _, facts = choose(rows, pairs, one_worker)
    assert facts == [
        ("works for", ANN, APPLE), ("works for", ANN, SIEMENS), ("works for", ANN_2, SIEMENS),
    ]  # fmt: skip


def test_no_relation_joins_a_thing_with_itself() -> None:
    rows = [*PEOPLE, (*ANN_2, PERSON, 0.9)]
    source = (0, 0, 0, 0)
    pairs: list[RelationFind | Pair] = [
        Pair(pair(ANN, ANN_2, 0.9), source),
        Pair(pair(ANN, BOB, 0.5), source),
    ]
    _, facts = choose(rows, pairs, {"married to": {"symmetric": True, "max_tails": 1}})
    assert facts == [("married to", ANN, BOB)]


def test_a_symmetric_pair_is_given_once_in_the_order_of_the_text() -> None:
    pairs: list[RelationFind | Pair] = [pair(BOB, ANN, 0.9), pair(ANN, BOB, 0.6)]
    _, facts = choose(PEOPLE, pairs, {"married to": {"symmetric": True}})
    assert facts == [("married to", ANN, BOB)]


def test_a_symmetric_pair_has_the_order_of_the_entities_that_it_takes_over() -> None:
    """Ends that share words: the entity of the second stands before that of the first."""
    rows = [(0, 2, PERSON, 0.9), (3, 4, PERSON, 0.9)]
    pairs = [
        Pair(pair((0, 4), (1, 2), 0.9), (0, 0, 0, 0)),
        Pair(pair((0, 1), (3, 4), 0.8), (1, 0, 0, 0)),
    ]
    ruled = {"symmetric": True, "head": ["person"], "tail": ["person"]}
    _, facts = choose(rows, pairs, {"married to": ruled})
    assert facts == [("married to", (0, 2), (3, 4))]


def test_a_symmetric_limit_counts_partners_on_both_sides() -> None:
    pairs: list[RelationFind | Pair] = [pair(ANN, BOB, 0.6), pair(BOB, APPLE, 0.9)]
    _, facts = choose(PEOPLE, pairs, {"married to": {"symmetric": True, "max_tails": 1}})
    assert facts == [("married to", BOB, APPLE)]


def test_an_inverse_is_given_under_both_names() -> None:
    works = {**WORKS["works for"], "inverse": "employs"}
    both = [("works for", ANN, APPLE), ("employs", APPLE, ANN)]
    assert choose(PEOPLE, [pair(ANN, APPLE, 0.9)], {"works for": works})[1] == both
    two = {"works for": works, "employs": None}
    assert choose(PEOPLE, [pair(APPLE, ANN, 0.9, kind=1)], two)[1] == both
    # A pair of the wrong direction is not allowed under either name.
    assert choose(PEOPLE, [pair(ANN, APPLE, 0.9, kind=1)], two)[1] == []


def test_relations_without_rules_stay_beside_those_with() -> None:
    pairs: list[RelationFind | Pair] = [pair((4, 5), (5, 6), 0.2, kind=1)]
    assert choose(PEOPLE, pairs, {**WORKS, "said": None})[1] == [("said", (4, 5), (5, 6))]


def test_pairs_of_entities_need_entities_of_any_label() -> None:
    known, unknown = pair(ANN, APPLE, 0.5, kind=1), pair((4, 5), APPLE, 0.5, kind=1)
    pairs: list[RelationFind | Pair] = [Pair(known, None, True), Pair(unknown, None, True)]
    assert choose(PEOPLE, pairs, {**WORKS, "said": None})[1] == [("said", ANN, APPLE)]


@pytest.mark.parametrize("policy", ["flat", "label", "nested", "all"])
def test_without_pairs_entities_are_chosen_as_ever(policy: Policy) -> None:
    rng = random.Random(5)
    for _ in range(80):
        seen = {}
        for _ in range(rng.randint(0, 8)):
            start = rng.randint(0, 9)
            row = (start, rng.randint(start + 1, min(start + 4, 11)), rng.randint(0, 2))
            seen[row] = rng.random()
        rows = [(*row, score) for row, score in seen.items()]
        found = table(rows)
        kept = resolve_overlaps(found, policy=policy)
        expected = {(start, end, label) for start, end, _, label in kept.rows()}
        assert set(choose(rows, [], WORKS, policy=policy)[0]) == expected  # fmt: skip


def test_specific_labels_stand_for_close_general_ones_as_ever() -> None:
    rows = table([(*APPLE, FRUIT, 0.9), (*APPLE, COMPANY, 0.88)])
    ranks = np.array([0, 1, 0])
    schema = SCHEMA.copy().relations(WORKS)
    kept = choose_together(WORDS, schema, rows, [], Wish("flat", ranks=ranks)).entities
    assert kept.labels.tolist() == [COMPANY]
    assert kept.scores.tolist() == [0.88]


def test_exact_has_the_best_sum_of_all_allowed_choices() -> None:
    pytest.importorskip("highspy")
    rng = random.Random(2)
    relations = {"works for": {**WORKS["works for"], "max_tails": 1, "max_heads": 1}}
    spans = [ANN, BOB, APPLE, SIEMENS]
    for _ in range(25):
        rows = {(*rng.choice(spans), rng.randint(0, 2)): rng.uniform(0.3, 1) for _ in range(5)}
        pairs = {(rng.choice(spans), rng.choice(spans)): rng.uniform(0.3, 1) for _ in range(4)}
        pairs = {ends: score for ends, score in pairs.items() if ends[0] != ends[1]}
        entities, facts = choose(
            [(*row, score) for row, score in rows.items()],
            [pair(*ends, score) for ends, score in pairs.items()],
            relations,
            solver="exact",
        )
        got = sum(rows[one] for one in entities) + sum(pairs[h, t] for _, h, t in facts)
        assert got == pytest.approx(_best(rows, pairs))


def _best(
    rows: dict[tuple[int, int, int], float],
    pairs: dict[tuple[tuple[int, int], tuple[int, int]], float],
) -> float:
    """Try every choice of entities (one label a place) and of relations between them."""
    best = 0.0
    for entities in _subsets(list(rows)):
        if len({one[:2] for one in entities}) < len(entities):
            continue
        labels = {one[:2]: one[2] for one in entities}
        allowed = [p for p in pairs if labels.get(p[0]) == PERSON and labels.get(p[1]) == COMPANY]
        for chosen in _subsets(allowed):
            if len({h for h, _ in chosen}) == len({t for _, t in chosen}) == len(chosen):
                total = sum(rows[one] for one in entities) + sum(pairs[one] for one in chosen)
                best = max(best, total)
    return best


def _subsets(items: list[Any]) -> list[tuple[Any, ...]]:
    return [one for size in range(len(items) + 1) for one in combinations(items, size)]


def test_what_looks_for_entities_looks_at_those_near_it() -> None:
    def long(number: int) -> Callable[[], None]:
        starts = np.arange(number, dtype=np.int64)
        found = Candidates(starts, starts + 2, np.full(number, 0.9), starts % 3)
        looking = [SpanFind(start, start + 1, 0.9) for start in range(number)]

        def run() -> None:
            spans = EntitySpans(found)
            assert sum(len(spans.of(one, [PERSON, FRUIT, COMPANY])) for one in looking) > number

        return run

    assert_grows_in_proportion(long, 1_000)
