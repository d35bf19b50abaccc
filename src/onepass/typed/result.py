"""An extraction with values of types: instances, where each came from, what did not validate.

It knows neither pydantic nor how instances are made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from onepass.results.frozen import FrozenDict
from onepass.results.types import Extraction, Value

V = TypeVar("V", covariant=True)


@dataclass(frozen=True, slots=True)
class FieldError:
    """Something that was found, or missing, and did not validate.

    Attributes:
        path: path of the field, as in ``evidence``; list items are counted as they were found,
            those that did not validate included. Empty for a record as a whole.
        text: the words of the document; None if nothing was found.
        message: the reason, in one sentence.

    >>> error = FieldError("items[0].price", "ten", "This is no number.")
    >>> f"{error.path}: {error.text!r}"
    "items[0].price: 'ten'"
    """

    path: str
    text: str | None
    message: str


@dataclass(frozen=True, slots=True)
class TypedExtraction(Extraction, Generic[V]):
    """An `Extraction` under a model class or a JSON Schema; everything else is as in its base.

    Attributes:
        values: one value for each record of the outermost level: an instance of the class, or a
            dict under a JSON Schema; None for a record that did not validate.
        evidence: path of each field to the `Value` that fills it, with its place, text and score:
            "total", "items[0].price", "colors[2]". These are of the record that `value` is; paths
            of the others begin with their number: "[1].total".
        errors: the fields that did not validate; nothing is raised for them.

    >>> doc = TypedExtraction("Ann", values=({"name": "Ann"},))
    >>> doc.value, doc.errors
    ({'name': 'Ann'}, ())
    """

    values: tuple[V | None, ...] = ()
    evidence: Mapping[str, Value] = field(default_factory=dict)
    errors: tuple[FieldError, ...] = ()

    def __post_init__(self) -> None:
        Extraction.__post_init__(self)  # super() does not work in a dataclass with slots
        object.__setattr__(self, "values", tuple(self.values))
        object.__setattr__(self, "evidence", FrozenDict(self.evidence))
        object.__setattr__(self, "errors", tuple(self.errors))

    __hash__ = Extraction.__hash__  # values may be dicts, which have no hash

    @property
    def value(self) -> V | None:
        """The first record that validated; None if there is none."""
        return next((value for value in self.values if value is not None), None)

    def __reduce__(self) -> tuple[Any, ...]:
        return _restored, (self.to_dict(), self.values, self.evidence, self.errors)


def with_values(
    doc: Extraction,
    values: tuple[V | None, ...],
    evidence: Mapping[str, Value],
    errors: tuple[FieldError, ...],
) -> TypedExtraction[V]:
    """Return an extraction with its values.

    >>> with_values(Extraction("Ann"), ("x",), {}, ()).value
    'x'
    """
    return TypedExtraction(
        doc.text, doc.entities, doc.classifications, doc.records, doc.relations, doc.coverage,
        values, evidence, errors,
    )  # fmt: skip


def _restored(
    given: Mapping[str, Any],
    values: tuple[Any, ...],
    evidence: Mapping[str, Value],
    errors: tuple[FieldError, ...],
) -> TypedExtraction[Any]:
    return with_values(Extraction.from_dict(given), values, evidence, errors)
