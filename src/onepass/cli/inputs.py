"""What is read: one text, or the rows of a file, without ever trusting the bytes.

A row that cannot be read becomes a `BadRow` and the rest goes on; a file that cannot be read is an
error. This module does not know what is done with the rows.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import math
import sys
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from onepass.errors import InputError

STDIN = "-"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_KINDS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text", ".csv": "csv"}
_LARGEST_CELL = 2**31 - 1  # Python's own limit for a CSV cell is 131,072 characters
_JSON_NAMES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a file, with the text that it holds."""

    number: int  # from 1; in JSONL and text files the number of the line
    values: Mapping[str, Any]
    text: str


@dataclass(frozen=True, slots=True)
class BadRow:
    """One row of a file that failed, and why."""

    number: int
    error: str


@dataclass(frozen=True, slots=True)
class Source:
    """A file of rows that is there and of a kind that can be read; a path of None is stdin."""

    path: Path | None
    kind: str  # "jsonl", "text" or "csv"

    @property
    def name(self) -> str:
        """What to call it in a message."""
        return "Standard input" if self.path is None else f"The file {self.path}"


def read_text(given: str | None) -> str:
    """Return the one text of a command.

    Args:
        given: the argument; "-" or None means standard input, whose last line break is dropped.

    Raises:
        InputError: if there is no text, or it is empty or not UTF-8.
    """
    text = _piped_text() if given is None or given == STDIN else given
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:  # bytes of an argument that were not UTF-8
        raise InputError(
            f"The text is not UTF-8 (at character {error.start}); convert it to UTF-8."
        ) from error
    if not text:
        raise InputError(
            "The text is empty; give a TEXT, pipe one in, or name a file with --input."
        )
    return text


def _piped_text() -> str:
    if sys.stdin.isatty():
        raise InputError("There is no text; give a TEXT, pipe one in, or name a file with --input.")
    text = _decoded(sys.stdin.buffer.read(), "Standard input")
    return text[:-1].removesuffix("\r") if text.endswith("\n") else text


def read_text_file(path: Path, what: str, expected: str) -> str:
    """Return the content of a UTF-8 file.

    Args:
        path: the file.
        what: what the file is to the user, for the message.
        expected: what to give instead, for the message.

    Raises:
        InputError: if it is not there, cannot be read, or is not UTF-8.
    """
    _check_file(path, what, expected)
    try:
        return _decoded(path.read_bytes(), f"The {what} {path}")
    except OSError as error:
        raise InputError(f"The {what} {path} cannot be read: {error.strerror}.") from error


def find_source(given: str) -> Source:
    """Return the file of rows that ``--input`` names.

    Args:
        given: a path ending in .jsonl, .ndjson, .txt or .csv, each also with .gz; "-" is JSONL from
            standard input.

    Raises:
        InputError: if there is no such file, or its kind is not known.
    """
    if given == STDIN:
        return Source(None, "jsonl")
    path = Path(given)
    _check_file(path, "input file", "give the path of an existing file")
    if not path.is_file():
        return Source(path, "jsonl")  # a pipe, such as a process substitution of the shell
    suffix = Path(path.stem if path.suffix.lower() == ".gz" else path).suffix.lower()
    if suffix not in _KINDS:
        raise InputError(
            f"The kind of the input file {path} is not known; "
            "give a .jsonl, .txt or .csv file (each also as .gz)."
        )
    return Source(path, _KINDS[suffix])


def read_rows(source: Source, text_field: str) -> Iterator[Row | BadRow]:
    """Yield the rows of a file in their order.

    In JSONL each line that is not blank is a row, in a text file each line, in CSV each record
    after the header.

    Args:
        source: what to read.
        text_field: the key or column that holds the text; a text file has the only field "text".

    Raises:
        InputError: if the file as a whole cannot be read.
    """
    with _opened(source) as file:
        lines = _lines(file, source)
        if source.kind == "csv":
            yield from _csv_rows(lines, source, text_field)
            return
        for number, raw in enumerate(lines, 1):
            if source.kind == "jsonl" and not raw.strip():
                continue
            try:
                values = _json_values(raw) if source.kind == "jsonl" else _line_values(raw)
                field = text_field if source.kind == "jsonl" else "text"
                yield Row(number, values, _text_in(values, field))
            except InputError as error:
                yield BadRow(number, str(error))


@contextmanager
def _opened(source: Source) -> Iterator[BinaryIO]:
    """Open a source for reading bytes, and put a name on what the system says."""
    try:
        if source.path is None:
            yield sys.stdin.buffer
        elif source.path.suffix.lower() == ".gz":
            with gzip.open(source.path, "rb") as packed:
                yield packed  # type: ignore[misc]  # a GzipFile reads like a BinaryIO
        else:
            with source.path.open("rb") as file:
                yield file
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{source.name} is not a whole gzip file: {error}.") from error
    except PermissionError as error:
        raise InputError(f"{source.name} cannot be read: {error.strerror}.") from error


def _lines(file: BinaryIO, source: Source) -> Iterator[bytes]:
    """Yield the lines without a byte order mark at the start."""
    for number, line in enumerate(file):
        if number == 0:
            if line.startswith(_UTF16):
                raise InputError(f"{source.name} is UTF-16; convert it to UTF-8.")
            line = line.removeprefix(codecs.BOM_UTF8)
        yield line


def _line_values(raw: bytes) -> dict[str, Any]:
    text = _row_text(raw)
    return {"text": text[:-1].removesuffix("\r") if text.endswith("\n") else text}


def _json_values(raw: bytes) -> dict[str, Any]:
    text = _row_text(raw)
    try:
        values = json.loads(text, parse_constant=_not_json, parse_float=_finite)
    except json.JSONDecodeError as error:
        raise InputError(f"not valid JSON ({error.msg} at column {error.colno})") from error
    except (ValueError, RecursionError) as error:  # a number or a nesting beyond Python's limits
        raise InputError(f"not JSON that can be read ({error})") from error
    if not isinstance(values, dict):
        raise InputError(f"expected a JSON object, got {_json_name(values)}")
    return values


def _row_text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 (byte {raw[error.start]:#04x} at position {error.start} of the line)"
        ) from error


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise ValueError(f"{number} is too large")
    return value


def _json_name(value: object) -> str:
    return "null" if value is None else _JSON_NAMES.get(type(value), "a number")


def _text_in(values: Mapping[str, Any], field: str) -> str:
    if field not in values:
        keys = ", ".join(repr(key) for key in list(values)[:8]) or "none"
        raise InputError(f"no field {field!r} (the fields are {keys}); name it with --text-field")
    text = values[field]
    if not isinstance(text, str):
        raise InputError(f"the field {field!r} must be a string, but it is {_json_name(text)}")
    return text


def _csv_rows(lines: Iterable[bytes], source: Source, field: str) -> Iterator[Row | BadRow]:
    csv.field_size_limit(_LARGEST_CELL)
    # Bytes that are not UTF-8 go through as lone surrogates, to be refused in the row they are in.
    reader = csv.reader(line.decode("utf-8", "surrogateescape") for line in lines)
    header = next(reader, [])
    if field not in header:
        columns = ", ".join(repr(name) for name in header[:8]) or "none"
        raise InputError(
            f"{source.name} has no column {field!r} (the columns are {columns}); "
            "name the column of the text with --text-field."
        )
    if len(set(header)) < len(header):
        raise InputError(f"{source.name} has two columns of one name; rename one.")
    number = 0
    while True:
        try:
            record = next(reader, None)
            if record is None:
                return
            if record:  # blank lines are no rows
                number += 1
                yield Row(number, *_csv_values(header, record, field))
        except InputError as error:
            yield BadRow(number, str(error))
        except csv.Error as error:
            number += 1
            yield BadRow(number, f"not valid CSV ({error})")


def _csv_values(header: list[str], record: list[str], field: str) -> tuple[dict[str, str], str]:
    if len(record) != len(header):
        raise InputError(f"{len(record)} values for {len(header)} columns")
    try:
        "".join(record).encode("utf-8")
    except UnicodeEncodeError as error:
        raise InputError("not UTF-8") from error
    values = dict(zip(header, record, strict=True))
    return values, values[field]


def _check_file(path: Path, what: str, expected: str) -> None:
    if path.is_dir():
        raise InputError(f"The {what} {path} is a directory; {expected}.")
    if not path.exists():
        raise InputError(f"There is no {what} {path}; {expected}.")


def _decoded(raw: bytes, name: str) -> str:
    if raw.startswith(_UTF16):
        raise InputError(f"{name} is UTF-16; convert it to UTF-8.")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 (byte {raw[error.start]:#04x} at position {error.start}); "
            "convert it to UTF-8."
        ) from error
