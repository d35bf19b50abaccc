"""Rows of JSONL and text files, without ever trusting the bytes.

A row that cannot be read becomes a `BadRow` and the rest goes on. A line that is longer than what
may be held in memory is passed over, piece by piece. It does not know files.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NoReturn

from onepass.batch.rows import BadRow, Row
from onepass.errors import InputError
from onepass.schema.nesting import TOO_DEEP, is_too_deep
from onepass.schema.shown import json_reason

UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
LINE_BYTES = 1 << 26  # 64 MiB: more than any text that is meant
_BOM = "\ufeff"
# The start of a list of objects, or of an object over several lines.
_NO_LINE = re.compile(rb"\s*(?:(\[)\s*(?:\{|$)|\{\s*$)")
_PIECE = 1 << 16  # bytes of a line that is passed over
_HEAD = 1 << 10  # bytes at the start that tell how a file is encoded
_NULS = 4  # of these bytes, and a share of them, are more than a stray one
_NUL_SHARE = 1 / 8  # of every other byte; of Cyrillic text, only blanks and marks have one
_JSON_NAMES = {dict: "an object", list: "an array", str: "a string", bool: "a boolean"}


@dataclass(frozen=True, slots=True)
class LongLine:
    """A line that is passed over.

    Args:
        most: the bytes that a line may have.
        pieces: all of it, one after the other, until the next line is asked for.
    """

    most: int
    pieces: Iterator[bytes] = field(default=iter(()), compare=False, repr=False)

    @property
    def error(self) -> str:
        """Why it is passed over."""
        return too_long(self.most)


def too_long(most: int) -> str:
    """Return why something was passed over.

    >>> too_long(1 << 20)
    'longer than 1,048,576 bytes; allow more with max_line (--max-line)'
    """
    return f"longer than {most:,} bytes; allow more with max_line (--max-line)"


def fields_told(what: str, names: Sequence[str], *, named: bool) -> str:
    """Return which fields there are, for a message.

    Args:
        what: "fields" or "columns".
        names: of all of them.
        named: whether the message may tell some of the names, or only how many there are.

    >>> fields_told("columns", ["id", "body"], named=True)
    "the columns are 'id', 'body'"
    >>> fields_told("columns", ["Anna Weiss", "anna@example.com"], named=False)
    'the number of columns is 2'
    """
    if not named:
        return f"the number of {what} is {len(names)}"
    return f"the {what} are {', '.join(repr(name) for name in names[:8]) or 'none'}"


Line = bytes | LongLine


def is_utf16(start: bytes) -> bool:
    r"""Return whether a file is UTF-16, with or without a byte order mark.

    Without one it is told by the zeros of ASCII characters, which are all at even places or all at
    odd ones; text of other scripts without blanks, which has none, is seldom valid UTF-8.

    Args:
        start: the first bytes of the file.

    >>> is_utf16("id,text".encode("utf-16-be")), is_utf16(b"a\0\0b\0\0c\0\0d\0\0")
    (True, False)
    """
    if start.startswith(UTF16):
        return True
    head = start[:_HEAD]
    fewer, more = sorted(head[parity::2].count(0) for parity in (0, 1))
    least = max(_NULS, _NUL_SHARE * len(head) / 2)
    return more >= least and fewer < _NUL_SHARE * more


def plain_lines(file: BinaryIO, name: str, most: int = LINE_BYTES) -> Iterator[Line]:
    r"""Yield lines without a byte order mark at the start.

    Args:
        file: that is read; no more than a line that may be held is in memory.
        name: what to call it.
        most: the bytes that a line may have, its end among them.

    Raises:
        InputError: for UTF-16.

    >>> from io import BytesIO
    >>> list(plain_lines(BytesIO(b"a\nlong line\nb"), "The file", 4))
    [b'a\n', LongLine(most=4), b'b']
    """
    head = b""
    while line := file.readline(most + 1):
        if len(head) < _HEAD:
            start, head = not head, head + line[:_HEAD]
            if is_utf16(head):
                raise InputError(f"{name} is UTF-16; convert it to UTF-8.")
            if start and line.startswith(codecs.BOM_UTF8):
                line = line.removeprefix(codecs.BOM_UTF8)
                if not line.endswith(b"\n"):  # the mark does not count
                    line += file.readline(len(codecs.BOM_UTF8))
        if len(line) <= most:
            yield line
        else:
            pieces = _pieces(line, file)
            yield LongLine(most, pieces)
            for _ in pieces:  # whatever was not looked at
                pass


def _pieces(line: bytes, file: BinaryIO) -> Iterator[bytes]:
    """Yield a line of which the start was read, up to its end."""
    while line:
        yield line
        if line.endswith(b"\n"):
            break
        line = file.readline(_PIECE)


def check_first(lines: Iterable[Line], name: str) -> None:
    """Refuse JSON that is not one object a line, by the first line that is not blank.

    Args:
        lines: of a file; no more of them are read.
        name: what to call it.

    Raises:
        InputError: for a list of objects, or an object over several lines.

    >>> check_first([b'{"text": "Bo"}', b"{"], "The file")
    >>> try:
    ...     check_first([b"{"], "The file")
    ... except InputError as error:
    ...     print(str(error)[:35])
    The file is JSON over several lines
    """
    for line in lines:
        start = next(line.pieces, b"") if isinstance(line, LongLine) else line
        found = _NO_LINE.match(start)
        if found:
            what, query = ("a JSON list", "'.[]'") if found[1] else ("JSON over several lines", ".")
            raise InputError(
                f"{name} is {what}, but JSONL has one object a line; write it so, for example with "
                f" jq -c {query}"
            )
        if start.strip():
            return


def json_rows(
    lines: Iterable[Line], field: str, skip: int = 0, *, named: bool = True, hint: str = ""
) -> Iterator[Row | BadRow]:
    """Yield a row for each line that is not blank.

    Args:
        lines: UTF-8, each an object.
        field: the key of the text.
        skip: lines that are passed over.
        named: whether messages may tell keys and numbers of a line.
        hint: the end of the message about the first of them, if it does not even begin an object.

    >>> [row.text for row in json_rows([b'{"a": "Bo"}'], "a")]
    ['Bo']
    """
    for number, raw in enumerate(lines, 1):
        if number <= skip:
            continue
        if isinstance(raw, LongLine):
            yield BadRow(number, raw.error)
            continue
        if not raw.strip():
            continue
        advice, hint = "" if raw.lstrip().startswith(b"{") else hint, ""
        values: dict[str, Any] | None = None
        try:
            values = json_values(raw, named=named)
            text = text_in(values, field, named=named)
            row: Row | BadRow = Row(number, values, text, size=len(raw))
        except InputError as error:
            row = BadRow(number, str(error) + advice, values)
        yield row


def text_rows(lines: Iterable[Line], skip: int = 0) -> Iterator[Row | BadRow]:
    r"""Yield a row for each line; its only field is "text".

    >>> [row.text for row in text_rows([b"a\r\n", b"\n"])]
    ['a', '']
    """
    for number, raw in enumerate(lines, 1):
        if number <= skip:
            continue
        if isinstance(raw, LongLine):
            yield BadRow(number, raw.error)
            continue
        try:
            text = line_text(raw)
        except InputError as error:
            yield BadRow(number, str(error))
            continue
        text = text[:-1].removesuffix("\r") if text.endswith("\n") else text
        yield Row(number, {"text": text}, text)


def json_values(raw: bytes, *, named: bool = True) -> dict[str, Any]:
    """Return the object of a line.

    Args:
        raw: the line.
        named: whether a message may tell keys and numbers of it.

    Raises:
        InputError: if it is none that can be read and written again.
    """
    text = line_text(raw)
    if text.startswith(_BOM):  # that of the file was taken off
        raise InputError("not valid JSON (a byte order mark stands before it; take it out)")
    try:
        values = json.loads(
            text.rstrip(),
            parse_constant=_not_json,
            parse_float=_finite,
            object_pairs_hook=_unique_keys,
        )
    except json.JSONDecodeError as error:
        raise InputError(
            f"not valid JSON ({json_reason(error)} at column {error.colno})"
        ) from error
    except RecursionError as error:
        raise InputError(f"not JSON that can be read ({TOO_DEEP})") from error
    except _Unreadable as error:
        reason = error.named if named else error
        raise InputError(f"not JSON that can be read ({reason})") from error
    except ValueError as error:  # Python converts no more digits than its limit
        raise InputError(
            "not JSON that can be read (a number has too many digits; shorten it)"
        ) from error
    if is_too_deep(values):
        raise InputError(f"not JSON that can be read ({TOO_DEEP})")
    if not isinstance(values, dict):
        raise InputError(f"expected a JSON object, got {_json_name(values)}")
    return values


def line_text(raw: bytes) -> str:
    """Return a line as a string.

    Raises:
        InputError: if it is not UTF-8.
    """
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(
            f"not UTF-8 (byte {raw[error.start]:#04x} at position {error.start} of the line)"
        ) from error


def text_in(values: Mapping[str, Any], field: str, *, named: bool = True) -> str:
    """Return the text of a row.

    Args:
        values: of the row.
        field: the key of the text.
        named: whether a message may tell other keys.

    Raises:
        InputError: if it has no such field, or one that is not a string.
    """
    if field not in values:
        fields = fields_told("fields", list(values), named=named)
        raise InputError(f"no field {field!r} ({fields}); name it with text_field (--text-field)")
    text = values[field]
    if not isinstance(text, str):
        raise InputError(f"the field {field!r} must be a string, but it is {_json_name(text)}")
    return text


class _Unreadable(ValueError):
    """Why a value cannot be read and written again.

    Attributes:
        named: the same with the key or the number that it is about.
    """

    def __init__(self, reason: str, named: str) -> None:
        super().__init__(reason)
        self.named = named


def _not_json(constant: str) -> NoReturn:
    reason = f"{constant} is not JSON"
    raise _Unreadable(reason, reason)


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values = dict(pairs)
    if len(values) < len(pairs):
        counts = Counter(key for key, _ in pairs)
        twice = next(key for key, count in counts.items() if count > 1)
        raise _Unreadable(
            "a key stands twice in one object", f"the key {twice!r:.60} stands twice in one object"
        )
    return values


def _finite(number: str) -> float:
    value = float(number)
    if math.isinf(value):
        raise _Unreadable("a number is too large", f"{number:.60} is too large")
    return value


def _json_name(value: object) -> str:
    return "null" if value is None else _JSON_NAMES.get(type(value), "a number")
