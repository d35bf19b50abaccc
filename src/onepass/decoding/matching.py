"""Optimal one-to-one matching of two sets.

It knows nothing about what is matched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike

from onepass.arrays import Float64s, Int64s

T = TypeVar("T")
U = TypeVar("U")


def best_matching(weights: ArrayLike) -> list[tuple[int, int]]:
    """Return the pairs of one matching with the largest sum of weights; each weighs something.

    It is exact. Each row looks at all columns once, and once more for each row that might give way
    to it; only where many rows want the same few columns is that far more than rows * columns.

    Args:
        weights: (rows, columns), each at least 0.

    >>> best_matching([[0.3, 0.2], [0.3, 0.0], [0.0, 0.0]])
    [(0, 1), (1, 0)]
    """
    table = np.asarray(weights, dtype=np.float64)
    if not table.size:
        return []
    turned = table.shape[0] > table.shape[1]
    columns = _match(-table.T if turned else -table)
    pairs = [(col, row) if turned else (row, col) for row, col in enumerate(columns.tolist())]
    return sorted(pair for pair in pairs if table[pair])


def best_total(weights: ArrayLike) -> int:
    """Return the largest sum of weights that a one-to-one matching of rows and columns can have.

    Args:
        weights: (rows, columns), whole numbers, each at least 0.

    Returns:
        The total; 0 where there are no rows or no columns.

    >>> best_total([[3, 2], [3, 0]])  # taking the 3 of the first row first would give 3
    5
    """
    table = np.asarray(weights)
    return int(sum(table[pair] for pair in best_matching(table)))


def most_pairs(edges: Mapping[T, Iterable[U]]) -> int:
    """Return how many pairs a one-to-one matching can have.

    It is exact, and looks at nothing but what may be paired: each of the one side takes a path
    through pairs that there are already, to one of the other side that is free.

    Args:
        edges: each of one side with those of the other side that it may be paired with.

    >>> most_pairs({"a": [1, 2], "b": [1], "c": [1]})
    2
    """
    right_of: dict[T, U] = {}
    left_of: dict[U, T] = {}
    for left in edges:
        came_from: dict[U, T] = {}
        free = _free(left, edges, left_of, came_from)
        while free is not None:  # shift the pairs along the path
            here = came_from[free]
            left_of[free] = here
            before = right_of.get(here)
            right_of[here], free = free, before
    return len(left_of)


def _free(
    left: T, edges: Mapping[T, Iterable[U]], left_of: Mapping[U, T], came_from: dict[U, T]
) -> U | None:
    """Return the nearest of the other side that is free, and note the way there."""
    waiting = deque([left])
    while waiting:
        here = waiting.popleft()
        for right in edges[here]:
            if right not in came_from:
                came_from[right] = here
                if right not in left_of:
                    return right
                waiting.append(left_of[right])
    return None


def _match(costs: Float64s) -> Int64s:
    """Return for each row its column; every row gets one, at the lowest total cost.

    This is the Hungarian method with potentials (shortest augmenting paths).

    Args:
        costs: (rows, columns), not more rows than columns.
    """
    rows, columns = costs.shape
    row_price, column_price = costs.min(axis=1), np.zeros(columns)
    row_of, column_of = np.full(columns, -1), np.full(rows, -1)
    for row in range(rows):
        wanted = (costs[row] == row_price[row]) & (row_of < 0)
        column = int(wanted.argmax())
        if wanted[column]:
            row_of[column], column_of[row] = row, column
    for row in np.flatnonzero(column_of < 0).tolist():
        column, came_from = _nearest_free(costs, row, row_of, row_price, column_price)
        while column >= 0:  # shift the rows along the path
            here = came_from[column]
            row_of[column] = here
            column_of[here], column = column, column_of[here]
    return column_of


def _nearest_free(
    costs: Float64s, row: int, row_of: Int64s, row_price: Float64s, column_price: Float64s
) -> tuple[int, Int64s]:
    """Return the free column that costs least to reach, and the row before each on the way.

    Args:
        costs: (rows, columns).
        row: where the way begins.
        row_of: for each column its row, or -1.
        row_price: potentials, which are changed.
        column_price: likewise.
    """
    away = np.full(len(row_of), np.inf)  # how far each column is, as far as is known
    came_from = np.full(len(row_of), row)
    left = np.ones(len(row_of), dtype=bool)
    passed = [(row, 0.0)]
    while True:
        here, far = passed[-1]
        ahead = far + costs[here] - row_price[here] - column_price
        nearer = left & (ahead < away)
        away[nearer], came_from[nearer] = ahead[nearer], here
        far = away[left].min()
        nearest = np.flatnonzero(left & (away == far))
        free = nearest[row_of[nearest] < 0]  # one of these spares a walk through its equals
        if len(free):
            break
        column = nearest[0]
        left[column] = False
        passed.append((int(row_of[column]), far))
    for here, before in passed:
        row_price[here] += far - before
    column_price[~left] -= far - away[~left]
    return int(free[0]), came_from
