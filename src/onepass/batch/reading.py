"""From the sources of a job to its chunks: in order, from any position, in bounded memory.

It does not know what is done with them.
"""

from __future__ import annotations

import codecs
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO, TypeVar

from onepass.batch.lines import is_utf16, json_rows, plain_lines, text_rows, too_long
from onepass.batch.live import as_they_come
from onepass.batch.packing import opened
from onepass.batch.parquet_reading import parquet_rows
from onepass.batch.rows import (
    FILE,
    START,
    BadRow,
    Cells,
    Chunk,
    Position,
    Row,
    chunked,
    chunked_at_pauses,
)
from onepass.batch.sources import Source
from onepass.batch.tables import Table
from onepass.errors import InputError

T = TypeVar("T")

_PLAIN_LINES = (  # the name of a file says what it holds
    "; standard input and pipes are read as JSONL; for plain lines give text_unit 'line' "
    "(--text-unit line)"
)


@dataclass
class Meter:
    """How many bytes of a source were read; readers set it as they go."""

    count: Callable[[], int] = lambda: 0


@dataclass
class Stop:
    """Whether a stream was stopped by who waited for it, with Ctrl-C or the like."""

    came: bool = False


def read_chunks(
    sources: Sequence[Source],
    text_field: str,
    start: Position = START,
    *,
    stop: Stop | None = None,
) -> Iterator[Chunk]:
    """Yield the rows of all sources, some at a time.

    Where a chunk of a file ends depends on the rows alone, so that reading on from the end of one
    gives the chunks that would have come. Of a stream, one ends where the stream pauses, too.

    Args:
        sources: what to read.
        text_field: the key or column of the text, of sources that have any.
        start: where to go on.
        stop: is told of a KeyboardInterrupt while a stream is read, which then ends there; without
            it, the rows that were read of a chunk are lost.

    Raises:
        InputError: if a file as a whole cannot be read.
        MissingExtra: if a package is needed for it.
    """
    before = sum(source.size() for source in sources[: start.source])
    for index in range(start.source, len(sources)):
        source, meter = sources[index], Meter()
        skip = start.number if index == start.source else 0
        told = None if source.is_stream else meter  # another thread reads it, and counts nothing
        found = read_rows(source, text_field, skip=skip, meter=told)
        for rows, paused in _parts(found, stop, live=source.is_stream):
            end = Position(index, rows[-1].number)
            yield Chunk(rows, end, before + meter.count(), paused)
        if stop is not None and stop.came:
            return
        before += source.size()


def read_rows(
    source: Source, text_field: str, *, skip: int = 0, meter: Meter | None = None
) -> Iterator[Row | BadRow]:
    """Yield the rows of one source.

    In JSONL each line that is not blank is a row, in a text file each line, in CSV each record
    after the header, in Parquet each row; of the kind "files" each file. Where a job has several
    sources, rows without a field "file" get one.

    Args:
        source: what to read.
        text_field: the key or column of the text; text files have the only field "text".
        skip: rows up to this number are passed over.
        meter: is told how far the bytes were read.

    Raises:
        InputError: if the source as a whole cannot be read.
        MissingExtra: if a package is needed for it.
    """
    meter = meter or Meter()
    if source.kind == "files":
        yield from _file_rows(source, skip, meter)
    elif source.path is None:
        stdin = sys.stdin  # held: it must not be closed at the end of Python while it is waited for
        yield from _line_rows(stdin.buffer, source, text_field, skip)
    else:
        name = source.file_of(source.path)
        rows = _rows(source, source.path, text_field, skip, meter)
        yield from rows if name is None else _with_file(rows, name)
    meter.count = source.size  # the file is closed, and read to its end


def _rows(
    source: Source, path: Path, text_field: str, skip: int, meter: Meter
) -> Iterator[Row | BadRow]:
    """Yield the rows of a source that is one file."""
    if source.kind == "parquet":
        share, size = 0.0, source.size()
        meter.count = lambda: int(share * size)
        file_name = source.file_of(path)
        rows = parquet_rows(
            path, text_field, skip, source.most, named=source.named, file_name=file_name
        )
        for row, share in rows:  # noqa: B007  read above
            yield row
    else:
        with opened(path) as file:
            meter.count = file.bytes_read
            yield from _line_rows(file.file, source, text_field, skip)


def _line_rows(
    file: BinaryIO, source: Source, text_field: str, skip: int
) -> Iterator[Row | BadRow]:
    lines = plain_lines(file, source.name, source.most)
    if source.kind == "text":
        yield from text_rows(lines, skip)
    elif source.kind == "jsonl":
        hint = _PLAIN_LINES if source.is_stream else ""
        yield from json_rows(lines, text_field, skip, named=source.named, hint=hint)
    else:
        table = Table(lines, source.name, source.kind, source.most, named=source.named)
        yield from table.rows(text_field, skip)


def _parts(
    rows: Iterator[Row | BadRow], stop: Stop | None, *, live: bool
) -> Iterator[tuple[tuple[Row | BadRow, ...], bool]]:
    """Yield the rows of chunks, and whether a pause of the source comes after them."""
    if not live:
        return ((part, False) for part in chunked(rows))
    coming = as_they_come(rows)
    return chunked_at_pauses(coming if stop is None else _until_stopped(coming, stop))


def _until_stopped(rows: Iterator[T], stop: Stop) -> Iterator[T]:
    try:
        yield from rows
    except KeyboardInterrupt:
        stop.came = True


def _with_file(rows: Iterator[Row | BadRow], name: str) -> Iterator[Row | BadRow]:
    """Yield rows that tell which file they are from; a field of that name stays as it is."""
    for row in rows:
        values = row.values or {}
        if not isinstance(values, Cells) and FILE not in values:  # cells have it already
            values = {FILE: name, **values}
        yield replace(row, file=name, values=values)


def _file_rows(source: Source, skip: int, meter: Meter) -> Iterator[Row | BadRow]:
    """Yield a row for each file, with its name and its text."""
    done = sum(path.stat().st_size for path in source.paths[:skip])
    meter.count = lambda: done
    for number, path in enumerate(source.paths[skip:], skip + 1):
        name = source.file_of(path)
        try:
            text = _whole_text(path, source.most)
        except InputError as error:  # the other files can be read all the same
            yield BadRow(number, str(error), {FILE: name}, name)
        else:
            yield Row(number, {FILE: name, "text": text}, text, name)
        done += path.stat().st_size if path.exists() else 0


def _whole_text(path: Path, most: int) -> str:
    with opened(path) as file:
        raw = file.file.read(most + 1)
    if len(raw) > most:
        raise InputError(too_long(most))
    if is_utf16(raw):
        raise InputError(f"The file {path} is UTF-16; convert it to UTF-8.")
    raw = raw.removeprefix(codecs.BOM_UTF8)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"not UTF-8 (byte {raw[error.start]:#04x} at {error.start})") from error
