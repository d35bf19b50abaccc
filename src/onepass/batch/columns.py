"""The columns of all sources of a job, for outputs that must know them before the first row.

JSONL has no header, so it is read through once; other kinds say it at their start.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from onepass.batch.extras import arrow
from onepass.batch.lines import check_first, plain_lines
from onepass.batch.packing import opened
from onepass.batch.parquet_reading import (
    check_text_column,
    decoded_type,
    is_string,
    parquet_schema,
)
from onepass.batch.reading import read_rows
from onepass.batch.rows import FILE
from onepass.batch.sources import Source
from onepass.batch.tables import DELIMITERS, Table
from onepass.errors import InputError

ADDED = ("extraction", "error")  # columns of results; those of the input make room for them
_INT64 = 2**63
_START = 1 << 10  # bytes that show how a file is encoded

# What a column holds: "null", "bool", "int", "long" (integers of which a float would change one),
# "float", "string", "json" (anything else, as JSON), or a type of Arrow.
Kind = Any


def find_columns(sources: Sequence[Source], text_field: str) -> dict[str, Kind]:
    """Return the names of all columns in the order of their first appearance, and their kinds.

    Args:
        sources: files; not standard input.
        text_field: the key or column of the text.

    Raises:
        InputError: for standard input, which cannot be read twice, or a file that cannot be read.
    """
    columns: dict[str, Kind] = {}
    for source in sources:
        for name, kind in _columns(source, text_field):
            if name not in ADDED:
                columns[name] = joined(columns.get(name, "null"), kind)
    return columns


def check_starts(sources: Sequence[Source], text_field: str) -> None:
    """Refuse what the start of a file tells, before a row of any other is read.

    Args:
        sources: files of a job; those that can be read once only are left alone.
        text_field: the key or column of the text.

    Raises:
        InputError: for a header or a schema that cannot be read or has no such column, a file that
            is not packed as its name says, one in UTF-16, or JSON that is not one object a line.
        MissingExtra: if a package is needed for one of them.
    """
    for source in sources:
        if source.is_stream or source.kind == "files":  # of those, each fails for itself
            continue
        path = source.paths[0]
        if source.kind == "parquet":
            check_text_column(parquet_schema(path), path, text_field, named=source.named)
        elif source.kind in DELIMITERS:
            _table(source).check(text_field)
        else:
            with opened(path) as file:
                lines = plain_lines(file.file, source.name, _START)
                if source.kind == "jsonl":
                    check_first(lines, source.name)
                else:
                    next(lines, None)


def joined(one: Kind, other: Kind) -> Kind:
    """Return the kind that holds the values of two kinds.

    A type of Arrow stays if both are the same; else what counts is the kind of its values.

    >>> joined("int", "float"), joined("null", "bool"), joined("int", "string")
    ('float', 'bool', 'json')
    >>> joined("int", "long"), joined("long", "float")
    ('long', 'json')
    """
    # A type of Arrow equals each of its names, so it is never compared with a string.
    if isinstance(one, str) == isinstance(other, str) and one == other:
        return one
    first, second = _own_kind(one), _own_kind(other)
    if "null" in (first, second):
        return other if first == "null" else one
    both = {first, second}
    if len(both) == 1:
        return first
    if both == {"int", "long"}:
        return "long"
    return "float" if both == {"int", "float"} else "json"


def _own_kind(kind: Kind) -> str:
    """Return the kind of the values of an Arrow type, with a name of this module.

    >>> import pyarrow as pa
    >>> [_own_kind(kind) for kind in (pa.int8(), pa.int64(), pa.uint64(), pa.float32())]
    ['int', 'long', 'json', 'float']
    """
    if isinstance(kind, str):
        return kind
    types = arrow("Parquet files").types
    if types.is_integer(kind):
        if kind.bit_width < 64:
            return "int"
        return "long" if types.is_signed_integer(kind) else "json"  # above what int64 holds
    kinds = {
        "null": types.is_null(kind),
        "bool": types.is_boolean(kind),
        "float": types.is_floating(kind),
        "string": is_string(kind),
    }
    return next((name for name, holds in kinds.items() if holds), "json")


def _columns(source: Source, text_field: str) -> Iterator[tuple[str, Kind]]:
    if source.kind == "jsonl":
        yield from _scanned(source, text_field).items()
        return
    names = [*_own_columns(source)]
    if source.several and FILE not in dict(names):
        yield FILE, "string"
    yield from names


def _own_columns(source: Source) -> Iterator[tuple[str, Kind]]:
    """Yield the columns that the start of a source tells."""
    if source.kind == "parquet":
        schema = parquet_schema(source.paths[0])
        yield from ((column.name, decoded_type(column.type)) for column in schema)
    elif source.kind in DELIMITERS:
        yield from ((name, "string") for name in _table(source).header)
    else:
        names = (FILE, "text") if source.kind == "files" else ("text",)
        yield from ((name, "string") for name in names)


def _table(source: Source) -> Table:
    """Return a table of which no more than the header can be read."""
    with opened(source.paths[0]) as file:
        lines = plain_lines(file.file, source.name, source.most)
        return Table(lines, source.name, source.kind, source.most, named=source.named)


def _scanned(source: Source, text_field: str) -> Mapping[str, Kind]:
    if source.is_stream:
        raise InputError(
            f"{source.name} can be read once only, and CSV and Parquet need to know all columns "
            "before the first row; write JSONL, or read from a file."
        )
    kinds: dict[str, Kind] = {}
    for row in read_rows(source, text_field):
        for name, value in (row.values or {}).items():
            kinds[name] = joined(kinds.get(name, "null"), _kind(value))
    return kinds


def _kind(value: object) -> Kind:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        if not -_INT64 <= value < _INT64:
            return "json"
        return "int" if int(float(value)) == value else "long"
    if isinstance(value, float):
        return "float"
    return "string" if isinstance(value, str) else "json"
