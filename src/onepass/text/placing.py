"""Where character spans stand among the words of one window.

It knows nothing about questions, pieces or batches.
"""

from __future__ import annotations

import numpy as np

from onepass.text.words import Words


class Placer:
    """Turns character spans into (word, width) cells of one window.

    Args:
        words: of the window.
        prefix: words that stand before them in the grid.
        max_width: longest span, in words; None for any.

    >>> from onepass.text.words import split_words
    >>> place = Placer(split_words("Tim Cook runs New-York."), 0, 2)
    >>> place.cell(0, 8), place.cell(0, 13), place.cell(18, 22)
    ((0, 1), None, (3, 0))
    """

    def __init__(self, words: Words, prefix: int, max_width: int | None) -> None:
        self._words, self._prefix = words, prefix
        self._max_width = len(words) if max_width is None else max_width
        self._end = int(words.ends[-1]) if len(words) else 0

    def cell(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the (word, width - 1) whose words cover a character span, None if there is none.

        There is none for a span that is too wide, holds no word, or passes the end of the window.
        White space and invisible characters around its words do not count.
        """
        first = int(np.searchsorted(self._words.ends, start, side="right"))
        last = int(np.searchsorted(self._words.starts, end, side="left"))
        width = last - first - 1
        if not 0 <= width < self._max_width or self.is_cut(end):
            return None
        return self._prefix + first, width

    def is_cut(self, end: int) -> bool:
        """Return whether the words of a span that ends there pass the end of the window."""
        text = self._words.text
        while end > self._end and not _is_seen(text[end - 1]):  # no word ends in it
            end -= 1
        return end > self._end


def _is_seen(char: str) -> bool:
    return char.isprintable() and not char.isspace()
