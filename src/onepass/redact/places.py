"""Places to be replaced: cut where a part of one is sure, and joined where they overlap.

Nothing that was found stays uncovered but marks between two parts. This module does not know how a
place was found.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
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


def apart(text: str, places: Iterable[Place]) -> Iterator[Place]:
    """Yield places; one around values that passed their check is cut into what is beside these.

    So a value that is sure keeps its label where the model took several lines for one value. What
    passed its own check stays whole; blanks and marks beside a cut are left out.

    >>> long, sure = Place("x", 0, 9, 0.5, "model"), Place("y", 3, 6, 0.9, "pattern", True)
    >>> [(p.label, p.start, p.end) for p in apart("aa bcd, e", [long, sure])]
    [('x', 0, 2), ('x', 8, 9), ('y', 3, 6)]
    """
    places = list(places)
    sure = sorted({(one.start, one.end) for one in places if one.check})
    for place in places:
        first, beyond = bisect_left(sure, (place.start, 0)), bisect_left(sure, (place.end, 0))
        within = [one for one in sure[first:beyond] if one[1] <= place.end]
        if place.check or not within:
            yield place
            continue
        at = place.start
        for start, end in [*within, (place.end, place.end)]:
            first, last = _trimmed(text, at, start)
            if first < last:
                yield replace(place, start=first, end=last)
            at = max(at, end)


def _trimmed(text: str, start: int, end: int) -> tuple[int, int]:
    """Return a place without the blanks, line breaks and marks on both sides of it."""
    while start < end and _is_mark(text[start]):
        start += 1
    while start < end and _is_mark(text[end - 1]):
        end -= 1
    return start, end


def _is_mark(character: str) -> bool:
    return character.isspace() or unicodedata.category(character)[0] in "PSZ"


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
