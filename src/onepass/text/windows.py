"""Windows over the words of a text that is longer than a model reads at once.

Windows are runs of words, measured in pieces, that overlap so that what stands at the edge of one
stands inside the next. This module knows nothing about models or labels.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onepass.arrays import Int64s


@dataclass(frozen=True, slots=True)
class Window:
    """The words [start, end) of a text."""

    start: int
    end: int


def plan_windows(
    lengths: Int64s,
    room: int,
    *,
    overlap: int,
    whole: int | None = None,
    most: int | None = None,
) -> list[Window]:
    """Return windows that cover all words.

    Args:
        lengths: (words,) pieces of each word; none may be longer than ``room``.
        room: pieces that a window may have.
        overlap: words that two neighbors share, fewer where they do not fit in half a window.
        whole: pieces up to which a text is read in one window; ``room`` if None.
        most: words that a window may have; any number if None.

    Returns:
        Windows in order; each starts and ends after the one before it, and together they hold
        every word.
        A text without words has one empty window.

    Raises:
        ValueError: if a word is longer than the room.

    >>> plan_windows(np.ones(10, dtype=np.int64), 4, overlap=1)
    [Window(start=0, end=4), Window(start=3, end=7), Window(start=6, end=10)]
    """
    total = int(lengths.sum())
    words = len(lengths)
    most = words if most is None else most
    if total <= max(room, whole or 0) and words <= most:
        return [Window(0, words)]
    if int(lengths.max()) > room:
        raise ValueError(f"A word of {int(lengths.max())} pieces does not fit into {room}.")
    ends = np.cumsum(lengths)  # (words,) pieces up to and with each word
    before = ends - lengths
    windows = []
    start = 0
    while True:
        end = min(int(np.searchsorted(ends, before[start] + room, side="right")), start + most)
        windows.append(Window(start, end))
        if end == words:
            return windows
        # Step back by the overlap, but never by more than half the window, nor so far that the
        # next word would not fit.
        half = int(np.searchsorted(ends, before[start] + room // 2, side="right"))
        fits = int(np.searchsorted(before, ends[end] - room, side="left"))
        if end == start + most:
            half = min(half, start + (most + 1) // 2)
        start = max(end - overlap, half, fits, end + 1 - most, start + 1)
