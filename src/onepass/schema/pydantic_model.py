"""A flat Pydantic model class, read as a structure.

Only the shape of the class is used: names, types, descriptions. Values are not converted here.
This is the one module of the package that imports pydantic, which loads slowly: import it late.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel, RootModel

from onepass.errors import SchemaError
from onepass.schema.types import Dtype, Field, Structure, shown

_WORD_BORDER = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|_+")

_LISTS = (Sequence, AbstractSet)
_TEXTS = (str, bytes, bytearray, memoryview)


class Reading(NamedTuple):
    """What a type annotation asks for."""

    dtype: Dtype
    choices: tuple[str, ...] = ()


def structure_of_model(model_class: type[BaseModel]) -> Structure:
    """Return the structure that a model class describes.

    Raises:
        SchemaError: if it is not a flat model class with types that text can fill.

    >>> class ProductReview(BaseModel):
    ...     product: str
    ...     verdict: Literal["good", "bad"]
    ...     complaints: list[str] = []
    >>> structure = structure_of_model(ProductReview)
    >>> structure.name, [(field.name, field.dtype, field.choices) for field in structure.fields]
    ('product review', [('product', 'str', ()), ('verdict', 'str', ('good', 'bad')), \
('complaints', 'list', ())])
    """
    if not isinstance(model_class, type) or not issubclass(model_class, BaseModel):
        raise SchemaError(
            f"A Pydantic model class was expected, but {shown(model_class)} was given."
        )
    name = model_class.__name__
    if issubclass(model_class, RootModel):
        raise SchemaError(f"The model {name} is a RootModel; give a model with named fields.")
    fields: list[Field] = []
    for field_name, info in model_class.model_fields.items():
        reading = read_type(info.annotation, f"{name}.{field_name}")
        fields.append(Field(field_name, reading.dtype, reading.choices, info.description))
    return Structure(structure_name(name), tuple(fields))


def structure_name(class_name: str) -> str:
    """Return the name of the structure of a class: its words, in lower case.

    >>> structure_name("ProductReview"), structure_name("HTTPServer_log")
    ('product review', 'http server log')
    """
    return _WORD_BORDER.sub(" ", class_name).strip().lower() or class_name


def read_type(annotation: Any, where: str) -> Reading:
    """Return what a type annotation asks for.

    Args:
        annotation: the type of a field.
        where: the field, as errors name it.

    Raises:
        SchemaError: if the type is a model, a mapping, or not understood.

    >>> read_type(list[Literal["a", "b"]] | None, "Model.field")
    Reading(dtype='list', choices=('a', 'b'))
    """
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return read_type(arguments[0], where)
    if origin is Union or origin is UnionType:
        return _read_same(arguments, annotation, where)
    if origin is Literal:
        return Reading("str", tuple(_choice(value) for value in arguments if value is not None))
    if annotation is Any:
        return Reading("str")
    container = origin if origin is not None else annotation
    if not isinstance(container, type):
        raise SchemaError(f"The type of {where} is not understood: {shown(annotation)}.")
    if _is_nested(container):
        raise SchemaError(
            f"The field {where} holds {container.__name__}; nested models are not supported yet, "
            "give a flat model for each."
        )
    if issubclass(container, Mapping):
        raise SchemaError(f"The field {where} is a mapping; give a flat model with named fields.")
    is_list = issubclass(container, _LISTS) and not issubclass(container, _TEXTS)
    if is_list or container is Iterable:
        items = tuple(argument for argument in arguments if argument is not Ellipsis)
        return _read_list(items, annotation, where)
    return _read_scalar(container)


def _read_list(items: tuple[Any, ...], annotation: Any, where: str) -> Reading:
    """Return the reading of a list-like type from those of its items."""
    item = _read_same(items, annotation, where) if items else Reading("str")
    if item.dtype == "list":
        raise SchemaError(f"The field {where} is a list of lists; give a flat list.")
    return Reading("list", item.choices)


def _read_same(members: tuple[Any, ...], annotation: Any, where: str) -> Reading:
    """Return the one reading that all members share, None aside."""
    readings = {
        read_type(member, where)
        for member in members
        if member is not None and member is not NoneType
    }
    if len(readings) != 1:
        raise SchemaError(
            f"The field {where} mixes types that are extracted differently: {shown(annotation)}; "
            "give it one type."
        )
    return readings.pop()


def _choice(value: object) -> str:
    """Return what a Literal or Enum member looks like in a text."""
    return str(value.value if isinstance(value, Enum) else value)


def _read_scalar(kind: type) -> Reading:
    """Return the reading of a type with one value."""
    if issubclass(kind, Enum):
        return Reading("str", tuple(_choice(member) for member in kind))
    if kind is bool:
        return Reading("str", ("true", "false"))
    return Reading("str")


def _is_nested(kind: type) -> bool:
    """Return whether a type has fields of its own."""
    is_named_tuple = issubclass(kind, tuple) and kind is not tuple
    return issubclass(kind, BaseModel) or dataclasses.is_dataclass(kind) or is_named_tuple
