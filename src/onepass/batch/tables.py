"""Rows of CSV and TSV files with a header.

A record that cannot be read becomes a `BadRow` and the rest goes on; it does not know files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Self

from onepass.batch.lines import LINE_BYTES, Line, LongLine, too_long
from onepass.batch.rows import BadRow, Row
from onepass.errors import InputError

DELIMITERS = {"csv": ",", "tsv": "\t"}
_LARGEST_CELL = 2**31 - 1  # Python's own limit for a CSV cell is 131,072 characters


class Table:
    r"""A CSV file whose header was read.

    Args:
        lines: the bytes of the file.
        name: what to call the file in a message.
        kind: "csv" or "tsv".
        most: the bytes that a record may have.

    Attributes:
        header: the names of its columns.

    Raises:
        InputError: if the header cannot be read, or two columns have one name.

    >>> table = Table([b"id,body\n", b"1,Bo\n"], "The file", "csv")
    >>> [row.values for row in table.rows("body")]
    [{'id': '1', 'body': 'Bo'}]
    """

    def __init__(self, lines: Iterable[Line], name: str, kind: str, most: int = LINE_BYTES) -> None:
        csv.field_size_limit(_LARGEST_CELL)
        self._lines = _Lines(lines, most)
        self._reader = csv.reader(self._lines, delimiter=DELIMITERS[kind])
        self._name = name
        try:
            # the first line that is not blank
            self.header = next(filter(None, iter(self._record, None)), [])
            "".join(self.header).encode("utf-8")
        except csv.Error as error:
            raise InputError(f"{name} has no header that can be read: {error}.") from error
        except UnicodeEncodeError as error:
            raise InputError(f"{name} has a header that is not UTF-8; convert it.") from error
        if len(set(self.header)) < len(self.header):
            raise InputError(f"{name} has two columns of one name; rename one.")

    def rows(self, field: str, skip: int = 0) -> Iterator[Row | BadRow]:
        """Yield a row for each record after the header.

        Args:
            field: the column of the text.
            skip: records that are passed over.

        Raises:
            InputError: if there is no such column.
        """
        if field not in self.header:
            columns = ", ".join(repr(name) for name in self.header[:8]) or "none"
            raise InputError(
                f"{self._name} has no column {field!r} (the columns are {columns}); "
                "name the column of the text with --text-field."
            )
        number = 0
        while True:
            try:
                record = self._record()
                if record is None:
                    return
                if not record:  # blank lines are no rows
                    continue
                number += 1
                if number > skip:
                    yield self._row(number, record, field)
            except csv.Error as error:
                number += 1
                if number > skip:
                    yield BadRow(number, self._lines.refused or f"not valid CSV ({error})")

    def _record(self) -> list[str] | None:
        """Return the next record; None at the end."""
        self._lines.begin()
        return next(self._reader, None)

    def _row(self, number: int, record: list[str], field: str) -> Row | BadRow:
        if len(record) != len(self.header):
            return BadRow(number, f"{len(record)} values for {len(self.header)} columns")
        try:
            "".join(record).encode("utf-8")
        except UnicodeEncodeError:
            return BadRow(number, "not UTF-8")
        values = dict(zip(self.header, record, strict=True))
        return Row(number, values, values[field], size=self._lines.held)


class _Lines:
    """The lines of a table as strings, until those of one record are too long to be held.

    Such a record is passed over to its end, which is the first line end with as many opened as
    closed quotation marks before it; then the reader is told by a `csv.Error`.

    Attributes:
        held: bytes of the record so far.
        refused: why the record is passed over; None if it is not.
    """

    def __init__(self, lines: Iterable[Line], most: int) -> None:
        self._lines = iter(lines)
        self._most = most
        self.begin()

    def begin(self) -> None:
        """Say that what comes is a new record."""
        self.held = self._quotes = 0
        self.refused: str | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            if self._quotes % 2:  # the reader would take the rest of the file for one cell
                raise csv.Error("a quotation mark opens in this record and none closes it")
            raise StopIteration
        is_long = self._count(line)
        if isinstance(line, LongLine) or is_long:
            for more in self._lines if self._quotes % 2 else ():
                self._count(more)
                if self._quotes % 2 == 0:
                    break
            self.refused = too_long(self._most)
            raise csv.Error(self.refused)
        # Bytes that are not UTF-8 go through as lone surrogates, to be refused in their row.
        return line.decode("utf-8", "surrogateescape")

    def _count(self, line: Line) -> bool:
        """Add a line to the record; return whether that is too long now."""
        if isinstance(line, LongLine):
            self._quotes += line.quotes
            return True
        self._quotes += line.count(b'"')
        self.held += len(line)
        return self.held > self._most
