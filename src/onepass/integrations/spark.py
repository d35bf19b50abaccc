"""Spark: a function that reads the texts of pandas frames, for ``DataFrame.mapInPandas``.

It needs pandas, which Spark hands its frames over in, and does not import Spark.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Request, column_answers, open_model
from onepass.batch.job import BUILTIN, ModelChoice
from onepass.batch.states import settled
from onepass.errors import InputError
from onepass.schema import read_schema
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold

if TYPE_CHECKING:
    from onepass.extractor import Extractor

COLUMNS = "extraction string, error string"
"""The columns that are added, as Spark writes types."""

Frames = Iterator[Any]  # of pandas.DataFrame


def extract_frames(
    schema: object,
    *,
    text_field: str = "text",
    threshold: Threshold = None,
    overlap: Overlap = "flat",
    on_long: OnLong = "window",
    solver: Solver = "greedy",
    model: ModelChoice = BUILTIN,
) -> Callable[[Frames], Frames]:
    """Return a function from frames to frames with what is found in each row.

    With Spark: ``df.mapInPandas(extract_frames(schema), "id long, text string, " + COLUMNS)``. Its
    twin for Ray is `onepass.batch.ray.extract`.

    Args:
        schema: as in `Extractor.extract`.
        text_field: the column of the text.
        threshold: as in `Extractor.extract`.
        overlap: as in `Extractor.extract`.
        on_long: as in `Extractor.extract`.
        solver: as in `Extractor.extract`; executors need the extra exact for "exact".
        model: the model that each process of an executor opens once, with one thread, as Spark
            gives each task a core; executors must have it. Where it says "auto", it is opened here,
            too, so that all executors run the same.

    Returns:
        A function that adds the columns "extraction" (JSON) and "error" to each frame; of each row,
        one of them is None. It raises `InputError` for a threshold of what is not asked for, and
        for a frame without the column of the text, or with several of its name.

    Raises:
        SchemaError: for a schema that cannot be asked.
        InputError: for an option that is not known.
        OnepassError: for a model that is to be opened here, and cannot be.

    >>> import pandas
    >>> read = extract_frames({"entities": ["city"]})
    >>> frames = read(iter([pandas.DataFrame({"text": ["Warsaw is in Poland.", None]})]))
    >>> print(next(frames).error.tolist()[1])
    the text must be a string
    """
    options = CallOptions(threshold, overlap, on_long, solver)
    request = Request(read_schema(schema).checked(), options)
    return _Read(settled(model).of_worker(), request.to_dict(), text_field)


@dataclass(frozen=True, slots=True)
class _Read:
    model: ModelChoice
    request: dict[str, Any]  # plain values, which travel to executors
    field: str

    def __call__(self, frames: Frames) -> Frames:
        from pandas import Series  # there, or nobody could give frames

        request = Request.from_dict(self.request)
        for frame in frames:
            if self.field not in frame.columns:
                raise InputError(
                    f"The frame has no column {self.field!r} (the columns are "
                    f"{', '.join(map(repr, frame.columns))}); name it with text_field."
                )
            column = frame[self.field]
            if column.ndim > 1:  # several of this name, or names of two levels
                raise InputError(
                    f"The column {self.field!r} must be one column of texts, but it is a table of "
                    f"{', '.join(map(repr, column.columns))}; rename columns, or name another one "
                    "with text_field."
                )
            found, errors = column_answers(_opened(self.model), request, list(column))
            yield frame.assign(
                extraction=Series(found, frame.index, object),
                error=Series(errors, frame.index, object),
            )


@cache
def _opened(choice: ModelChoice) -> Extractor:
    return open_model(choice)
