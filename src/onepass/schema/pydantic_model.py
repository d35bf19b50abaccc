"""A Pydantic model class, read as a shape: structures, and what their values mean.

Only the class is read: names, types, constraints, descriptions. Values are not converted here.
Pydantic loads slowly: import this module late.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date, datetime
from decimal import Decimal
from enum import Enum
from types import NoneType, UnionType
from typing import (
    Annotated,
    Any,
    Literal,
    NamedTuple,
    NewType,
    TypeVar,
    Union,
    get_args,
    get_origin,
)

import pydantic
from pydantic import AliasChoices, AnyUrl, BaseModel, EmailStr, RootModel
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python
from typing_extensions import TypeAliasType

from onepass.errors import SchemaError
from onepass.schema.pydantic_rules import Constraints, read_constraints
from onepass.schema.rules import Kind, Money, Quantity, Rules
from onepass.schema.shape import Child, Leaf, Shape, named, structure_name
from onepass.schema.shown import shown
from onepass.schema.types import Dtype, Field

_LISTS = (Sequence, AbstractSet)
_TEXTS = (str, bytes, bytearray, memoryview)
# The first that fits counts: a bool is an int, a datetime is a date.
_KINDS: tuple[tuple[Any, Kind], ...] = (
    (int, "integer"), (float, "number"), (Decimal, "decimal"), (datetime, "datetime"),
    (date, "date"), (Money, "money"), (Quantity, "quantity"), (AnyUrl, "url"), (EmailStr, "email"),
    (pydantic.PastDate, "date"), (pydantic.FutureDate, "date"),
    (pydantic.PastDatetime, "datetime"), (pydantic.FutureDatetime, "datetime"),
    (pydantic.AwareDatetime, "datetime"), (pydantic.NaiveDatetime, "datetime"),
)  # fmt: skip


class Reading(NamedTuple):
    """What a type annotation asks for: values, or another model."""

    dtype: Dtype
    choices: tuple[str, ...] = ()
    meanings: tuple[Any, ...] = ()
    constraints: Constraints = Constraints()
    model: type[BaseModel] | None = None
    nullable: bool = False
    nothing: Any = None  # what stands for nothing found where null is allowed


def shape_of_model(model_class: type[BaseModel]) -> Shape:
    """Return the shape of a model class.

    Raises:
        SchemaError: if it is no model class, is nested too deeply or in itself, or has types that
            text cannot fill.

    >>> class CustomerOrder(BaseModel):
    ...     number: str
    ...     state: Literal["open", "shipped"]
    >>> shape = shape_of_model(CustomerOrder)
    >>> [structure.name for structure in shape.structures()]
    ['customer order']
    >>> [(leaf.name, leaf.field.choices, leaf.required) for leaf in shape.leaves]
    [('number', (), True), ('state', ('open', 'shipped'), True)]
    """
    if not isinstance(model_class, type) or not issubclass(model_class, BaseModel):
        raise SchemaError(
            f"A Pydantic model class was expected, but {shown(model_class)} was given; of a "
            "dataclass or a TypedDict give TypeAdapter(...).json_schema()."
        )
    try:
        return named(_shape(model_class, ()))
    except RecursionError as error:  # by an alias such as  type Lists = list[Lists]
        raise SchemaError(
            f"A type in the model {model_class.__name__} holds itself; give a type that ends."
        ) from error


def _shape(model_class: type[BaseModel], above: tuple[type, ...]) -> Shape:
    """Return the shape of a class below others, names not yet told apart."""
    name = model_class.__name__
    if issubclass(model_class, RootModel):
        raise SchemaError(f"The model {name} is a RootModel; give a model with named fields.")
    if model_class is BaseModel:
        raise SchemaError("BaseModel itself has no fields; give a class made from it.")
    if model_class in above:
        raise SchemaError(f"The model {name} holds itself; give a model that ends.")
    if not model_class.__pydantic_complete__ and not model_class.model_rebuild(raise_errors=False):
        raise SchemaError(
            f"The model {name} names a class that is not defined yet; define it, then call "
            f"{name}.model_rebuild()."
        )
    leaves: list[Leaf] = []
    children: list[Child] = []
    for field_name, info in model_class.model_fields.items():
        where = f"{name}.{field_name}"
        reading = read_type(info.annotation, where)
        given = reading.constraints.joined(read_constraints(info.metadata, where))
        key, required = _key(field_name, info, model_class, where), info.is_required()
        many = reading.dtype == "list"
        if reading.model is not None:
            below = _shape(reading.model, (*above, model_class))
            own = given.rules(many, where)
            fewest = own.min_items or 0
            child = Child(
                field_name, key, below, many, required, reading.nullable, fewest, own.max_items
            )
            children.append(child)
            continue
        rules = given.rules(many, where)
        field = Field(field_name, reading.dtype, reading.choices, info.description, None, rules)
        null = (reading.nullable, reading.nothing)
        leaves.append(Leaf(field_name, key, field, reading.meanings, required, *null))
    return Shape(structure_name(name), name, tuple(leaves), tuple(children))


def _key(name: str, info: FieldInfo, model_class: type[BaseModel], where: str) -> str:
    """Return what validation calls a field."""
    alias, config = info.validation_alias, model_class.model_config
    if alias is None or config.get("validate_by_alias") is False:
        return name
    names = alias.choices if isinstance(alias, AliasChoices) else [alias]
    key = next((one for one in names if isinstance(one, str)), None)
    if key is None and (config.get("validate_by_name") or config.get("populate_by_name")):
        return name
    if key is None:
        raise SchemaError(f"The alias of {where} is a path into other data; give it a name.")
    return key


def read_type(annotation: Any, where: str) -> Reading:
    """Return what a type annotation asks for.

    Args:
        annotation: the type of a field.
        where: the field, as errors name it.

    Raises:
        SchemaError: if the type is a mapping, or not understood.

    >>> read_type(list[Literal["a", "b"]] | None, "Model.field")[:2]
    ('list', ('a', 'b'))
    """
    annotation = _unwrapped(annotation)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        inner = read_type(arguments[0], where)
        own = read_constraints(arguments[1:], where)
        return inner._replace(constraints=inner.constraints.joined(own))
    if origin is Union or origin is UnionType:
        return _read_same(arguments, annotation, where)
    if origin is Literal:
        return _read_choice(arguments, where)
    if annotation is Any:
        return Reading("str", nullable=True)
    container = origin if origin is not None else annotation
    if isinstance(container, TypeVar):
        raise SchemaError(
            f"The type of {where} is left open by {annotation}; give the class its types, as in "
            "Box[str]."
        )
    if not isinstance(container, type):
        raise SchemaError(f"The type of {where} is not understood: {shown(annotation)}.")
    if issubclass(container, BaseModel):
        return Reading("str", model=container)
    if _has_fields(container):
        raise SchemaError(
            f"The field {where} holds {container.__name__}, which has fields but is no Pydantic "
            "model; make it one."
        )
    if issubclass(container, Mapping):
        raise SchemaError(f"The field {where} is a mapping; give a model with named fields.")
    is_list = issubclass(container, _LISTS) and not issubclass(container, _TEXTS)
    if is_list or container is Iterable:
        items = tuple(argument for argument in arguments if argument is not Ellipsis)
        reading = _read_list(items, annotation, where)
        if container is tuple and items == arguments and items:  # as many as there are types
            count = Constraints(text={"min_length": len(items), "max_length": len(items)})
            return reading._replace(constraints=reading.constraints.joined(count))
        return reading
    return _read_scalar(container, where)


def _unwrapped(annotation: Any) -> Any:
    """Return what an alias or a new name of a type stands for."""
    if isinstance(annotation, TypeAliasType):
        return _unwrapped(annotation.__value__)
    if isinstance(annotation, NewType):
        return _unwrapped(annotation.__supertype__)
    origin = get_origin(annotation)
    if isinstance(origin, TypeAliasType):  # type Pair[T] = tuple[T, T], as Pair[str]
        types: dict[Any, Any] = dict(
            zip(origin.__type_params__, get_args(annotation), strict=False)
        )
        meant = origin.__value__
        if isinstance(meant, TypeVar):
            return _unwrapped(types.get(meant, meant))
        left = getattr(meant, "__parameters__", ())
        return _unwrapped(meant[tuple(types.get(one, one) for one in left)] if left else meant)
    return annotation


def _read_list(items: tuple[Any, ...], annotation: Any, where: str) -> Reading:
    """Return the reading of a list-like type from those of its items."""
    item = _read_same(items, annotation, where) if items else Reading("str")
    if item.dtype == "list":
        raise SchemaError(f"The field {where} is a list of lists; give a flat list.")
    # From here on lengths are those of the list; those of its items become rules at once.
    constraints = item.constraints.of_items(where)
    return item._replace(dtype="list", constraints=constraints, nullable=False, nothing=None)


def _read_same(members: tuple[Any, ...], annotation: Any, where: str) -> Reading:
    """Return the one reading that all members share, None aside; choices are put together."""
    kept = [member for member in members if member is not None and member is not NoneType]
    has_none = len(kept) < len(members)
    readings = [read_type(member, where) for member in kept]
    nullable = has_none or any(reading.nullable for reading in readings)
    if readings and all(_is_choice(reading, readings[0].constraints) for reading in readings):
        pairs = [pair for one in readings for pair in zip(one.choices, one.meanings, strict=True)]
        choices, meanings = zip(*dict.fromkeys(pairs), strict=True)
        nothing = [one.nothing for one in readings if one.nothing is not None]
        return readings[0]._replace(
            choices=choices,
            meanings=meanings,
            nullable=nullable,
            nothing=nothing[0] if nothing and not has_none else None,
        )
    if not readings or any(reading != readings[0] for reading in readings):
        if not readings or not all(_is_plain(reading) for reading in readings):
            raise SchemaError(
                f"The field {where} mixes types that are extracted differently: "
                f"{shown(annotation)}; give it one type."
            )
        return Reading("str", nullable=nullable)  # several kinds of value: the class decides
    return readings[0]._replace(nullable=nullable)


def _is_choice(reading: Reading, constraints: Constraints) -> bool:
    """Return whether a reading is one of a few values, under these constraints."""
    return reading.dtype == "str" and bool(reading.choices) and reading.constraints == constraints


def _is_plain(reading: Reading) -> bool:
    """Return whether a reading is one span of text of some kind."""
    return reading.dtype == "str" and not reading.choices and reading.model is None


def _choice(value: object, where: str) -> str | None:
    """Return what a Literal or Enum member looks like in a text, as in JSON; None for null."""
    try:
        said = to_jsonable_python(value.value if isinstance(value, Enum) else value)
    except ValueError:  # bytes that are no text, or what JSON does not know
        said = value
    if said is None:
        return None
    if not isinstance(said, str | int | float):
        raise SchemaError(
            f"The type of {where} allows {shown(value)}; give texts, numbers, true or false."
        )
    return str(said).lower() if isinstance(said, bool) else str(said)


def _read_choice(values: Sequence[Any], where: str) -> Reading:
    """Return the reading of a type that allows a few values, null among them."""
    said = [(_choice(value, where), value) for value in values]
    pairs = [(choice, value) for choice, value in said if choice is not None]
    if not pairs:
        raise SchemaError(f"The type of {where} allows no value; give it one or more.")
    choices, meanings = zip(*pairs, strict=True)
    null = [value for choice, value in said if choice is None]
    return Reading("str", choices, meanings, nullable=bool(null), nothing=null[0] if null else None)


def _read_scalar(kind: type, where: str) -> Reading:
    """Return the reading of a type with one value."""
    if issubclass(kind, Enum):
        return _read_choice(tuple(kind), where)
    if kind is bool:
        return Reading("str", ("true", "false"), (True, False))
    for base, name in _KINDS:
        if issubclass(kind, base):
            return Reading("str", constraints=Constraints(Rules(kind=name)))
    return Reading("str")


def _has_fields(kind: type) -> bool:
    """Return whether a type other than a model has fields of its own."""
    if issubclass(kind, Money | Quantity):
        return False
    is_named_tuple = issubclass(kind, tuple) and kind is not tuple
    return dataclasses.is_dataclass(kind) or is_named_tuple
