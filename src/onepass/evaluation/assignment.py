"""Optimal one-to-one matching of two small sets.

It knows nothing about what is matched.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
U = TypeVar("U")

_FAR = float("inf")


def best_matching(weights: Sequence[Sequence[float]]) -> list[tuple[int, int]]:
    """Return the pairs of one matching with the largest sum of weights; each weighs something.

    It is exact, in a number of steps that grows with rows * rows * columns, rows being the fewer of
    the two.

    Args:
        weights: (rows, columns), each at least 0.

    >>> best_matching([[0.3, 0.2], [0.3, 0.0], [0.0, 0.0]])
    [(0, 1), (1, 0)]
    """
    if not weights or not weights[0]:
        return []
    turned = len(weights) > len(weights[0])
    costs = [[-weight for weight in row] for row in weights]
    row_of = _match([list(row) for row in zip(*costs, strict=True)] if turned else costs)
    pairs = [
        (column, row) if turned else (row, column) for column, row in enumerate(row_of) if row >= 0
    ]
    return sorted((row, column) for row, column in pairs if weights[row][column])


def best_total(weights: Sequence[Sequence[int]]) -> int:
    """Return the largest sum of weights that a one-to-one matching of rows and columns can have.

    Args:
        weights: (rows, columns), each at least 0.

    Returns:
        The total; 0 where there are no rows or no columns.

    >>> best_total([[3, 2], [3, 0]])  # taking the 3 of the first row first would give 3
    5
    """
    return sum(weights[row][column] for row, column in best_matching(weights))


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


def _match(costs: Sequence[Sequence[float]]) -> list[int]:
    """Return for each column its row, or -1; every row gets one, at the lowest total cost.

    This is the Hungarian method with potentials (shortest augmenting paths).
    """
    rows, columns = len(costs), len(costs[0])  # rows <= columns
    prices = [0.0] * rows, [0.0] * (columns + 1)
    row_of = [-1] * (columns + 1)  # the last column is a place to start from
    for row in range(rows):
        row_of[columns] = row
        column, came_from = _nearest_free(costs, row_of, *prices)
        while column != columns:  # shift the rows along the path
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
        row_of[columns] = -1
    return row_of[:columns]


def _nearest_free(
    costs: Sequence[Sequence[float]],
    row_of: Sequence[int],
    row_price: list[float],
    column_price: list[float],
) -> tuple[int, list[int]]:
    """Return the free column that costs least to reach, and the column before each on the way.

    Args:
        costs: (rows, columns).
        row_of: for each column its row, or -1; the last one is where the way begins.
        row_price: potentials, which are changed.
        column_price: likewise.
    """
    column = columns = len(costs[0])
    slack, came_from = [_FAR] * columns, [columns] * columns
    left, done = list(range(columns)), list[int]()
    while row_of[column] >= 0:
        done.append(column)
        left = [other for other in left if other != column]
        here = row_of[column]
        for other in left:
            cost = costs[here][other] - row_price[here] - column_price[other]
            if cost < slack[other]:
                slack[other], came_from[other] = cost, column
        step, nearest = min((slack[other], other) for other in left)
        for other in done:
            row_price[row_of[other]] += step
            column_price[other] -= step
        for other in left:
            slack[other] -= step
        column = nearest
    return column, came_from
