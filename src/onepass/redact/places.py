"""Places to be replaced, and how those that overlap become one.

Nothing that was found stays uncovered. This module does not know how a place was found.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

MODEL, PATTERN, REPEAT = "model", "pattern", "repeat"


@dataclass(frozen=True, slots=True)
class Place:
    """A place to be replaced.

    Attributes:
        label: as it was asked.
        start: character index.
        end: half-open.
        score: after the check.
        source: "model", "pattern" or "repeat" (of what the model found elsewhere in the text).
        check: whether the value passed the check of its kind; None if there is none, or it cannot
            tell.
    """

    label: str
    start: int
    end: int
    score: float
    source: str
    check: bool | None = None


def merged(places: Iterable[Place]) -> Iterator[Place]:
    """Yield places in their order; those that overlap as one, named by the surest of them.

    >>> a, b = Place("x", 0, 5, 0.5, "model"), Place("y", 3, 8, 0.75, "pattern")
    >>> [(p.label, p.start, p.end) for p in merged([b, a])]
    [('y', 0, 8)]
    """
    held: Place | None = None
    for place in sorted(places, key=lambda p: (p.start, p.end)):
        if held is None or place.start >= held.end:
            if held is not None:
                yield held
            held = place
            continue
        sure = max(held, place, key=lambda p: (p.score, p.source != REPEAT, p.end - p.start))
        held = replace(sure, start=held.start, end=max(held.end, place.end))
    if held is not None:
        yield held
