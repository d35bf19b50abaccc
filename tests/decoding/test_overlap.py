"""Overlap selection against its definition, spelled out pair by pair."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.decoding.candidates import Candidates
from onepass.decoding.overlap import CLOSE, POLICIES, Policy, select

Row = tuple[int, int, float, int]  # start, end, score, label

rows_strategy = st.lists(
    st.tuples(
        st.integers(0, 12),
        st.integers(1, 6),
        st.sampled_from([0.5, 0.6, 0.7, 0.8, 0.9]),  # few values: many ties
        st.integers(0, 3),
    ).map(lambda row: (row[0], row[0] + row[1], row[2], row[3])),
    max_size=25,
)
ranks_strategy = st.none() | st.lists(st.integers(0, 2), min_size=4, max_size=4)


def run(rows: list[Row], policy: Policy, ranks: list[int] | None = None) -> list[int]:
    table = np.array(rows, dtype=float).reshape(-1, 4)
    general = None if ranks is None else np.array(ranks)
    return select(Candidates(*table.T), policy=policy, ranks=general).tolist()


def overlap(a: Row, b: Row) -> bool:
    return a[0] < b[1] and b[0] < a[1]


def cross(a: Row, b: Row) -> bool:
    return a[0] < b[0] < a[1] < b[1] or b[0] < a[0] < b[1] < a[1]


def by_definition(rows: list[Row], policy: Policy, ranks: list[int] | None) -> list[int]:
    best_first = sorted(
        range(len(rows)),
        key=lambda i: (-rows[i][2], rows[i][0] - rows[i][1], rows[i][0], rows[i][3], i),
    )
    if policy == "flat":
        stands: dict[tuple[int, int], int] = {}
        best: dict[tuple[int, int], float] = {}
        for i in best_first:
            held = stands.setdefault(rows[i][:2], i)
            close = rows[i][2] >= CLOSE * best.setdefault(rows[i][:2], rows[i][2])
            if ranks is not None and close and ranks[rows[i][3]] < ranks[rows[held][3]]:
                stands[rows[i][:2]] = i
        best_first = [i for i in best_first if stands[rows[i][:2]] == i]
    kept: list[int] = []
    for i in best_first:
        a = rows[i]
        clash = {
            "all": lambda b, a=a: False,
            "nested": lambda b, a=a: cross(a, b),
            "label": lambda b, a=a: a[3] == b[3] and overlap(a, b),
            "flat": lambda b, a=a: overlap(a, b),
        }[policy]
        repeated = any((a[0], a[1], a[3]) == (rows[k][0], rows[k][1], rows[k][3]) for k in kept)
        if not repeated and not any(clash(rows[k]) for k in kept):
            kept.append(i)
    return sorted(kept, key=lambda i: (rows[i][0], rows[i][1], rows[i][3]))


@pytest.mark.parametrize("policy", POLICIES)
@given(rows=rows_strategy, ranks=ranks_strategy)
def test_equals_its_definition(policy: Policy, rows: list[Row], ranks: list[int] | None) -> None:
    assert run(rows, policy, ranks) == by_definition(rows, policy, ranks)


@pytest.mark.parametrize("policy", POLICIES)
@given(rows=rows_strategy, shuffle=st.randoms(use_true_random=False))
def test_order_of_candidates_is_irrelevant(policy: Policy, rows: list[Row], shuffle) -> None:  # type: ignore[no-untyped-def]
    mixed = list(rows)
    shuffle.shuffle(mixed)
    assert [rows[i] for i in run(rows, policy)] == [mixed[i] for i in run(mixed, policy)]


@pytest.mark.parametrize("policy", POLICIES)
@given(rows=rows_strategy)
def test_selecting_again_changes_nothing(policy: Policy, rows: list[Row]) -> None:
    once = [rows[i] for i in run(rows, policy)]
    assert run(once, policy) == list(range(len(once)))


PERSON, POLITICIAN, ANY = 0, 1, 2


def test_flat_lets_the_specific_label_stand_for_a_span() -> None:
    rows = [(0, 2, 0.99, PERSON), (0, 2, 0.91, POLITICIAN), (0, 2, 1.0, ANY)]
    assert run(rows, "flat", [1, 0, 2]) == [1]
    assert run(rows, "flat") == [2]


def test_flat_leaves_the_span_to_a_general_label_that_is_much_surer() -> None:
    rows = [(0, 2, 0.99, PERSON), (0, 2, 0.51, POLITICIAN)]
    assert run(rows, "flat", [1, 0]) == [0]


def test_flat_compares_spans_by_the_score_of_the_label_that_stands_for_them() -> None:
    rows = [(0, 2, 0.99, PERSON), (0, 2, 0.91, POLITICIAN), (1, 4, 0.95, PERSON)]
    assert run(rows, "flat", [1, 0, 2]) == [2]


def test_spans_that_touch_do_not_overlap() -> None:
    assert run([(0, 2, 0.9, 0), (2, 4, 0.8, 0)], "flat") == [0, 1]


def test_nested_keeps_what_is_contained_and_drops_what_crosses() -> None:
    rows = [(0, 6, 0.9, 0), (1, 3, 0.8, 1), (2, 8, 0.7, 1), (0, 6, 0.6, 1), (2, 3, 0.5, 0)]
    assert run(rows, "nested") == [0, 3, 1, 4]


def test_ties_go_to_the_longer_then_the_earlier_then_the_lower_label() -> None:
    assert run([(1, 2, 0.5, 0), (0, 2, 0.5, 0)], "flat") == [1]
    assert run([(1, 3, 0.5, 0), (0, 2, 0.5, 0)], "flat") == [1]
    assert run([(0, 2, 0.5, 3), (0, 2, 0.5, 1)], "flat") == [1]


def test_characters_and_far_positions_will_do() -> None:
    rows = [(10**12, 10**12 + 5, 0.9, 0), (0, 10**12 + 1, 0.8, 0), (3, 4, 0.7, 0)]
    assert run(rows, "flat") == [2, 0]


@pytest.mark.parametrize("policy", POLICIES)
def test_nothing_in_nothing_out(policy: Policy) -> None:
    assert run([], policy) == []


@pytest.mark.parametrize(
    ("rows", "policy", "ranks", "message"),
    [
        ([(2, 2, 0.5, 0)], "flat", None, "end after"),
        ([(3, 2, 0.5, 0)], "flat", None, "end after"),
        ([(0, 2, float("nan"), 0)], "all", None, "finite"),
        ([(0, 2, 0.5, 0)], "longest", None, "'longest'"),
        ([(0, 2, 0.5, 3)], "flat", [0, 1], "3"),
        ([(0, 2, 0.5, -1)], "flat", [0, 1], "-1"),
    ],
)
def test_unusable_candidates_are_refused(rows, policy, ranks, message) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match=message):
        run(rows, policy, ranks)


def made(shape: str, count: int) -> Candidates:
    random = np.random.default_rng(0)
    labels = random.integers(0, 500, count)
    scores = random.random(count)
    if shape == "window by window":  # short spans all over a long text
        starts = random.integers(0, 2 * count // 5, count)
        ends = starts + random.integers(1, 13, count)
    elif shape == "staircase":  # each crosses the next one, and is worse than it
        starts = np.arange(count) * 2
        ends, scores = starts + 3, np.linspace(0.1, 0.9, count)
    else:  # spans of any length in a short text
        pairs = np.sort(random.integers(0, 2_000, (count, 2)), axis=1)
        starts, ends = pairs[:, 0], pairs[:, 1] + 1
    return Candidates(starts, ends, scores, labels)


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("shape", ["window by window", "staircase", "any length"])
def test_a_hundred_thousand_candidates_take_no_square_of_time(policy: Policy, shape: str) -> None:
    def choosing(count: int) -> Callable[[], None]:
        found = made(shape, count)

        def run() -> None:
            kept = found.take(select(found, policy=policy, ranks=np.zeros(500, dtype=np.int64)))
            if policy == "flat":
                assert all(one.end <= other.start for one, other in pairwise(kept.spans()))

        return run

    assert_grows_in_proportion(choosing, 25_000)
