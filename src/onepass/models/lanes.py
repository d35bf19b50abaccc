"""Runs of the backbone side by side, each on a part of the threads.

One run on all threads answers a single text soonest. Many runs are done sooner side by side: none
of their threads waits for the others at every operation. It knows neither what is read nor what
runs it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from heapq import heapify, heapreplace
from typing import TypeVar

from onepass.backends.base import Backend

Given = TypeVar("Given")
Made = TypeVar("Made")

MOST = 8  # lanes: each needs memory for a run of its own
# Pieces for each lane from which the first such list pays for opening the graphs again: with the
# built-in model on two cores 8 texts of 200 words took 0.17 in place of 0.13 s, 16 as long either
# way (0.29; 0.24 to 0.36), 32 took 0.50 in place of 0.60.
LEAST = 2048
_SHARE = 0.75  # of two threads, what one run on both keeps busy; 0.77 to 1.0 were measured


@dataclass(frozen=True, slots=True)
class Lanes:
    """What runs batches side by side.

    Attributes:
        count: how many at once.
        backend: that gives each of them its part of the threads.
    """

    count: int
    backend: Backend

    def pays(self, costs: Sequence[int]) -> bool:
        """Return whether batches are done sooner side by side than one after the other.

        Args:
            costs: pieces of each batch, padding included, in the order in which they are begun.
        """
        return sum(costs) >= LEAST * self.count and span(costs, self.count) <= sum(costs) / (
            _SHARE * self.count
        )

    def each(self, call: Callable[[Given], Made], batches: Sequence[Given]) -> list[Made]:
        """Return what a call makes of each batch, in order; raises what the first one raises."""
        with ThreadPoolExecutor(self.count) as pool:
            return list(pool.map(call, batches))


def span(costs: Sequence[int], lanes: int) -> int:
    """Return when the last lane is done, if each takes the next batch as soon as it is free.

    >>> span([5, 4, 3, 3], 2)
    8
    """
    busy = [0] * lanes
    heapify(busy)
    for cost in costs:
        heapreplace(busy, busy[0] + cost)
    return max(busy)


def lanes_of(threads: int) -> tuple[int, int]:
    """Return how many lanes so many threads make, and the threads of each.

    >>> lanes_of(2), lanes_of(8), lanes_of(64)
    ((2, 1), (8, 1), (8, 8))
    """
    count = min(threads, MOST)
    return count, threads // count
