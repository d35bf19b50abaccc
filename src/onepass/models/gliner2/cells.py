"""Cells of the score grid (row, query, word, width), and which of them count in the loss.

The grid itself is large; what is kept here is small, and the grid is made where it is needed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from onepass.arrays import Bools, Int64s


@dataclass(slots=True, eq=False)
class Cells:
    """Cells of the grid (row, query, word, width), one entry a list."""

    rows: list[int] = field(default_factory=list)
    queries: list[int] = field(default_factory=list)
    words: list[int] = field(default_factory=list)
    widths: list[int] = field(default_factory=list)

    def add(self, row: int, query: int, word: int, width: int) -> None:
        """Note one cell."""
        self.rows.append(row)
        self.queries.append(query)
        self.words.append(word)
        self.widths.append(width)

    def extend(self, other: Cells) -> None:
        """Note the cells of another list."""
        self.rows += other.rows
        self.queries += other.queries
        self.words += other.words
        self.widths += other.widths

    def index(self) -> tuple[Int64s, Int64s, Int64s, Int64s]:
        """Return the cells as an index of four arrays."""
        return (
            np.array(self.rows, dtype=np.int64),
            np.array(self.queries, dtype=np.int64),
            np.array(self.words, dtype=np.int64),
            np.array(self.widths, dtype=np.int64),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Counted:
    """Which cells of a batch count in the binary loss.

    All spans inside the text of all open queries do, but for those in ``out``; those in ``also`` do
    whatever else is said of them.

    Attributes:
        inside: (batch, words, width) spans inside the text.
        open: (batch, queries) real queries whose spans count.
        out: cells that do not count.
        also: cells that do.

    >>> also = Cells()
    >>> also.add(0, 1, 0, 0)
    >>> one = np.ones((1, 1, 1), dtype=bool)
    >>> Counted(one, np.array([[True, False, False]]), Cells(), also).grid().ravel().tolist()
    [True, True, False]
    """

    inside: Bools
    open: Bools
    out: Cells
    also: Cells

    def grid(self) -> Bools:
        """Return (batch, queries, words, width), true where a cell counts."""
        grid = self.inside[:, None] & self.open[:, :, None, None]
        grid[self.out.index()] = False
        grid[self.also.index()] = True
        return grid
