"""A model class or a JSON Schema as what is asked, and as what is made of the answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from onepass.results.types import Extraction, Value
from onepass.schema import Schema
from onepass.schema.json_model import is_json_schema, shape_of_json
from onepass.schema.parse import parse_json
from onepass.schema.shape import Shape
from onepass.typed.branches import MISSING, grow
from onepass.typed.link import link
from onepass.typed.result import FieldError, TypedExtraction, with_values
from onepass.typed.validate import Validate, json_validator, model_validator, settle


@dataclass(frozen=True, slots=True, eq=False)
class TypedPlan:
    """What is asked, and what is made of the answer.

    Attributes:
        shape: levels of records.
        schema: what is asked of the model.
        validate: data of a record to an instance.
    """

    shape: Shape
    schema: Schema
    validate: Validate

    def read(self, doc: Extraction) -> TypedExtraction[Any]:
        """Return an extraction with instances; nothing is raised for what does not validate."""
        values: list[Any] = []
        found: dict[str, Value] = {}
        errors: list[FieldError] = []
        for number, node in enumerate(link(doc, self.shape)):
            path = f"[{number}]"
            branch = grow(node, path, doc.text, errors)
            values.append(settle(branch, self.validate, errors))
            found.update(branch.evidence(path))
        first = next((n for n, value in enumerate(values) if value is not None), 0)
        evidence = {_alone(path, first): value for path, value in found.items()}
        said = (replace(error, path=_alone(error.path, first)) for error in errors)
        noted = tuple(_with_windows(error, doc.coverage.windows) for error in said)
        return with_values(doc, tuple(values), evidence, noted)


def _alone(path: str, first: int) -> str:
    """Return the path without the number of its record if it is that of ``doc.value``.

    >>> _alone("[1].total", 1), _alone("[1]", 1), _alone("[0].total", 1)
    ('total', '', '[0].total')
    """
    record, _, rest = path.partition(".")
    return rest if record == f"[{first}]" else path


def _with_windows(error: FieldError, windows: int) -> FieldError:
    """Return an error that says why a field may be missing in a long text."""
    if windows < 2 or error.message != MISSING:
        return error
    return replace(
        error,
        message=f"{MISSING[:-1]}; the text was read in {windows} windows, and a record holds only "
        "what one of them has: give the field a default, and join the records.",
    )


def typed_plan(source: object) -> TypedPlan | None:
    """Return the plan of a model class or a JSON Schema (or its text); None for other schemas.

    Raises:
        SchemaError: for a class or a JSON Schema that cannot be asked.

    >>> plan = typed_plan({"title": "Item", "properties": {"price": {"type": "number"}}})
    >>> price = Value("1,299.00", 0, 8, 0.9)
    >>> plan.read(Extraction("1,299.00", records={"item": ({"price": price},)})).value
    {'price': 1299.0}
    """
    if isinstance(source, str):
        source = parse_json(source)
    if is_json_schema(source):
        shape = shape_of_json(source)
        return TypedPlan(shape, _schema(shape), json_validator(shape))
    return _class_plan(source) if isinstance(source, type) else None


@lru_cache(maxsize=64)
def _class_plan(source: type[Any]) -> TypedPlan:
    """Return the plan of a class; the last few are kept."""
    from onepass.schema.pydantic_model import shape_of_model  # pydantic loads slowly

    shape = shape_of_model(source)
    return TypedPlan(shape, _schema(shape), model_validator(source))


def _schema(shape: Shape) -> Schema:
    schema = Schema()
    for structure in shape.structures():
        schema.structure(structure.name, structure.fields)
    return schema
