"""From the rows of a file to their results: in order, in bounded memory, past rows that fail.

It knows rows and a model, not files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from onepass.cli.inputs import BadRow, Row
from onepass.cli.options import OnLong, Overlap
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.extractor import Extractor
    from onepass.results.types import Extraction
    from onepass.schema.schema import Schema

_ROWS = 256  # read ahead: enough for the model to put texts of one length together
_CHARS = 1_000_000  # or fewer rows, if their texts are long


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of every text, and how."""

    schema: Schema
    threshold: float | None
    overlap: Overlap
    on_long: OnLong

    def one(self, model: Extractor, text: str) -> Extraction:
        """Return what is found in one text."""
        return model.extract(
            text,
            self.schema,
            threshold=self.threshold,
            overlap=self.overlap.value,
            on_long=self.on_long.value,
        )

    def stream(self, model: Extractor, texts: Iterable[str]) -> Iterator[Extraction]:
        """Yield what is found in each text, in their order."""
        return model.stream(
            texts,
            self.schema,
            threshold=self.threshold,
            overlap=self.overlap.value,
            on_long=self.on_long.value,
        )


Found = tuple[Row, "Extraction"]


def extract_rows(
    model: Extractor, request: Request, rows: Iterable[Row | BadRow]
) -> Iterator[list[Found | BadRow]]:
    """Yield the results of the rows in their order, some rows at a time.

    A row whose text the model refuses becomes a `BadRow`.

    Raises:
        OnepassError: if the request as a whole cannot be answered.
    """
    for chunk in _chunks(rows):
        found = _found(model, request, [row for row in chunk if isinstance(row, Row)])
        yield [row if isinstance(row, BadRow) else next(found) for row in chunk]


def _chunks(rows: Iterable[Row | BadRow]) -> Iterator[list[Row | BadRow]]:
    chunk: list[Row | BadRow] = []
    chars = 0
    for row in rows:
        chunk.append(row)
        chars += len(row.text) if isinstance(row, Row) else len(row.error)
        if len(chunk) >= _ROWS or chars >= _CHARS:
            yield chunk
            chunk, chars = [], 0
    if chunk:
        yield chunk


def _found(model: Extractor, request: Request, rows: Sequence[Row]) -> Iterator[Found | BadRow]:
    """Yield one result for each row; if the model refuses a text, go on one by one."""
    done = 0
    try:
        for doc in request.stream(model, [row.text for row in rows]):
            yield rows[done], doc
            done += 1
    except InputError:  # which text it was, only asking again can tell
        for row in rows[done:]:
            yield _alone(model, request, row)


def _alone(model: Extractor, request: Request, row: Row) -> Found | BadRow:
    try:
        return row, request.one(model, row.text)
    except InputError as error:
        return BadRow(row.number, str(error))
