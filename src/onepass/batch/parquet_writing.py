"""Results as Parquet: chunks go to disk as messages of an Arrow stream, to be converted at the end.

A Parquet file says at its end what is in it, so it cannot be added to; an Arrow stream can. This
module does not know where the bytes go.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import groupby
from pathlib import Path
from typing import Any

from onepass.batch import extras
from onepass.batch.columns import Kind
from onepass.batch.parquet_reading import ArrowRow, decoded_type
from onepass.batch.rows import BadRow, Row
from onepass.errors import InputError
from onepass.results.surrogates import escaped_surrogates, without_surrogates
from onepass.schema.schema import Schema

_GROUP_BYTES = 64 << 20  # of a row group, in memory
_KINDS = {"null": "string", "json": "string", "int": "int64", "long": "int64", "float": "float64"}


class ArrowStream:
    """A record batch for each chunk: its columns, the "extraction" as a struct, and the "error".

    Columns of Parquet files keep their types, except that dictionaries become what they stand for,
    and columns that are of different types in different files become numbers that hold them all
    exactly, or strings.

    Args:
        columns: names of the input's columns, and what they hold.
        schema: what is asked, which says what an extraction holds.

    Raises:
        MissingExtra: if pyarrow is not installed.
        InputError: if the schema has a name that Arrow cannot hold.
    """

    def __init__(self, columns: Mapping[str, Kind], schema: Schema) -> None:
        pa = self._pa = extras.arrow("Parquet files")
        self._types = {name: _arrow_type(pa, kind) for name, kind in columns.items()}
        try:
            self._extraction = extraction_type(schema)
        except UnicodeEncodeError as error:
            raise InputError(
                "The schema has a name with half a surrogate pair, which Parquet cannot hold; "
                "rename it, or write JSONL."
            ) from error
        names = [(escaped_surrogates(name), kind) for name, kind in self._types.items()]
        added = [("extraction", self._extraction), ("error", pa.string())]
        self._schema = pa.schema([*names, *added])

    def head(self) -> bytes:
        return bytes(self._schema.serialize())

    def chunk(self, results: Sequence[tuple[Row, str] | BadRow]) -> bytes:
        rows = [one.values or {} if isinstance(one, BadRow) else one[0].values for one in results]
        found = [None if isinstance(one, BadRow) else json.loads(one[1]) for one in results]
        errors = [
            f"{one.place}: {one.error}" if isinstance(one, BadRow) else None for one in results
        ]
        with self._refusing():
            arrays = [self._column(name, kind, rows) for name, kind in self._types.items()]
            arrays += [self._array(found, self._extraction), self._array(errors, self._pa.string())]
            return bytes(self._pa.record_batch(arrays, schema=self._schema).serialize())

    def _column(self, name: str, kind: Any, rows: Sequence[Mapping[str, Any]]) -> Any:
        """Return one column of some rows, those of one record batch as they lie in it."""
        pieces = []
        for _, group in groupby(rows, key=lambda row: id(_batch(row))):
            part = list(group)
            first = part[0]
            if isinstance(first, ArrowRow) and name in first.batch.schema.names:
                piece = first.batch.column(name).slice(first.index, len(part))
                if _holds(kind, piece.type, self._pa):
                    pieces.append(piece if piece.type == kind else piece.cast(kind))
                    continue
            values = [row.get(name) for row in part]
            fitting = [_fitting(value, kind, self._pa) for value in values]
            pieces.append(self._array(fitting, kind))
        return self._pa.concat_arrays(pieces)

    def _array(self, values: list[Any], kind: Any) -> Any:
        if all(value is None for value in values):  # of tensors Arrow makes no array of these
            return self._pa.nulls(len(values), kind)
        try:
            return self._pa.array(values, kind)
        except UnicodeEncodeError:  # a lone surrogate, which Arrow's strings cannot hold
            return self._pa.array([_encodable(value) for value in values], kind)

    def converted(self, rows: Path, result: Path) -> Path:
        pq = extras.arrow("Parquet files", "pyarrow.parquet")
        with (
            self._refusing(),
            extras.arrow_file(rows) as stream,
            extras.arrow_file(result, "wb") as place,
            pq.ParquetWriter(place, self._schema, compression="zstd") as file,
        ):
            for group in self._groups(self._pa.ipc.open_stream(stream)):
                file.write_table(group, row_group_size=max(group.num_rows, 1))
        return result

    @contextmanager
    def _refusing(self) -> Iterator[None]:
        """Turn what Arrow cannot do into a refusal."""
        try:
            yield
        except self._pa.ArrowException as error:
            reason = extras.arrow_reason(error)
            raise InputError(
                f"The results cannot be written as Parquet ({reason}); write JSONL."
            ) from error

    def _groups(self, batches: Any) -> Iterator[Any]:
        held, size = [], 0
        for batch in batches:
            held.append(batch)
            size += batch.nbytes
            if size >= _GROUP_BYTES:
                yield self._pa.Table.from_batches(held, self._schema)
                held, size = [], 0
        if held:
            yield self._pa.Table.from_batches(held, self._schema)


def extraction_type(schema: Schema) -> Any:
    """Return the Arrow type of what is found under a schema: the JSON shape, without empty parts.

    >>> print(extraction_type(Schema().entities(["city"])).field("coverage").type)
    struct<chars: int64, chars_read: int64, windows: int64, truncated: bool>
    """
    pa = extras.arrow("Parquet files")
    place = [("text", pa.string()), ("start", pa.int64()), ("end", pa.int64())]
    value = pa.struct([*place, ("score", pa.float64())])
    scored = pa.list_(pa.struct([("label", pa.string()), ("score", pa.float64())]))
    entity = [("label", pa.string()), *place, ("score", pa.float64()), ("names", scored)]
    answer = pa.struct(
        [
            ("labels", scored),
            ("scores", pa.map_(pa.string(), pa.float64())),
            ("paths", pa.list_(pa.list_(pa.string()))),
            ("fit", pa.float64()),
        ]
    )
    pair = [("type", pa.string()), ("head", value), ("tail", value), ("score", pa.float64())]
    counts = [(name, pa.int64()) for name in ("chars", "chars_read", "windows")]
    fields = [("text", pa.string()), ("entities", pa.list_(pa.struct(entity)))]
    tasks = [(task.name, answer) for task in schema.classification_tasks]
    records = [
        (structure.name, pa.list_(pa.struct(
            [(f.name, pa.list_(value) if f.dtype == "list" else value) for f in structure.fields]
        )))
        for structure in schema.structures
    ]  # fmt: skip
    fields += [("classifications", pa.struct(tasks))] if tasks else []
    fields += [("records", pa.struct(records))] if records else []
    fields += [
        ("relations", pa.list_(pa.struct(pair))),
        ("coverage", pa.struct([*counts, ("truncated", pa.bool_())])),
    ]
    return pa.struct(fields)


def _arrow_type(pa: Any, kind: Kind) -> Any:
    if isinstance(kind, str):
        return pa.type_for_alias(_KINDS.get(kind, kind))
    return kind


def _holds(kind: Any, other: Any, pa: Any) -> bool:
    """Say whether a column holds each value of another type as it is, NaN among them."""
    if decoded_type(other) == kind:
        return True
    if pa.types.is_float64(kind):  # by `joined`, only of numbers that it holds exactly
        is_short = pa.types.is_float16(other) or pa.types.is_float32(other)
        return bool(is_short or pa.types.is_integer(other))
    return bool(pa.types.is_int64(kind) and pa.types.is_integer(other))


def _batch(row: Mapping[str, Any]) -> Any:
    return row.batch if isinstance(row, ArrowRow) else None


def _fitting(value: Any, kind: Any, pa: Any) -> Any:
    """Return a value of JSON as one that fits a column."""
    if value is None or (isinstance(value, str) and pa.types.is_string(kind)):
        return value
    if pa.types.is_string(kind):
        return json.dumps(value, ensure_ascii=False)
    return float(value) if pa.types.is_float64(kind) else value


def _encodable(value: Any) -> Any:
    r"""Return a value whose strings are Unicode throughout.

    >>> _encodable(["a\ud83d"]) == ["a\ufffd"]
    True
    """
    if isinstance(value, str):
        return without_surrogates(value)
    if isinstance(value, dict):
        return {_encodable(key): _encodable(one) for key, one in value.items()}
    return [_encodable(one) for one in value] if isinstance(value, list) else value
