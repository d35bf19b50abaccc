"""Rows of JSON: files of one object a line, of one list, or of one object over several lines.

Every error has the place. It knows nothing about what the objects mean.
"""

from __future__ import annotations

import codecs
import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO, cast

from onepass.errors import InputError
from onepass.schema.shown import json_reason

PAIR = ("text", "annotations")  # keys of the object that stands for [text, object] in a list

_BOM = "\ufeff"
# Python converts no more digits than its limit, and says so with a plain ValueError.
_LONG_NUMBER = "holds a number of too many digits; shorten it"


def check_regular(path: Path) -> None:
    """Refuse a pipe or a device, since annotated files are read more than once.

    Raises:
        InputError: if it is one.

    >>> check_regular(Path("gold.jsonl"))  # what is not there is said by who opens it
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        raise InputError(
            f"{path} is a pipe or a device, which cannot be read more than once; write what it "
            "gives to a file, and give that."
        )


def check_there(path: Path) -> None:
    """Refuse what is not a file that is there.

    Raises:
        InputError: if there is no such file, or it is a pipe or a device.
    """
    check_regular(path)
    if not path.is_file():
        raise InputError(f"There is no file {path}; give the path of an existing JSONL file.")


def open_text(path: Path) -> TextIO:
    """Open a UTF-8 text file for reading, gzip (by its suffix ``.gz``) or not.

    Raises:
        InputError: if there is no such file, or it is a pipe or a device.
    """
    check_there(path)
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8-sig"))
    return path.open(encoding="utf-8-sig")  # a byte order mark is not part of the first line


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number (from 1) and the object of every line that is not blank.

    Raises:
        InputError: naming the first line that is not UTF-8 or not a JSON object.
    """
    for place, row in each_row(path):
        if isinstance(row, InputError):
            raise row
        yield place, row


def each_row(path: Path) -> Iterator[tuple[int, dict[str, Any] | InputError]]:
    """Yield the number (from 1) and the object of every line, or what is wrong with the line.

    Raises:
        InputError: where the file cannot be read on: it is not a complete gzip file.
    """
    for number, line in raw_lines(path):
        if line.strip():
            try:
                with at_line(path, number):
                    row = parse_row(line)
            except InputError as error:
                yield number, error
            else:
                yield number, row


def raw_lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield the number (from 1) and the bytes of every line, without a byte order mark.

    Raises:
        InputError: where the file cannot be read on: it is not a complete gzip file.
    """
    number = 0
    with open_text(path) as file:
        lines = iter(file.buffer)  # bytes: a wrong one spoils its own line only
        while True:
            try:
                line = next(lines, None)
            except (gzip.BadGzipFile, EOFError, zlib.error) as error:
                raise InputError(
                    f"{path}, after line {number}: not a complete gzip file ({error}); "
                    "compress it again, or take .gz from its name if it is not compressed."
                ) from error
            if line is None:
                return
            number += 1
            yield number, line.removeprefix(codecs.BOM_UTF8) if number == 1 else line


def is_one_json(path: Path) -> bool:
    """Return whether a file is one JSON list or object, by its first line that is not blank.

    A list begins with a bracket. An object is one line of many, unless nothing but its brace is.

    Raises:
        InputError: if there is no such file.
    """
    with open_text(path) as file:
        try:
            first = next((line.strip() for line in file if line.strip()), "")
            return first[:1] == "[" or first == "{"
        except (UnicodeDecodeError, OSError, EOFError, zlib.error):
            return False  # the reader of lines says what is wrong


def read_entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the place ("line 3", "entry 3") and the object of every row of lines or of one list.

    A pair of a text and an object is an object of both, see `PAIR`.

    Raises:
        InputError: naming the first row that is not a JSON object.
    """
    for place, row in each_entry(path):
        if isinstance(row, InputError):
            raise row
        yield place, row


def each_entry(path: Path) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """Yield what `read_entries` does, or what is wrong with a row, and go on.

    Raises:
        InputError: where the file cannot be read on.
    """
    if not is_one_json(path):
        for number, row in each_row(path):
            yield f"line {number}", row
        return
    for number, entry in enumerate(_read_list(path), 1):
        place = f"entry {number}"
        if isinstance(entry, list) and list(map(type, entry)) == [str, dict]:
            yield place, dict(zip(PAIR, entry, strict=True))
        elif isinstance(entry, dict):
            yield place, entry
        else:
            yield (
                place,
                InputError(f"{path}, {place}: expected a JSON object, got {type(entry).__name__}."),
            )


def sound_entries(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    r"""Yield what `read_entries` does, without what cannot be read.

    It is for a look ahead at a whole file: what is wrong is said by who reads the rows.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     path = Path(directory, "data.jsonl")
    ...     _ = path.write_text('{"text": "Bo"}\n{"text"\n')
    ...     list(sound_entries(path))
    [('line 1', {'text': 'Bo'})]
    """
    try:
        for place, row in each_entry(path):
            if not isinstance(row, InputError):
                yield place, row
    except InputError:  # the file ends where it cannot be read on
        return


def _read_list(path: Path) -> list[Any]:
    """Return the entries of a file that is one JSON list, or the object that it is."""
    with open_text(path) as file:
        try:
            rows: Any = json.load(file)
        except json.JSONDecodeError as error:
            if error.msg == "Extra data":
                raise InputError(
                    f"{path} begins with a JSON list or an object over several lines, and more "
                    f"follows it in line {error.lineno}; write one object a line, or one list of "
                    "objects."
                ) from error
            raise InputError(
                f"{path} is not valid JSON ({json_reason(error)}, line {error.lineno}, "
                f"column {error.colno})."
            ) from error
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8; convert it.") from error
        except ValueError as error:
            raise InputError(f"{path} {_LONG_NUMBER}.") from error
        except RecursionError as error:
            raise InputError(f"{path}: the JSON is nested too deeply.") from error
        except (OSError, EOFError, zlib.error) as error:
            raise InputError(f"{path} is not a complete gzip file ({error}).") from error
    return rows if isinstance(rows, list) else [rows]


def parse_row(line: str | bytes) -> dict[str, Any]:
    """Return the object that a line holds.

    Raises:
        InputError: if it is not a JSON object.

    >>> parse_row('{"text": "Bo"}')
    {'text': 'Bo'}
    >>> parse_row('["Bo"]')
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: expected a JSON object, got list.
    """
    try:
        text = line.decode() if isinstance(line, bytes) else line
        row = json.loads(text)
    except json.JSONDecodeError as error:
        if text.startswith(_BOM):  # that of the file was taken off
            raise InputError("a byte order mark stands before the JSON; take it out.") from error
        raise InputError(f"not valid JSON ({json_reason(error)}, column {error.colno}).") from error
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 (byte {error.object[error.start]:#04x}); convert the file to UTF-8."
        ) from error
    except ValueError as error:
        raise InputError(f"the row {_LONG_NUMBER}.") from error
    except RecursionError as error:
        raise InputError("the JSON is nested too deeply.") from error
    if not isinstance(row, dict):
        raise InputError(f"expected a JSON object, got {type(row).__name__}.")
    return row


@contextmanager
def at_line(path: Path, place: int | str) -> Iterator[None]:
    """Put the file and the line, or another place in it, in front of errors that are raised inside.

    >>> with at_line(Path("a.jsonl"), 3):
    ...     parse_row("[]")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: a.jsonl, line 3: expected a JSON object, got list.
    """
    try:
        yield
    except InputError as error:
        where = f"line {place}" if isinstance(place, int) else place
        raise InputError(f"{path}, {where}: {error}") from error
