"""Tables of texts and their class: CSV, TSV and Parquet with a column of each; or words and tags.

```
text,label
Great phone.,positive
```

The first line names the columns, in any case and order; commas, semicolons or tabs part them.
A Parquet file may have a column of lists of words and one of lists of their tags instead. Other
columns are not read. This module knows files; `onepass.corpus.labeled` and `onepass.corpus.tagged`
make the examples.
"""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from onepass.corpus.example import Example
from onepass.corpus.labeled import Labels
from onepass.corpus.rows import at_line, check_there, raw_lines
from onepass.corpus.tagged import TAGS, WORDS, Tags
from onepass.errors import InputError, MissingExtra
from onepass.schema.shown import shown

SUFFIXES = (".csv", ".parquet")  # and .tsv, if its header has both columns
TEXTS = ("text", "sentence", "content")  # the first counts, if there are several
LABELS = ("label", "category", "class", "target")
_MARKS = ",;\t"
_BATCH = 1024  # rows of a Parquet file that are in memory at once
_LARGEST_CELL = 2**31 - 1  # Python's own limit for a CSV cell is 131,072 characters
_REASONS = {  # the start of what Python's reader says
    "unexpected end of data": "a quotation mark opens in this row and none closes it; close it, or "
    "write a mark within a cell twice.",
    "new-line character": "a line ends in CR alone; save the file with line ends in LF.",
}

_Record = Sequence[Any]  # the cells of the text and of the label, or of the words and of the tags


def is_table(path: Path) -> bool:
    """Say whether a file is a table, by its suffix; one in ``.tsv`` by its first line as well.

    >>> is_table(Path("train.csv")), is_table(Path("train.csv.gz")), is_table(Path("train.jsonl"))
    (True, True, False)
    """
    name = path.name.lower()
    if name.removesuffix(".gz").endswith(".tsv"):
        return path.is_file() and _mark(path) is not None
    return name.endswith((*SUFFIXES, ".csv.gz"))


def read_each_record(path: Path) -> Iterator[tuple[str, Example | InputError]]:
    """Yield the place and the example of every row, or what is wrong with it.

    Raises:
        InputError: if the file cannot be read, or lacks a column.
        MissingExtra: if it is a Parquet file and pyarrow is not installed.
    """
    read = _parquet_records if _is_parquet(path) else _csv_records
    records = (record for _, record in read(path))
    cells = (one[1] for one in records if not isinstance(one, InputError))
    labels = Tags(cells) if _is_parquet(path) and _is_tagged(path) else Labels(cells)
    with at_line(path, "all rows"):
        labels.check()
    for place, record in read(path):
        try:
            if isinstance(record, InputError):
                raise record
            with at_line(path, place):
                example = labels.example(*record)
        except InputError as error:
            yield place, error
        else:
            yield place, example


def _is_parquet(path: Path) -> bool:
    return path.name.lower().endswith(".parquet")


def _columns(names: Sequence[str], path: Path) -> tuple[int, int]:
    """Return which columns hold the text and the label.

    Raises:
        InputError: if there is not one of each.
    """
    places = [_places(names, accepted) for accepted in (TEXTS, LABELS)]
    if any(len(found) != 1 for found in places):
        tagged = f", or one of words ({', '.join(WORDS)}) and one of tags ({', '.join(TAGS)})"
        raise InputError(
            f"{path} needs one column of texts ({', '.join(TEXTS)}) and one of labels "
            f"({', '.join(LABELS)}){tagged if _is_parquet(path) else ''}, but its columns are "
            f"{', '.join(map(shown, names[:8]))}; "
            f"rename them{'' if _is_parquet(path) else ', or add a first line of names'}."
        )
    return places[0][0], places[1][0]


def _places(names: Sequence[str], accepted: Sequence[str]) -> list[int]:
    """Return where columns stand that may be meant; the first name counts before the others."""
    own = [name.strip().lower() for name in names]
    meant = accepted[:1] if accepted[0] in own else accepted
    return [place for place, name in enumerate(own) if name in meant]


def _mark(path: Path) -> str | None:
    """Return what parts the columns of a CSV file, by its header; None if that lacks a column."""
    header = next((line for line in _lines(path) if line.strip()), "")
    for mark in _MARKS:
        try:
            _columns(next(csv.reader([header], delimiter=mark), []), path)
        except (InputError, csv.Error):
            continue
        return mark
    return None


def _csv_records(path: Path) -> Iterator[tuple[str, _Record | InputError]]:
    rows = _csv_rows(path)
    _, header = next(rows, ("", None))
    if header is None:
        raise InputError(f"{path} is empty; expected a header with the columns text and label.")
    if isinstance(header, InputError):
        raise header
    text, label = _columns(header, path)
    for place, cells in rows:
        if isinstance(cells, InputError):
            yield place, cells
        elif len(cells) != len(header):
            yield (
                place,
                InputError(
                    f"{path}, {place}: the row has {len(cells)} cells, but the header has "
                    f"{len(header)}; put a cell that holds a separator in quotation marks."
                ),
            )
        else:
            yield place, (cells[text], cells[label])


def _csv_rows(path: Path) -> Iterator[tuple[str, list[str] | InputError]]:
    """Yield the cells of every row, that of the names first; blank lines are none."""
    csv.field_size_limit(_LARGEST_CELL)
    reader = csv.reader(_lines(path), delimiter=_mark(path) or ",", strict=True)
    while True:
        place = f"line {reader.line_num + 1}"  # where a row of several lines begins
        try:
            with at_line(path, place):
                cells = _cells(reader)
        except InputError as error:
            yield place, error
            continue
        if cells is None:
            return
        if cells:
            yield place, cells


def _cells(reader: Any) -> list[str] | None:
    """Return the cells of the next row; None at the end.

    Raises:
        InputError: if it is not CSV, or not UTF-8.
    """
    try:
        cells: list[str] | None = next(reader, None)
    except csv.Error as error:
        known = (_REASONS[start] for start in _REASONS if str(error).startswith(start))
        other = f"not valid CSV ({error}); write a quotation mark within a cell twice."
        raise InputError(next(known, other)) from error
    try:
        "".join(cells or ()).encode()
    except UnicodeEncodeError as error:
        raise InputError("not UTF-8; save the file as CSV in UTF-8.") from error
    return cells


def _lines(path: Path) -> Iterator[str]:
    """Yield lines; bytes that are not UTF-8 go through as lone surrogates, to spoil one row."""
    return (line.decode("utf-8", "surrogateescape") for _, line in raw_lines(path))


def _is_tagged(path: Path) -> bool:
    with _parquet(path) as table:
        return _tag_columns(table.schema_arrow.names) is not None


def _tag_columns(names: Sequence[str]) -> tuple[int, int] | None:
    """Return which columns hold the words and the tags; None if there is not one of each."""
    words, tags = _places(names, WORDS), _places(names, TAGS)
    return (words[0], tags[0]) if len(words) == len(tags) == 1 else None


def _parquet_records(path: Path) -> Iterator[tuple[str, _Record | InputError]]:
    with _parquet(path) as table:
        names = table.schema_arrow.names
        own = [names[place] for place in _tag_columns(names) or _columns(names, path)]
        classes = _class_names(table.schema_arrow.metadata or {}, own[1])
        batches = table.iter_batches(batch_size=_BATCH, columns=own)
        for number, (one, cell) in enumerate(_rows(batches, *own), 1):
            yield f"row {number}", (one, _with_names(cell, classes))


@contextmanager
def _parquet(path: Path) -> Iterator[Any]:
    """Open a Parquet file.

    Raises:
        InputError: if it cannot be read, there or where it is read on.
        MissingExtra: if pyarrow is not installed.
    """
    check_there(path)
    if find_spec("pyarrow") is None:
        raise MissingExtra("Reading Parquet files", "data")
    pa, pq = import_module("pyarrow"), import_module("pyarrow.parquet")
    try:
        # bytes, since Arrow takes no name that is not UTF-8
        with pa.OSFile(os.fsencode(path)) as file, pq.ParquetFile(file) as table:
            yield table
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split()).rstrip(".")
        raise InputError(
            f"{path} is not a Parquet file that can be read ({reason}); write it anew."
        ) from error


def _rows(batches: Iterable[Any], first: str, second: str) -> Iterator[tuple[Any, Any]]:
    for batch in batches:
        yield from zip(
            batch.column(first).to_pylist(), batch.column(second).to_pylist(), strict=True
        )


def _with_names(cell: Any, classes: Sequence[str]) -> Any:
    """Return a cell with names in place of its numbers, where these have any.

    A -1 is none: data sets of Hugging Face hold it where nobody gave a label.
    """
    if isinstance(cell, list):
        return [_with_names(one, classes) for one in cell]
    if type(cell) is not int or not -1 <= cell < len(classes) or not classes:
        return cell
    return classes[cell] if cell >= 0 else None


def _class_names(metadata: dict[bytes, bytes], column: str) -> Sequence[str]:
    """Return the names of the numbers in a column, as data sets of Hugging Face keep them.

    >>> kept = {"info": {"features": {"label": {"names": ["neg", "pos"], "_type": "ClassLabel"}}}}
    >>> _class_names({b"huggingface": json.dumps(kept).encode()}, "label")
    ['neg', 'pos']
    """
    try:
        feature = json.loads(metadata[b"huggingface"])["info"]["features"][column]
        # A list is {"feature": ..., "_type": "Sequence" or, since datasets 4, "List"}, or [...].
        if isinstance(feature, list):
            (feature,) = feature
        names = feature.get("feature", feature)["names"]
    except (KeyError, TypeError, ValueError, AttributeError):
        return ()
    return names if isinstance(names, list) else ()
