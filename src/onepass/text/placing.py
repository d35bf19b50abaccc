"""Where character spans stand among the words that are read of a text.

It knows nothing about questions, pieces or batches.
"""

from __future__ import annotations

import numpy as np

from onepass.text.words import Words


class Placer:
    """Turns character spans into (word, width) cells of a window at the start of a text.

    Args:
        words: of the text.
        prefix: words that stand before them in the grid.
        max_width: longest span, in words; None for any.
        kept: how many of the words are in the window; None for all.

    >>> from onepass.text.words import split_words
    >>> place = Placer(split_words("Tim Cook runs New-York."), 0, 2)
    >>> place.cell(0, 8), place.cell(0, 13), place.cell(18, 22)
    ((0, 1), None, (3, 0))
    """

    def __init__(
        self,
        words: Words,
        prefix: int,
        max_width: int | None,
        *,
        kept: int | None = None,
    ) -> None:
        self._starts, self._ends, self._prefix = words.starts[:kept], words.ends[:kept], prefix
        self._max_width = len(words) if max_width is None else max_width
        # What stands between two words is not read, so it is the next word that a window cuts.
        behind = words.starts[len(self._starts) :]
        self._limit = int(behind[0]) if len(behind) else len(words.text)

    def cell(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the (word, width - 1) whose words cover a character span, None if there is none.

        There is none for a span that is too wide, holds no word, or passes the end of the window.
        White space around its words does not count, nor does anything else that is not read.
        """
        first = int(np.searchsorted(self._ends, start, side="right"))
        last = int(np.searchsorted(self._starts, end, side="left"))
        width = last - first - 1
        if not 0 <= width < self._max_width or self.is_cut(end):
            return None
        return self._prefix + first, width

    def is_cut(self, end: int) -> bool:
        """Return whether the words of a span that ends there pass the end of the window."""
        return end > self._limit
