"""Results as JSONL or CSV: the bytes of each chunk, which follow one another in the output.

It does not know where the bytes go. Parquet is written by `onepass.batch.parquet_writing`.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from onepass.batch.answering import Answer, Refused
from onepass.batch.columns import ADDED
from onepass.batch.packing import packed
from onepass.batch.rows import FILE, BadRow, Cells, Chunk, Row
from onepass.results.surrogates import without_surrogates


class Writer(Protocol):
    """How results of one format are written."""

    def head(self) -> bytes:
        """Return what comes before the first chunk."""

    def chunk(self, results: Sequence[tuple[Row, str] | BadRow]) -> bytes:
        """Return a chunk of results."""

    def converted(self, rows: Path, result: Path) -> Path:
        """Return the finished file: what was written, or what it was converted to."""


def joined_results(chunk: Chunk, answers: Iterable[Answer]) -> list[tuple[Row, str] | BadRow]:
    """Return every row of a chunk with its answer, or as one that failed."""
    left = iter(answers)
    return [row if isinstance(row, BadRow) else _result(row, next(left)) for row in chunk.rows]


def _result(row: Row, answer: Answer) -> tuple[Row, str] | BadRow:
    if isinstance(answer, Refused):
        return BadRow(row.number, answer.error, row.values, row.file)
    return row, answer.json


def error_line(row: BadRow) -> str:
    r"""Return the line of JSONL that stands for a row which failed.

    >>> error_line(BadRow(2, "not JSON"))
    '{"row": 2, "error": "not JSON"}\n'
    """
    file = {} if row.file is None else {FILE: row.file}
    return json_line({**file, "row": row.number, "error": row.error})


def json_line(values: Mapping[str, Any]) -> str:
    r"""Return an object as one line of JSONL.

    >>> json_line({"row": 1})
    '{"row": 1}\n'
    """
    return _json(values) + "\n"


class JsonLines:
    """A line for each row: what was read, with its "extraction", or its number and "error".

    Args:
        packing: "gzip", "zstd" or None.
    """

    def __init__(self, packing: str | None = None) -> None:
        self._packing = packing

    def head(self) -> bytes:
        return b""

    def chunk(self, results: Sequence[tuple[Row, str] | BadRow]) -> bytes:
        return packed("".join(self._lines(results)).encode(*_UTF8), self._packing)

    def _lines(self, results: Iterable[tuple[Row, str] | BadRow]) -> Iterator[str]:
        for result in results:
            if isinstance(result, BadRow):
                yield error_line(result)
            else:
                row, extraction = result
                values = {key: row.values[key] for key in row.values if key != "extraction"}
                start = _json(values)[:-1] + ", " if values else "{"
                yield f'{start}"extraction": {extraction}}}\n'

    def converted(self, rows: Path, result: Path) -> Path:
        return rows


class CsvLines:
    """A record for each row: its columns, the "extraction" as JSON, and the "error" if it failed.

    Args:
        columns: the names of the input's columns.
        packing: "gzip", "zstd" or None.
    """

    def __init__(self, columns: Iterable[str], packing: str | None = None) -> None:
        self._columns = tuple(columns)
        self._packing = packing

    def head(self) -> bytes:
        return self._packed([[*self._columns, *ADDED]])

    def chunk(self, results: Sequence[tuple[Row, str] | BadRow]) -> bytes:
        return self._packed(self._record(result) for result in results)

    def _record(self, result: tuple[Row, str] | BadRow) -> list[str]:
        if isinstance(result, BadRow):
            cells = [*self._cells(result.values or {}), "", f"{result.place}: {result.error}"]
        else:
            row, extraction = result
            cells = [*self._cells(row.values), extraction, ""]
        return [without_surrogates(cell) for cell in cells]

    def _cells(self, values: Mapping[str, Any]) -> Iterator[str]:
        for name in self._columns:
            value = values.get(name)
            if value is None and isinstance(values, Cells):
                value = values.beyond_json(name)
            yield value if isinstance(value, str) else "" if value is None else _json(value)

    def _packed(self, records: Iterable[list[str]]) -> bytes:
        return packed("".join(map(_csv_line, records)).encode(*_UTF8), self._packing)

    def converted(self, rows: Path, result: Path) -> Path:
        return rows


def _csv_line(record: Iterable[str]) -> str:
    r"""Return a record as a line.

    >>> _csv_line(["a", "b\rc", "d, e"])
    'a,"b\rc","d, e"\n'
    """
    line = io.StringIO(newline="")
    # both characters in the end of a line, or cells with the other one would not be quoted
    csv.writer(line, lineterminator=_CRLF).writerow(record)
    return line.getvalue().removesuffix(_CRLF) + "\n"


_CRLF = "\r\n"
# A lone surrogate is legal in a Python string but not in UTF-8; in JSON this escape is legal.
_UTF8 = ("utf-8", "backslashreplace")
_json = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode  # made once: cells are many
