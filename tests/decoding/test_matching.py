"""The best matching against trying every one."""

from __future__ import annotations

from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.decoding.matching import best_matching, best_total, most_pairs


def by_trying(weights: list[list[int]]) -> int:
    rows, columns = len(weights), len(weights[0]) if weights else 0
    if rows <= columns:
        choices = permutations(range(columns), rows)
        return max(sum(weights[r][c] for r, c in enumerate(choice)) for choice in choices)
    return by_trying([list(column) for column in zip(*weights, strict=True)]) if columns else 0


@pytest.mark.parametrize(
    ("weights", "total"),
    [
        ([], 0),
        ([[], []], 0),
        ([[4]], 4),
        ([[0, 0], [0, 0]], 0),
        ([[2, 1], [2, 0]], 3),  # greedy takes the first 2 and ends with 2
        ([[1], [3], [2]], 3),  # more rows than columns
        ([[1, 3, 2]], 3),
        ([[7, 5, 1], [6, 5, 0], [5, 4, 0]], 12),
    ],
)
def test_by_hand(weights, total):
    assert best_total(weights) == total


tables = st.integers(0, 5).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 6), min_size=columns, max_size=columns), max_size=5
    )
)


@given(tables)
def test_equals_trying_every_matching(weights):
    assert best_total(weights) == by_trying(weights)


@given(tables)
def test_a_matching_has_the_total(weights):
    pairs = best_matching(weights)
    assert sum(weights[row][column] for row, column in pairs) == best_total(weights)
    for places in zip(*pairs, strict=True):
        assert len(set(places)) == len(pairs)
    assert all(weights[row][column] for row, column in pairs)


@given(tables)
def test_the_most_pairs_equal_the_best_matching_of_what_may_be_paired(weights):
    may = [[int(weight > 3) for weight in row] for row in weights]
    edges = {
        number: [column for column, one in enumerate(row) if one] for number, row in enumerate(may)
    }
    assert most_pairs(edges) == best_total(may)


def test_big_enough_for_long_documents():
    # Row r agrees best with column (7 r) mod 60, a permutation, by more than any other adds up to.
    weights = [[1000 if c == 7 * r % 60 else (r + c) % 9 for c in range(60)] for r in range(59)]
    assert best_total(weights) == 59_000
