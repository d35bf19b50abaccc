"""How a long job is going: a line on standard error that is drawn over, and the rows that failed.

It knows numbers and names, not what is done. Names reach the terminal as nothing but text.
"""

from __future__ import annotations

import sys
import time
from typing import Self

from onepass.batch.job import Counts
from onepass.cli.output import say, tell
from onepass.results.wording import printable

_REFRESH = 0.2  # seconds between two states of the line
_LOG_EVERY = 60.0  # seconds between two lines where there is no terminal
_SHOWN = 20  # messages about rows; the output holds all of them
_CLEAR = "\r\x1b[K"


class StatusLine:
    """A line on standard error that is drawn over; there is none if that is not a terminal."""

    def __init__(self) -> None:
        self._shows = sys.stderr.isatty()
        self._next = time.monotonic()

    @property
    def shows(self) -> bool:
        """Whether there is a line."""
        return self._shows

    def draw(self, text: str) -> None:
        """Show a state, if the last one was not shown just now."""
        if self._shows and time.monotonic() >= self._next:
            self._next = time.monotonic() + _REFRESH
            tell(f"{_CLEAR}{printable(text)}")

    def clear(self) -> None:
        """Take the line away."""
        if self._shows:
            tell(_CLEAR)

    def keep(self, text: str) -> None:
        """Show a last state and leave it there."""
        if self._shows:
            tell(f"{_CLEAR}{printable(text)}\n")

    def say(self, message: str) -> None:
        """Write a message in place of the line, terminal or not."""
        self.clear()
        say(message)


class Progress:
    """A count of rows; how many is seen on a terminal, which ones failed is always said.

    Elsewhere than on a terminal, a line a minute says how far a long job is.

    Attributes:
        rows: how many are done, failed ones among them.
        failed: how many failed.
        truncated: of how many the text was not read whole.
    """

    def __init__(self) -> None:
        self.rows = 0
        self.failed = 0
        self.truncated = 0
        self._told = 0  # of this run, unlike `failed`
        self._counts: Counts | None = None
        self._line = StatusLine()
        self._start = time.monotonic()
        self._logged = self._start

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.keep(self._state(ended=True))
        if self.failed:
            self._line.say(f"onepass: {self.failed:,} of {self.rows:,} rows failed")
        if self.truncated:
            self._line.say(f"onepass: {self.truncated:,} of {self.rows:,} rows were not read whole")

    def fail(self, row: int | str, error: str) -> None:
        """Say that a row failed, by its number or its name; it still has to be counted."""
        self.failed += 1
        self._told += 1
        if self._told <= _SHOWN:
            place = f"row {row}" if isinstance(row, int) else row
            self.say(f"{place}: {error}")

    def say(self, message: str) -> None:
        """Write a message."""
        self._line.say(f"onepass: {message}")

    def add(self, rows: int) -> None:
        """Count rows that are done."""
        self.rows += rows
        self._draw()

    def show(self, counts: Counts) -> None:
        """Show how a job of `onepass.batch` is going."""
        self.rows, self.failed, self.truncated = counts.rows, counts.failed, counts.truncated
        self._counts = counts
        self._draw()

    def _draw(self) -> None:
        self._line.draw(self._state())
        if not self._line.shows and time.monotonic() - self._logged >= _LOG_EVERY:
            self._logged = time.monotonic()
            self.say(self._state())

    def _state(self, *, ended: bool = False) -> str:
        done = self.rows - (self._counts.resumed if self._counts else 0)
        rate = done / max(time.monotonic() - self._start, 1e-9)
        left = "" if ended or self._counts is None else _left(self._counts)
        return f"{self.rows:,} rows, {rate:,.1f} a second{left}"


def _left(counts: Counts) -> str:
    """Return the share of the input that is done, and the time that the rest will take.

    >>> _left(Counts(rows=10, bytes_read=50, bytes_total=200, seconds=60.0))
    ', 25%, 3 min left'
    """
    if not counts.bytes_total:
        return ""
    share = min(counts.bytes_read / counts.bytes_total, 1.0)
    begun = counts.bytes_begun / counts.bytes_total
    seconds = counts.seconds * (1 - share) / max(share - begun, 1e-9)
    return f", {share:.0%}, {duration(seconds)} left"


def duration(seconds: float) -> str:
    """Return a time for people.

    >>> duration(42), duration(600), duration(8000)
    ('42 s', '10 min', '2 h 13 min')
    """
    minutes = round(seconds / 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60:,} h {minutes % 60} min"
