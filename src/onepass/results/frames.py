"""One part of an extraction as a pandas DataFrame.

It knows rows and columns; what is done with them is up to pandas.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from onepass.errors import InputError, MissingExtra
from onepass.results.surrogates import without_surrogates
from onepass.results.types import Extraction, Value
from onepass.results.values import values_in

_Row = tuple[object, ...]
_TYPES = {
    "start": "Int64", "end": "Int64", "score": "float64", "chosen": "bool", "record": "int64",
    "head_start": "Int64", "head_end": "Int64", "tail_start": "Int64", "tail_end": "Int64",
}  # fmt: skip


def to_frame(doc: Extraction, part: str) -> Any:
    """Return a part as a DataFrame (see `Extraction.to_pandas`)."""
    columns, rows = rows_of(doc, part)
    try:
        import pandas
    except ImportError as error:
        raise MissingExtra("A table of pandas", "pandas") from error
    # a string of pandas is UTF-8 where pyarrow is installed
    cells = [[without_surrogates(c) if isinstance(c, str) else c for c in row] for row in rows]
    frame = pandas.DataFrame(cells, columns=list(columns), dtype="object")
    return frame.astype({name: _TYPES.get(name, "str") for name in columns})


def rows_of(doc: Extraction, part: str) -> tuple[tuple[str, ...], list[_Row]]:
    """Return the columns and the rows of a part.

    Raises:
        InputError: for a part that there is not.

    >>> from onepass.results.types import Entity
    >>> rows_of(Extraction("Bo", entities=(Entity("dog", "Bo", 0, 2, 0.9),)), "entities")
    (('label', 'text', 'start', 'end', 'score'), [('dog', 'Bo', 0, 2, 0.9)])
    """
    if not isinstance(part, str) or part not in _PARTS:
        names = ", ".join(repr(name) for name in _PARTS)
        raise InputError(f"The part must be one of {names}, but {part!r:.60} was given.")
    columns, rows = _PARTS[part]
    return columns, list(rows(doc))


def _entities(doc: Extraction) -> Iterator[_Row]:
    for one in doc.entities:
        yield one.label, one.text, one.start, one.end, one.score


def _classifications(doc: Extraction) -> Iterator[_Row]:
    for task, answer in doc.classifications.items():
        chosen = {one.label for one in answer.labels}
        for label, score in answer.scores.items():
            yield task, label, score, label in chosen


def _records(doc: Extraction) -> Iterator[_Row]:
    for name, records in doc.records.items():
        for number, record in enumerate(records):
            for key, held in record.items():
                for value in values_in(held):
                    yield name, number, key, *_placed(value), value.score


def _relations(doc: Extraction) -> Iterator[_Row]:
    for one in doc.relations:
        yield one.type, *_placed(one.head), *_placed(one.tail), one.score


def _placed(value: Value) -> tuple[str, int | None, int | None]:
    return value.text, value.start, value.end


_PARTS: dict[str, tuple[tuple[str, ...], Callable[[Extraction], Iterator[_Row]]]] = {
    "entities": (("label", "text", "start", "end", "score"), _entities),
    "classifications": (("task", "label", "score", "chosen"), _classifications),
    "records": (("structure", "record", "field", "text", "start", "end", "score"), _records),
    "relations": (
        (
            "type", "head", "head_start", "head_end", "tail", "tail_start", "tail_end", "score",
        ),
        _relations,
    ),
}  # fmt: skip
