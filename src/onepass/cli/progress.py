"""How a long job is going: a line on standard error that is drawn over, and the rows that failed.

It knows numbers and names, not what is done.
"""

from __future__ import annotations

import sys
import time
from typing import Self

_REFRESH = 0.2  # seconds between two states of the line
_SHOWN = 20  # messages about rows; the output holds all of them
_CLEAR = "\r\x1b[K"


class StatusLine:
    """A line on standard error that is drawn over; there is none if that is not a terminal."""

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._shows = self._stream.isatty()
        self._next = time.monotonic()

    def draw(self, text: str) -> None:
        """Show a state, if the last one was not shown just now."""
        if self._shows and time.monotonic() >= self._next:
            self._next = time.monotonic() + _REFRESH
            self._stream.write(f"{_CLEAR}{text}")
            self._stream.flush()

    def clear(self) -> None:
        """Take the line away."""
        if self._shows:
            self._stream.write(_CLEAR)
            self._stream.flush()

    def keep(self, text: str) -> None:
        """Show a last state and leave it there."""
        if self._shows:
            self._stream.write(f"{_CLEAR}{text}\n")

    def say(self, message: str) -> None:
        """Write a message in place of the line, terminal or not."""
        self._stream.write(f"{_CLEAR if self._shows else ''}{message}\n")


class Progress:
    """A count of rows; how many is seen on a terminal, which ones failed is always said.

    Attributes:
        rows: how many are done, failed ones among them.
        failed: how many failed.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.failed = 0
        self._line = StatusLine()
        self._start = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.keep(self._count())
        if self.failed:
            self._line.say(f"onepass: {self.failed:,} of {self.rows:,} rows failed")

    def fail(self, row: int, error: str) -> None:
        """Say that a row failed; it still has to be counted."""
        self.failed += 1
        if self.failed <= _SHOWN:
            self._line.say(f"onepass: row {row}: {error}")

    def add(self, rows: int) -> None:
        """Count rows that are done."""
        self.rows += rows
        self._line.draw(self._count())

    def _count(self) -> str:
        rate = self.rows / max(time.monotonic() - self._start, 1e-9)
        return f"{self.rows:,} rows, {rate:,.1f} a second"
