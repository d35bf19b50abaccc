"""Rows of Parquet files; columns stay in Arrow's memory until they are asked for.

It knows pyarrow, and neither what is done with the rows nor how results are written.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from itertools import islice
from math import isfinite, isnan
from pathlib import Path
from typing import Any
from uuid import UUID

from onepass.batch.extras import arrow, arrow_file, arrow_reason
from onepass.batch.lines import LINE_BYTES, fields_told, too_long
from onepass.batch.rows import CHUNK_ROWS, FILE, BadRow, Cells, Row
from onepass.errors import InputError
from onepass.results.surrogates import without_surrogates

# Strings that are not UTF-8, fields of one name, nanoseconds; years that Python does not have;
# time zones that it does not know.
_NOT_OF_PYTHON = (ValueError, OverflowError, KeyError)
_LISTED = 1 << 20  # bytes of a column that may be in memory twice
_OF_JSON = {str, int, bool, type(None)}
_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


class Columns:
    """The columns of one record batch; small ones become lists of Python when they are asked for.

    To ask Arrow for each cell by itself takes a hundred times as long.

    Args:
        batch: a ``pyarrow.RecordBatch``.
        floats: the columns that may hold numbers that are none or not finite.
    """

    __slots__ = ("_known", "batch", "floats")

    def __init__(self, batch: Any, floats: frozenset[str]) -> None:
        self.batch = batch
        self.floats = floats
        self._known: dict[str, Any] = {}

    def of(self, name: str) -> Any:
        """Return a column: a list, or an Arrow array if it is large or not wholly of Python.

        Raises:
            KeyError: if there is no such column.
        """
        if name not in self._known:
            self._known[name] = _listed(self.batch.column(name))
        return self._known[name]


def _listed(column: Any) -> Any:
    if column.nbytes > _LISTED or not _has_python(column.type):
        return column
    try:
        return column.to_pylist()
    except _NOT_OF_PYTHON:
        return column


class ArrowRow(Cells):
    """The cells of one row of a record batch, as values that JSON has.

    Dates and times are in ISO format, decimals strings, bytes in base64, numbers that are none or
    not finite None. Maps, and structs with fields of one name, are lists of pairs.

    Args:
        columns: of the record batch in which it lies.
        index: of the row in it, from 0.
    """

    __slots__ = ("columns", "index")

    def __init__(self, columns: Columns, index: int) -> None:
        self.columns = columns
        self.index = index

    @property
    def batch(self) -> Any:
        """The ``pyarrow.RecordBatch`` in which it lies."""
        return self.columns.batch

    def __getitem__(self, name: str) -> Any:
        column = self.columns.of(name)
        cell = column[self.index]
        if isinstance(column, list):
            return _plain(cell)
        try:
            return _plain(_as_python(cell))
        except _NOT_OF_PYTHON:
            return _piece_by_piece(cell)

    def beyond_json(self, name: str) -> str | None:
        if name not in self.columns.floats:
            return None
        column = self.columns.of(name)
        cell = column[self.index]
        value = cell if isinstance(column, list) else cell.as_py()
        if value is None or isfinite(value):
            return None
        return "NaN" if isnan(value) else str(value)

    def __iter__(self) -> Iterator[str]:
        return iter(self.batch.schema.names)

    def __len__(self) -> int:
        return int(self.batch.num_columns)


def is_string(kind: Any) -> bool:
    """Return whether an Arrow type holds strings."""
    types = arrow("Parquet files").types
    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))


def decoded_type(kind: Any) -> Any:
    """Return an Arrow type with the types of values in place of dictionaries, at any depth.

    >>> import pyarrow as pa
    >>> print(decoded_type(pa.list_(pa.dictionary(pa.int32(), pa.string()))))
    list<item: string>
    """
    pa = arrow("Parquet files")
    types = pa.types
    if types.is_dictionary(kind):
        return decoded_type(kind.value_type)
    if types.is_struct(kind):
        return pa.struct([_decoded_field(field) for field in kind])
    if types.is_map(kind):
        key, item = _decoded_field(kind.key_field), _decoded_field(kind.item_field)
        return pa.map_(key, item, keys_sorted=kind.keys_sorted)
    if types.is_fixed_size_list(kind):
        return pa.list_(_decoded_field(kind.value_field), kind.list_size)
    if types.is_large_list(kind):
        return pa.large_list(_decoded_field(kind.value_field))
    return pa.list_(_decoded_field(kind.value_field)) if types.is_list(kind) else kind


def _decoded_field(field: Any) -> Any:
    return field.with_type(decoded_type(field.type))


def parquet_schema(path: Path) -> Any:
    """Return the columns of a file, as a ``pyarrow.Schema``.

    Raises:
        InputError: if it is not a Parquet file, or two columns have one name.
        MissingExtra: if pyarrow is not installed.
    """
    pq, pa = arrow("Parquet files", "pyarrow.parquet"), arrow("Parquet files")
    try:
        with arrow_file(path) as file:
            schema = pq.read_schema(file)
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"The file {path} is not a whole Parquet file ({arrow_reason(error)}); write it anew."
        ) from error
    if len(set(schema.names)) < len(schema.names):
        raise InputError(f"The file {path} has two columns of one name; rename one.")
    return schema


def parquet_rows(
    path: Path,
    field: str,
    skip: int = 0,
    most: int = LINE_BYTES,
    *,
    named: bool = True,
    file_name: str | None = None,
) -> Iterator[tuple[Row | BadRow, float]]:
    """Yield the rows of a file, each with the share of rows up to it.

    Args:
        path: a Parquet file.
        field: the column of the text.
        skip: rows that are passed over.
        most: the bytes that a text may have.
        named: whether messages may tell the names of columns.
        file_name: what rows get in the column "file" if the file has none.

    Raises:
        InputError: if it cannot be read, or has no such column of strings.
        MissingExtra: if pyarrow is not installed.
    """
    pq, pa = arrow("Parquet files", "pyarrow.parquet"), arrow("Parquet files")
    schema = parquet_schema(path)
    check_text_column(schema, path, field, named=named)
    floats = frozenset(one.name for one in schema if pa.types.is_floating(decoded_type(one.type)))
    try:
        with arrow_file(path) as opened, pq.ParquetFile(opened) as file:
            total = max(file.metadata.num_rows, 1)
            first, groups = _groups_after(file.metadata, skip)
            cells = _cells(file, groups, field, floats, file_name)
            left = islice(cells, skip - first, None)
            for number, (cell, values) in enumerate(left, skip + 1):
                yield _row(number, values, cell, field, most), number / total
    except (pa.ArrowException, OSError) as error:
        raise InputError(
            f"The file {path} cannot be read on ({arrow_reason(error)}); write it anew."
        ) from error


def _groups_after(metadata: Any, skip: int) -> tuple[int, list[int]]:
    """Return how many rows whole row groups hold that need not be read, and the other groups."""
    before = 0
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        if before + rows > skip:
            return before, list(range(group, metadata.num_row_groups))
        before += rows
    return before, []


def _cells(
    file: Any, groups: Iterable[int], field: str, floats: frozenset[str], file_name: str | None
) -> Iterator[tuple[Any, ArrowRow]]:
    """Yield the cells of a column with their rows; for ``floats`` see `Columns`."""
    if FILE in file.schema_arrow.names:
        file_name = None  # its own column stays
    # By group: Arrow cannot join dictionaries inside of lists and structs over several.
    for group in groups:
        for batch in file.iter_batches(batch_size=CHUNK_ROWS, row_groups=[group]):
            whole = batch if file_name is None else _with_file(batch, file_name)
            columns = Columns(whole, floats)
            for index, cell in enumerate(batch.column(field)):
                yield cell, ArrowRow(columns, index)


def _with_file(batch: Any, name: str) -> Any:
    """Return a record batch with a first column that says which file it is from."""
    pa = arrow("Parquet files")
    column = pa.repeat(pa.scalar(without_surrogates(name), pa.string()), batch.num_rows)
    schema = batch.schema.insert(0, pa.field(FILE, pa.string()))
    return pa.RecordBatch.from_arrays([column, *batch.columns], schema=schema)


def check_text_column(schema: Any, path: Path, field: str, *, named: bool = True) -> None:
    """Refuse a file without a column of texts.

    Args:
        schema: of the file, see `parquet_schema`.
        path: of the file.
        field: the column of the text.
        named: whether messages may tell the names of columns.

    Raises:
        InputError: if there is no such column, or it does not hold strings.
    """
    pa = arrow("Parquet files")
    if field not in schema.names:
        columns = fields_told("columns", schema.names, named=named)
        raise InputError(
            f"The file {path} has no column {field!r} ({columns}); "
            "name the column of the text with text_field (--text-field)."
        )
    kind = schema.field(field).type
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    if not is_string(kind):
        held = kind if named or not pa.types.is_nested(kind) else "nested values"
        raise InputError(
            f"The column {field!r} of the file {path} must hold strings, but it holds {held}; "
            "name another with text_field (--text-field), or convert it."
        )


def _bytes_of(cell: Any) -> int:
    """Return how many bytes the text of a cell has, without a copy of it."""
    pa = arrow("Parquet files")
    if not cell.is_valid:
        return 0
    return int((cell.value if pa.types.is_dictionary(cell.type) else cell).as_buffer().size)


def _row(number: int, values: ArrowRow, cell: Any, field: str, most: int) -> Row | BadRow:
    if _bytes_of(cell) > most:
        return BadRow(number, too_long(most))
    try:
        text = cell.as_py()
    except UnicodeDecodeError:
        return BadRow(number, "not UTF-8", values)
    if text is None:
        return BadRow(number, f"the field {field!r} must be a string, but it is null", values)
    return Row(number, values, text)


def _piece_by_piece(cell: Any) -> Any:
    """Return the value of a cell that Python cannot hold as a whole."""
    types = arrow("Parquet files").types
    kind = cell.type
    if not cell.is_valid:
        return None
    if types.is_dictionary(kind):
        return _piece_by_piece(cell.value)
    if types.is_struct(kind):
        pairs = [[name, _piece_by_piece(one)] for name, one in cell.items()]
        values = dict(pairs)
        return values if len(values) == len(pairs) else pairs
    if types.is_map(kind):
        return [[_piece_by_piece(one) for _, one in entry.items()] for entry in cell.values]
    if types.is_nested(kind):
        return [_piece_by_piece(one) for one in cell.values]
    try:
        return _plain(_as_python(cell))
    except _NOT_OF_PYTHON:
        return _written(cell)


def _has_python(kind: Any) -> bool:
    """Say whether Python has the values of an Arrow type, as far as the type tells.

    Where pandas is installed, Arrow cuts the nanoseconds of a time off without a word.

    >>> import pyarrow as pa
    >>> _has_python(pa.time64("us")), _has_python(pa.list_(pa.time64("ns")))
    (True, False)
    """
    return "time64[ns]" not in str(kind)


def _as_python(cell: Any) -> Any:
    """Return the value of a cell.

    Raises:
        ValueError: if Python cannot hold it; or another of `_NOT_OF_PYTHON`.
    """
    if not _has_python(cell.type):
        raise ValueError(f"Python has no {cell.type}")
    return cell.as_py()


def _written(cell: Any) -> Any:
    """Return what stands for a value that Python does not have; wrong bytes become escapes."""
    pa = arrow("Parquet files")
    kind = cell.type
    if is_string(kind):
        return cell.as_buffer().to_pybytes().decode("utf-8", "backslashreplace")
    if isinstance(kind, pa.BaseExtensionType):
        return _piece_by_piece(cell.value)
    if pa.types.is_duration(kind):
        return cell.value / _PER_SECOND[kind.unit]
    try:
        written = cell.cast("string").as_py()
    except pa.ArrowException:  # a zone that nobody knows; the value is in UTC
        written = cell.cast(pa.timestamp(kind.unit, "UTC")).cast("string").as_py()
    return _isoformat(written) if pa.types.is_temporal(kind) else written


def _isoformat(written: str) -> str:
    """Return a date or a time that Arrow wrote as Python would write it, with nanoseconds if any.

    >>> _isoformat("2020-01-01 01:00:00.123456789+0100")
    '2020-01-01T01:00:00.123456789+01:00'
    >>> _isoformat("12020-01-01 00:00:00.120Z"), _isoformat("00:00:00.000")
    ('12020-01-01T00:00:00.120000+00:00', '00:00:00')
    """
    found = _CLOCK.fullmatch(written)
    if found is None:  # a date
        return written
    day, clock, fraction, zone = found.groups(default="")
    digits = fraction.rstrip("0")
    if digits:
        clock += "." + digits.ljust(6 if len(digits) <= 6 else 9, "0")
    zone = zone.replace("Z", "+0000")
    return day.replace(" ", "T") + clock + (zone and f"{zone[:-2]}:{zone[-2:]}")


_CLOCK = re.compile(r"(\S+ )?([0-9:]+)(?:\.([0-9]+))?(Z|[+-][0-9]{4})?")


def _plain(value: Any) -> Any:
    """Return a value of Python as one that JSON has."""
    if type(value) in _OF_JSON:  # most are, and what follows takes time
        return value
    if isinstance(value, float):
        return value if isfinite(value) else None  # JSON has no other numbers
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, timedelta):
        return value.total_seconds()
    if isinstance(value, Decimal | UUID):
        return str(value)
    return value
