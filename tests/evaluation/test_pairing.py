"""The pairs of a matching add up to its best total."""

from itertools import permutations

from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.decoding.matching import best_total
from onepass.evaluation.pairing import best_pairs

MATRICES = st.integers(1, 4).flatmap(
    lambda columns: st.lists(
        st.lists(st.integers(0, 5), min_size=columns, max_size=columns), max_size=4
    )
)


@settings(max_examples=50, deadline=None)
@given(MATRICES)
def test_pairs_are_one_to_one_and_best(weights: list[list[int]]):
    pairs = best_pairs(weights)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)
    assert all(weights[row][column] for row, column in pairs)
    assert sum(weights[row][column] for row, column in pairs) == best_total(weights)


def test_it_is_best_by_trying_all():
    weights = [[4, 3, 0], [4, 1, 1], [2, 0, 1]]
    best = max(sum(weights[i][p] for i, p in enumerate(order)) for order in permutations(range(3)))
    assert sum(weights[row][column] for row, column in best_pairs(weights)) == best == 8


def test_nothing_has_no_pairs():
    assert best_pairs([]) == []
    assert best_pairs([[], []]) == []
