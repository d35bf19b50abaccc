"""Which rows and columns an optimal one-to-one matching pairs.

It knows nothing about what is matched; how much a matching weighs is told by
`onepass.decoding.matching`.
"""

from __future__ import annotations

from collections.abc import Sequence

from onepass.decoding.matching import best_total


def best_pairs(weights: Sequence[Sequence[int]]) -> list[tuple[int, int]]:
    """Return the pairs of one matching with the largest sum of weights.

    Of several such matchings it is the one that pairs early rows with early columns. Pairs that
    weigh nothing are left out. One matching is solved for each cell that is tried, which is quick
    for the few records of a text.

    Args:
        weights: (rows, columns), each at least 0.

    >>> best_pairs([[3, 2], [3, 0]])
    [(0, 1), (1, 0)]
    >>> best_pairs([[0, 0]])
    []
    """
    pairs = []
    left = list(range(len(weights[0]))) if weights else []  # columns that are free
    total = best_total(weights)
    for row in range(len(weights)):
        for column in left:
            weight = weights[row][column]
            rest = [other for other in left if other != column]
            if weight and weight + _total(weights[row + 1 :], rest) == total:
                pairs.append((row, column))
                left, total = rest, total - weight
                break
    return pairs


def _total(weights: Sequence[Sequence[int]], columns: Sequence[int]) -> int:
    return best_total([[row[column] for column in columns] for row in weights])
