"""Instances of what was found before, as a file holds it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar, overload

from onepass.errors import InputError, SchemaError
from onepass.results.types import Extraction
from onepass.schema.shown import shown
from onepass.typed.result import TypedExtraction

if TYPE_CHECKING:
    from pydantic import BaseModel

M = TypeVar("M", bound="BaseModel")


@overload
def read_typed(schema: type[M], doc: Extraction) -> TypedExtraction[M]: ...
@overload
def read_typed(schema: Mapping[str, Any] | str, doc: Extraction) -> TypedExtraction[Any]: ...


def read_typed(schema: object, doc: Extraction) -> TypedExtraction[Any]:
    """Return stored findings as `onepass.Extractor.extract` gives them under a class.

    No model is needed: values are read from the records of the extraction.

    Args:
        schema: the model class, or the JSON Schema of an object, with which the text was read.
        doc: the findings, for instance from `onepass.Extraction.from_dict`.

    Raises:
        SchemaError: for what is neither, or cannot be asked.
        InputError: for what is no extraction, or one for which something else was asked.

    >>> from pydantic import BaseModel
    >>> class Room(BaseModel):
    ...     seats: int
    >>> seats = {"text": "40", "start": 0, "end": 2, "score": 0.9}
    >>> stored = {"text": "40 seats", "records": {"room": [{"seats": seats}]}}
    >>> read_typed(Room, Extraction.from_dict(stored)).value
    Room(seats=40)
    """
    from onepass.typed.plan import typed_plan  # loads the readers of values

    plan = typed_plan(schema)
    if plan is None:
        raise SchemaError(
            "Instances are made by a Pydantic model class or the JSON Schema of an object, but "
            f"{shown(schema)} ({type(schema).__name__}) was given."
        )
    if not isinstance(doc, Extraction):
        raise InputError(
            f"An Extraction is read, but {doc!r:.60} ({type(doc).__name__}) was given; make one of "
            "what is stored with Extraction.from_dict."
        )
    if plan.shape.name not in doc.records:  # it would be there without a record, too
        there = ", ".join(map(repr, doc.records)) or "none"
        raise InputError(
            f"The extraction has no records of {plan.shape.name!r} (there are: {there}); give the "
            "class that was asked."
        )
    return plan.read(doc)
