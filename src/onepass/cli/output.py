"""What is written: results on standard output or in a file, messages on standard error.

A file appears under its name only when all of it is there. This module does not know how a result
came about.
"""

from __future__ import annotations

import errno
import gzip
import io
import json
import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TextIO, cast

import typer

from onepass.batch.packing import ending, packing
from onepass.batch.streams import is_device, own_stream
from onepass.cli.file_options import ExtractFormat as Format
from onepass.errors import InputError
from onepass.results.wording import printable

if TYPE_CHECKING:
    from onepass.results.types import Extraction

Write = Callable[[str], None]

PIPE_CLOSED = 141  # 128 + SIGPIPE, as shells count
_ELSEWHERE = "; write it elsewhere"
_SUFFIXES = {
    ".html": Format.HTML,
    ".htm": Format.HTML,
    ".jsonl": Format.JSONL,
    ".ndjson": Format.JSONL,
    ".json": Format.JSON,
}


def default_format(output: Path | None) -> Format:
    """Return the format of one result where none was asked: what the place it goes to suggests."""
    if output is None:
        return Format.TABLE if sys.stdout.isatty() else Format.JSON
    return _SUFFIXES.get(ending(output), Format.JSON)


def one_format(output: Path | None) -> Format:
    """Return the format of one result where none was asked.

    Raises:
        InputError: if the name of the output asks for a table of many, or for something unknown.
    """
    suffix = "" if output is None or is_device(output) else ending(output)
    if suffix and suffix not in _SUFFIXES and suffix not in (".csv", ".tsv", ".parquet"):
        raise InputError(
            f"The output {output} ends in {suffix}, as which a result is not written; give a name "
            "in .json, .jsonl or .html, or --format."
        )
    if suffix in (".csv", ".tsv", ".parquet"):
        raise InputError(
            f"The output {output} ends in {suffix}, which is for --input; give a name in .json, "
            ".jsonl or .html, or --format."
        )
    return default_format(output)


def rendered(doc: Extraction, form: Format) -> str:
    """Return one extraction in a format, with the line break at its end.

    >>> from onepass.results.types import Extraction
    >>> rendered(Extraction("a"), Format.JSONL)[:12]
    '{"text": "a"'
    """
    if form is Format.JSON:
        return doc.to_json(indent=2) + "\n"
    if form is Format.JSONL:
        return doc.to_json() + "\n"
    if form in (Format.CSV, Format.PARQUET):
        raise InputError(f"--format {form} is for --input; give json, jsonl, table or html.")
    from onepass.results.render import to_html
    from onepass.results.table import to_table

    return to_table(doc) + "\n" if form is Format.TABLE else to_html(doc)


def json_text(values: Mapping[str, Any]) -> str:
    """Return an object as JSON for people, with the line break at its end.

    >>> print(json_text({"a": [1]}), end="")
    {
      "a": [
        1
      ]
    }
    """
    return json.dumps(values, ensure_ascii=False, allow_nan=False, indent=2) + "\n"


def section(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a title and rows of cells as columns, two spaces apart; cells are nothing but text.

    >>> print(section("Ages", [["Bo", "9"], ["Anna", "7"]]), end="")
    Ages
      Bo    9
      Anna  7
    """
    shown = [[printable(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*shown, strict=True)]
    lines = ["  ".join(c.ljust(w) for c, w in zip(row, widths, strict=True)) for row in shown]
    return "".join(f"{line.rstrip()}\n" for line in (title, *(f"  {x}" for x in lines or ["none"])))


def say(message: str) -> None:
    """Write a message to standard error; but for the ends of its lines it is nothing but text."""
    tell("".join(f"{printable(line)}\n" for line in message.split("\n")))


def tell(text: str) -> None:
    """Write to standard error at once; what cannot be written there ends no command."""
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except OSError:
        _drop_what_follows(sys.stderr)


@contextmanager
def opened(output: Path | None, what: str = "output") -> Iterator[Write]:
    """Open what a command writes to.

    Args:
        output: a file, which is packed if its name ends in .gz; None for standard output.
        what: it is to the user, for messages.

    Returns:
        A context that gives a function which writes text. A file is written beside its place and
        moved there at the end; if the block fails, the place stays as it was. Whether it can be
        written is tried at once, but nothing is left beside its place before something is written.
        Who may read a file that is there may read what takes its place.

    Raises:
        InputError: if the file cannot be written, or its name asks for Zstandard.
        Exit: if whoever read what is written stopped reading.
    """
    if output is None:
        yield show
        return
    if packing(output) == "zstd":
        raise InputError(f"The output {output} cannot be packed with zstd here; give .gz.")
    direct = is_device(output)
    place = output if direct else _place_of(output, what)
    part = place if direct else place.with_name(f".{place.name}.{os.getpid()}.part")
    name, packed = f"The {what} {output}", packing(output) == "gzip"
    with _named(name, _ELSEWHERE):
        file = _added_to(output, packed) if direct else _new_file(part, place, packed)
        if not direct:  # a process that is killed at its work cannot remove a file
            file.close()
            part.unlink()

    def write(text: str) -> None:
        nonlocal file
        with _until_pipe_closed(), _named(name, _ELSEWHERE):
            if file.closed:
                file = _new_file(part, place, packed)
            file.write(text)
            if direct:  # somebody may wait for it
                file.flush()

    try:
        yield write
        write("")
        with _until_pipe_closed(), _named(name, _ELSEWHERE):
            file.close()
            if not direct:
                part.replace(place)
    finally:
        with suppress(OSError):  # it was said when it was written
            file.close()
        if not direct:
            part.unlink(missing_ok=True)


def _place_of(output: Path, what: str) -> Path:
    """Return where a file will be written, through links, or refuse a directory."""
    place = Path(os.path.realpath(output))
    if place.is_dir():
        raise InputError(f"The {what} {output} is a directory; give the name of a file.")
    if not place.parent.is_dir():
        raise InputError(f"There is no directory {place.parent} for the {what}; make it first.")
    return place


@contextmanager
def _named(name: str, advice: str = "") -> Iterator[None]:
    """Put a name on what the system says about a file, and behind it what to do."""
    try:
        yield
    except OSError as error:
        raise InputError(f"{name} cannot be written: {error.strerror}{advice}.") from error


def _new_file(part: Path, place: Path, packed: bool) -> TextIO:
    """Open a file that will take a place, for those who may read what is there now."""
    part.unlink(missing_ok=True)  # of a process that was killed
    file = _text_to(_binary_file(part, "xb", packed))  # no link that others put there is followed
    if place.exists():
        shutil.copymode(place, part)
    return file


def _added_to(output: Path, packed: bool) -> TextIO:
    """Open a device or a stream; a file behind it keeps what it holds, and others may go on."""
    stream = own_stream(output)
    if stream is None:
        return _text_to(_binary_file(output, "ab", packed))
    return _text_to(os.fdopen(os.dup(stream), "wb"))


def _binary_file(path: Path, mode: str, packed: bool) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, mode) if packed else path.open(mode))


def _text_to(file: BinaryIO) -> TextIO:
    # A lone surrogate is legal in a Python string but not in UTF-8; in JSON this escape is legal.
    return io.TextIOWrapper(file, encoding="utf-8", errors="backslashreplace", newline="\n")


def show(text: str) -> None:
    """Write to standard output at once; whoever reads it may stop reading."""
    try:
        with _until_pipe_closed(sys.stdout), _named("Standard output"):
            sys.stdout.write(text)
            sys.stdout.flush()
    except typer.Exit:
        _drop_what_follows(sys.stdout)
        raise


@contextmanager
def _until_pipe_closed(standard: TextIO | None = None) -> Iterator[None]:
    """End the command without a word where whoever reads a pipe stopped reading.

    Args:
        standard: the standard stream that is written to, if it is one.
    """
    try:
        yield
    except InputError as error:
        if not isinstance(error.__cause__, BrokenPipeError) and not (
            standard and _is_closed_on_windows(error.__cause__, standard)
        ):
            raise
        raise typer.Exit(PIPE_CLOSED) from None


def _is_closed_on_windows(error: BaseException | None, stream: TextIO) -> bool:
    """Return whether nobody reads a pipe any more: Windows calls it an argument that is wrong."""
    if sys.platform != "win32" or not isinstance(error, OSError) or error.errno != errno.EINVAL:
        return False
    return stat.S_ISFIFO(os.fstat(stream.fileno()).st_mode)


def _drop_what_follows(stream: TextIO) -> None:
    """Let a standard stream write to nowhere, so that its last flush is quiet, too."""
    with suppress(OSError), open(os.devnull, "w") as nothing:
        os.dup2(nothing.fileno(), stream.fileno())
