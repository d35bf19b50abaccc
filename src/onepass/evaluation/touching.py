"""Which of many spans share a place with another one, found without a look at all of them.

It knows nothing about what the spans are of.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Touching(Generic[T]):
    """Spans, half-open, each with something of its own.

    >>> spans = Touching([(0, 3, "a"), (2, 9, "b"), (9, 12, "c")])
    >>> list(spans.of(2, 9))
    [(0, 3, 'a'), (2, 9, 'b')]
    """

    def __init__(self, spans: Iterable[tuple[int, int, T]]) -> None:
        self._spans = sorted(spans, key=lambda span: span[:2])
        self._starts = [start for start, _, _ in self._spans]
        self._longest = max((end - start for start, end, _ in self._spans), default=0)

    def of(self, start: int, end: int) -> Iterator[tuple[int, int, T]]:
        """Yield the spans that a span touches."""
        # What starts earlier ends before it, and what starts later begins behind it.
        first = bisect_right(self._starts, start - self._longest)
        for span in self._spans[first : bisect_left(self._starts, end)]:
            if span[1] > start:
                yield span
