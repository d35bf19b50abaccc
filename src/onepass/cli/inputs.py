"""What is read: the one text of a command, or a file of text that it names.

It never trusts the bytes. How rows are read is the business of `onepass.batch`.
"""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

from onepass.batch.lines import UTF16
from onepass.batch.sources import STDIN, left_out
from onepass.cli.output import say
from onepass.errors import InputError

_SHOWN = 8  # endings of files that are left out


def read_text(given: str | None) -> str:
    """Return the one text of a command; a text that names a file gets a hint on standard error.

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
    if given is not None and given != STDIN and os.path.isfile(given):  # also of any odd text
        say(
            f"onepass: the text is the name of a file, which is not read; to read what is in it: "
            f"--input {shlex.quote(given)}"
        )
    return text


def _piped_text() -> str:
    if sys.stdin.isatty():
        raise InputError("There is no text; give a TEXT, pipe one in, or name a file with --input.")
    text = _decoded(sys.stdin.buffer.read(), "Standard input")
    return text[:-1].removesuffix("\r") if text.endswith("\n") else text


def say_left_out(given: str | Path | Sequence[str | Path]) -> None:
    """Say how many files of directories are not read since they are of other kinds.

    Args:
        given: what --input names.
    """
    counts = left_out(given)
    if number := sum(counts.values()):
        what = (
            "1 file of another kind was" if number == 1 else f"{number:,} files of other kinds were"
        )
        kinds = sorted(kind or "no ending" for kind in counts)
        shown = ", ".join(kinds[:_SHOWN]) + (", ..." if len(kinds) > _SHOWN else "")
        say(f"onepass: {what} left out ({shown})")


def read_text_file(path: Path, what: str, expected: str) -> str:
    """Return the content of a UTF-8 file.

    Args:
        path: the file.
        what: what the file is to the user, for the message.
        expected: what to give instead, for the message.

    Raises:
        InputError: if it is not there, cannot be read, or is not UTF-8.
    """
    if path.is_dir():
        raise InputError(f"The {what} {path} is a directory; {expected}.")
    if not path.exists():
        raise InputError(f"There is no {what} {path}; {expected}.")
    try:
        return _decoded(path.read_bytes(), f"The {what} {path}")
    except OSError as error:
        raise InputError(f"The {what} {path} cannot be read: {error.strerror}.") from error


def _decoded(raw: bytes, name: str) -> str:
    if raw.startswith(UTF16):
        raise InputError(f"{name} is UTF-16; convert it to UTF-8.")
    try:
        return raw.decode("utf-8").removeprefix("\ufeff")
    except UnicodeDecodeError as error:
        raise InputError(
            f"{name} is not UTF-8 (byte {raw[error.start]:#04x} at position {error.start}); "
            "convert it to UTF-8."
        ) from error
