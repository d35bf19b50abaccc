"""Rows of CSV and TSV files with a header.

A record that cannot be read becomes a `BadRow` and the rest goes on; it does not know files.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

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

    Attributes:
        header: the names of its columns.

    Raises:
        InputError: if the header cannot be read, or two columns have one name.

    >>> table = Table([b"id,body\n", b"1,Bo\n"], "The file", "csv")
    >>> [row.values for row in table.rows("body")]
    [{'id': '1', 'body': 'Bo'}]
    """

    def __init__(self, lines: Iterable[bytes], name: str, kind: str) -> None:
        csv.field_size_limit(_LARGEST_CELL)
        # Bytes that are not UTF-8 go through as lone surrogates, to be refused in their row.
        decoded = (line.decode("utf-8", "surrogateescape") for line in lines)
        self._reader = csv.reader(decoded, delimiter=DELIMITERS[kind])
        self._name = name
        try:
            self.header = next(filter(None, self._reader), [])  # the first line that is not blank
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
                record = next(self._reader, None)
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
                    yield BadRow(number, f"not valid CSV ({error})")

    def _row(self, number: int, record: list[str], field: str) -> Row | BadRow:
        if len(record) != len(self.header):
            return BadRow(number, f"{len(record)} values for {len(self.header)} columns")
        try:
            "".join(record).encode("utf-8")
        except UnicodeEncodeError:
            return BadRow(number, "not UTF-8")
        values = dict(zip(self.header, record, strict=True))
        return Row(number, values, values[field])
