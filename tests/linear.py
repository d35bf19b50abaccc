"""How time grows with the size of what is given: unlike seconds, that is so on any machine."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from time import process_time

TIMES = 4  # how much more the second run is given
MOST = 9.0  # times as long; 4 is in proportion, 16 a square
SHORT = 0.002  # seconds; what is done sooner says nothing of growth
ROUNDS = 6  # other work disturbs some of them, a square shows in all


def assert_grows_in_proportion(prepare: Callable[[int], Callable[[], object]], size: int) -> None:
    """Fail if four times as much takes far more than four times as long.

    Args:
        prepare: from a size to what is timed; itself it is not.
        size: the smaller one; what it takes should be milliseconds at least.
    """
    one, other = prepare(size), prepare(TIMES * size)
    small = large = inf
    for _ in range(ROUNDS):
        small, large = min(small, _seconds(one)), min(large, _seconds(other))
        if large < MOST * max(small, SHORT):
            return
    raise AssertionError(f"It takes {small:.4f} s, and {large:.4f} s for {TIMES} times as much.")


def _seconds(run: Callable[[], object]) -> float:
    """Return CPU seconds of a run."""
    began = process_time()
    run()
    return process_time() - began
