"""Places in a text that a program in a browser counted: in UTF-16 units, not in characters."""

from __future__ import annotations

from bisect import bisect_left
from functools import cached_property
from itertools import accumulate


class Utf16Text:
    """A text whose places are counted in UTF-16 units.

    Args:
        text: any.

    >>> text = Utf16Text("\U0001f600 Bo")
    >>> text.characters(3), text.characters(1), text.splits(1), text.splits(2)
    (2, 1, True, False)
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def _starts(self) -> list[int] | None:
        """Units before each character; None where each is one unit."""
        if self.text.isascii() or max(self.text) <= "\uffff":
            return None
        return [0, *accumulate(1 + (character > "\uffff") for character in self.text)]

    def characters(self, units: int) -> int:
        """Return how many characters stand within so many units; a part of one counts as one."""
        starts = self._starts
        if starts is None:
            return units
        beyond = max(0, units - starts[-1])
        return bisect_left(starts, units, hi=len(starts) - 1) + beyond

    def splits(self, units: int) -> bool:
        """Say whether so many units end within a character."""
        starts = self._starts
        return starts is not None and units < starts[-1] and starts[self.characters(units)] != units
