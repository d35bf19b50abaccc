"""What a job is made of: rows, those that failed, and the chunks of rows that go through together.

It does not know where rows come from or what is done with them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# A chunk is what one of several processes reads, and what is kept together: seconds of work. Enough
# rows for the model to put texts of one length together (256 rows are read no faster).
CHUNK_ROWS = 64
CHUNK_CHARS = 100_000  # or fewer rows, if their texts are long
CHUNK_BYTES = 1 << 26  # or if there is much beside their texts

FILE = "file"  # the field that says which file a row is from, where a job has several


class Cells(Mapping[str, Any]):
    """The cells of a row as values that JSON has, where some stand for what it does not have."""

    __slots__ = ()

    @abstractmethod
    def beyond_json(self, name: str) -> str | None:
        """Return the number of a cell that JSON does not have: "NaN", "inf" or "-inf"."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, with the text that it holds."""

    number: int  # from 1; in JSONL and text files the number of the line
    values: Mapping[str, Any]
    text: str
    file: str | None = None  # it is from, where a job has several
    size: int = field(default=0, compare=False)  # in bytes, where it may be more than the text

    @property
    def place(self) -> str:
        """What to call it in a message."""
        return _place(self.number, self.file)


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row of a file that failed, and why."""

    number: int
    error: str
    values: Mapping[str, Any] | None = None  # what it held, where that could be read
    file: str | None = None

    @property
    def place(self) -> str:
        """What to call it in a message.

        >>> BadRow(3, "no text", file="a.csv").place
        'a.csv, row 3'
        """
        return _place(self.number, self.file)


def _place(number: int, file: str | None) -> str:
    return f"row {number}" if file is None else f"{file}, row {number}"


@dataclass(frozen=True, slots=True)
class Position:
    """A place between two rows of a job: where reading goes on after a row.

    Args:
        source: how many sources were read to their end.
        number: of the last row that was read of the next source; 0 at its start.
    """

    source: int = 0
    number: int = 0


START = Position()


@dataclass(frozen=True, slots=True)
class Chunk:
    """Consecutive rows of one source.

    Args:
        rows: at least one.
        end: where reading goes on.
        bytes_read: of all sources up to here, packed as they are, about.
        paused: whether the source, a stream, has given no more rows for now: nobody shall wait for
            them before these are answered.
    """

    rows: tuple[Row | BadRow, ...]
    end: Position
    bytes_read: int = 0
    paused: bool = False

    @property
    def texts(self) -> list[str]:
        """The texts of the rows that could be read."""
        return [row.text for row in self.rows if isinstance(row, Row)]


def chunked(rows: Iterable[Row | BadRow]) -> Iterator[tuple[Row | BadRow, ...]]:
    """Yield the rows some at a time; where one ends depends on the rows alone.

    >>> [len(rows) for rows in chunked(Row(n, {}, "a") for n in range(300))]
    [64, 64, 64, 64, 44]
    """
    held = _Held()
    for row in rows:
        held.add(row)
        if held.is_full:
            yield held.taken()
    if held.rows:
        yield held.taken()


def chunked_at_pauses(
    rows: Iterable[Row | BadRow | None],
) -> Iterator[tuple[tuple[Row | BadRow, ...], bool]]:
    """Yield rows some at a time, and whether a pause comes after them, for which None stands.

    Rows that are enough wait for what comes next, a row or a pause.

    >>> given = [*(Row(n, {}, "a") for n in range(65)), None, None, Row(65, {}, "a")]
    >>> [(len(rows), paused) for rows, paused in chunked_at_pauses(given)]
    [(64, False), (1, True), (1, False)]
    """
    held = _Held()
    for row in rows:
        if held.rows and (row is None or held.is_full):
            yield held.taken(), row is None
        if row is not None:
            held.add(row)
    if held.rows:
        yield held.taken(), False


class _Held:
    """The rows of a chunk that is being made."""

    def __init__(self) -> None:
        self.rows: list[Row | BadRow] = []
        self._chars = self._size = 0

    @property
    def is_full(self) -> bool:
        """Whether the rows are enough for a chunk."""
        return (
            len(self.rows) >= CHUNK_ROWS or self._chars >= CHUNK_CHARS or self._size >= CHUNK_BYTES
        )

    def add(self, row: Row | BadRow) -> None:
        self.rows.append(row)
        self._chars += len(row.text) if isinstance(row, Row) else len(row.error)
        self._size += row.size if isinstance(row, Row) else 0

    def taken(self) -> tuple[Row | BadRow, ...]:
        """Return the rows, and begin the next chunk."""
        rows, self.rows = tuple(self.rows), []
        self._chars = self._size = 0
        return rows
