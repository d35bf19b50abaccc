"""Several systems timed in turn, so that whatever else the machine does meets all of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any

Clock = Callable[[], float]
CLOCKS: Mapping[str, Clock] = {
    "wall": lambda: time.perf_counter(),  # looked up at every call
    "cpu": lambda: time.process_time(),
}
REST = 0.02  # seconds in which the threads of the system before go to sleep


def take_turns(
    calls: Mapping[str, Callable[[], object]],
    *,
    repeats: int,
    limit: float,
    forecast: Mapping[str, float] | None = None,
    clock: Clock = CLOCKS["wall"],
) -> dict[str, list[float]]:
    """Return the seconds of each run of each system, the first of which warms up.

    Args:
        calls: name to what is timed.
        repeats: runs after the first.
        limit: seconds of a system; it stops when its next run would pass them.
        forecast: how long the first run may take, where that is known.
        clock: `time.perf_counter`; on a machine that does other work, and with one thread,
            `time.process_time` does not count it.

    Returns:
        No seconds for a system whose first run is expected to pass the limit.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            own = seconds[name]
            if sum(own) + (own[-1] if own else (forecast or {}).get(name, 0.0)) > limit:
                continue
            time.sleep(REST)
            own.append(timed(call, clock))
    return seconds


def timed(call: Callable[[], object], clock: Clock = CLOCKS["wall"]) -> float:
    """Return the seconds of one run."""
    began = clock()
    call()
    return clock() - began


def spread(seconds: list[float]) -> dict[str, Any]:
    """Return what the runs of a system took; its first run counts only if it is the only one.

    >>> spread([9.0, 2.0, 1.0, 3.0])["median_seconds"]
    2.0
    """
    kept = seconds[1:] or seconds
    return {
        "runs": len(kept),
        "warmed_up": len(seconds) > 1,
        "median_seconds": round(median(kept), 5),
        "fastest_seconds": round(min(kept), 5),
        "slowest_seconds": round(max(kept), 5),
    }


def ratio(slow: Mapping[str, Any], fast: Mapping[str, Any]) -> dict[str, float]:
    """Return how many times as fast one system is as another, of two results of `spread`.

    Returns:
        The ratio of the medians; and as low and high the fastest run of the one by the slowest of
        the other, and the reverse: no pair of runs is outside.
    """
    return {
        "median": round(slow["median_seconds"] / fast["median_seconds"], 3),
        "low": round(slow["fastest_seconds"] / fast["slowest_seconds"], 3),
        "high": round(slow["slowest_seconds"] / fast["fastest_seconds"], 3),
    }
