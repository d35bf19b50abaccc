"""Rows of CSV and TSV files with a header.

A record that cannot be read becomes a `BadRow` and the rest goes on; it does not know files.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from typing import Self

from onepass.batch.lines import LINE_BYTES, Line, LongLine, fields_told, too_long
from onepass.batch.rows import BadRow, Row
from onepass.errors import InputError

DELIMITERS = {"csv": ",", "tsv": "\t"}
_SEPARATORS = ",;\t"  # that people use
_OPEN = "a quotation mark opens in this record and none closes it"
_CR = "a line ends in CR alone; lines must end in LF"
_LARGEST_CELL = 2**31 - 1  # Python's own limit for a CSV cell is 131,072 characters


class Table:
    r"""A CSV file whose header was read.

    Args:
        lines: the bytes of the file.
        name: what to call the file in a message.
        kind: "csv" or "tsv".
        most: the bytes that a record may have.
        named: whether messages may tell the names of columns.

    Attributes:
        header: the names of its columns; none of a file that is empty.

    Raises:
        InputError: if the header cannot be read, or two columns have one name.

    >>> table = Table([b"id,body\n", b"1,Bo\n"], "The file", "csv")
    >>> [row.values for row in table.rows("body")]
    [{'id': '1', 'body': 'Bo'}]
    """

    def __init__(
        self,
        lines: Iterable[Line],
        name: str,
        kind: str,
        most: int = LINE_BYTES,
        *,
        named: bool = True,
    ) -> None:
        csv.field_size_limit(_LARGEST_CELL)
        self._lines = _Lines(lines, most, DELIMITERS[kind])
        self._reader = csv.reader(self._lines, delimiter=DELIMITERS[kind])
        self._name = name
        self._named = named
        try:
            # the first line that is not blank
            self.header = next(filter(None, iter(self._record, None)), [])
            "".join(self.header).encode("utf-8")
        except csv.Error as error:
            reason = self._lines.reason or error
            raise InputError(f"{name} has no header that can be read: {reason}.") from error
        except UnicodeEncodeError as error:
            raise InputError(f"{name} has a header that is not UTF-8; convert it.") from error
        if len(set(self.header)) < len(self.header):
            raise InputError(f"{name} has two columns of one name; rename one.")

    def check(self, field: str) -> None:
        """Refuse a table without a column; one that is empty has no header, and no rows.

        Raises:
            InputError: if there is no such column.
        """
        if self.header and field not in self.header:
            columns = fields_told("columns", self.header, named=self._named)
            raise InputError(f"{self._name} has no column {field!r} ({columns}); {self._advice()}.")

    def _advice(self) -> str:
        """Return what to do about a column that is not there."""
        if len(self.header) == 1 and any(mark in self.header[0] for mark in _SEPARATORS):
            return (
                "columns are separated by commas here, in .tsv files by tabs; write or name the "
                "file so"
            )
        return "name the column of the text with text_field (--text-field)"

    def rows(self, field: str, skip: int = 0) -> Iterator[Row | BadRow]:
        """Yield a row for each record after the header.

        Args:
            field: the column of the text.
            skip: records that are passed over.

        Raises:
            InputError: if there is no such column.
        """
        self.check(field)
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
                    yield BadRow(number, self._lines.reason or f"not valid CSV ({error})")

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
            return BadRow(number, "not UTF-8; save the table in UTF-8")
        values = dict(zip(self.header, record, strict=True))
        return Row(number, values, values[field], size=self._lines.held)


class _Lines:
    """The lines of a table as strings, until those of one record are too long to be held.

    Such a record is passed over to its end, which is the first line end outside quotation marks;
    then the reader is told by a `csv.Error`.

    Attributes:
        held: bytes of the record so far.
        reason: why the record cannot be read, if these lines know.
    """

    def __init__(self, lines: Iterable[Line], most: int, delimiter: str) -> None:
        self._lines = iter(lines)
        self._most = most
        self._quotes = Quotes(delimiter)
        self.begin()

    def begin(self) -> None:
        """Say that what comes is a new record."""
        self.held = 0
        self.reason: str | None = None

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> str:
        within = self.held > 0  # a mark is open, or the reader would not ask for more
        line = next(self._lines, None)
        if line is None:
            if within:  # the reader would take the rest of the file for one cell
                self.reason = None
                raise csv.Error(_OPEN)
            raise StopIteration
        if isinstance(line, LongLine) or self.held + len(line) > self._most:
            self._pass_over(line, within)
            never_ends = f"; {_OPEN}" if self._quotes.are_open else ""
            self.reason = too_long(self._most) + never_ends
            raise csv.Error(self.reason)
        self.held += len(line)
        if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
            self.reason = _CR  # of an error; in a quoted cell there is none
        # Bytes that are not UTF-8 go through as lone surrogates, to be refused in their row.
        return line.decode("utf-8", "surrogateescape")

    def _pass_over(self, line: Line | None, within: bool) -> None:
        """Read on to the end of a record of which a line was read."""
        self._quotes.begin(within)
        while line is not None:
            for piece in line.pieces if isinstance(line, LongLine) else (line,):
                self._quotes.read(piece)
            line = next(self._lines, None) if self._quotes.are_open else None


class Quotes:
    r"""Follows quotation marks as Python's reader of CSV does, in pieces of any length.

    A mark opens a cell only at its start: elsewhere it is a character like others.

    Args:
        delimiter: between cells.

    >>> quotes = Quotes(",")
    >>> for piece in (b'1,5" pipe,"see "', b'"below\n'):
    ...     quotes.read(piece)
    >>> quotes.are_open
    True
    """

    def __init__(self, delimiter: str) -> None:
        self._delimiter = delimiter.encode()
        # a lone carriage return is an error, with which the reader ends the record at its line
        self._cell_end = re.compile(b"[\r\n" + re.escape(self._delimiter) + b"]")
        self.begin()

    def begin(self, within: bool = False) -> None:
        """Say that a new line comes.

        Args:
            within: whether it is in a quoted cell.
        """
        self._state = _QUOTED if within else _START

    @property
    def are_open(self) -> bool:
        """Whether what follows is in a quoted cell."""
        return self._state == _QUOTED

    def read(self, piece: bytes) -> None:
        """Follow the marks of a piece."""
        at = 0
        while at < len(piece) and self._state != _ENDED:
            if self._state == _QUOTED:
                at = piece.find(b'"', at) + 1 or len(piece) + 1
                self._state = _QUOTED if at > len(piece) else _CLOSED
            elif self._state in (_START, _CLOSED) and piece[at : at + 1] == b'"':
                at += 1  # after one that closes, the two are a mark in the cell
                self._state = _QUOTED
            else:
                end = self._cell_end.search(piece, at)
                at = end.end() if end else len(piece)
                if end is None:
                    self._state = _PLAIN
                else:
                    self._state = _START if end[0] == self._delimiter else _ENDED


# Where in a line a piece ends: at the start of a cell, in a cell that is not quoted, in one that
# is, after a mark that may have closed that, or where the record is over.
_START, _PLAIN, _QUOTED, _CLOSED, _ENDED = range(5)
