"""Trees of values made instances: by a Pydantic class, or as plain values by a shape."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from onepass.schema.rules import Money, Quantity
from onepass.schema.shape import Child, Leaf, Shape
from onepass.typed.branches import MISSING, Branch, Location, Problem, mend
from onepass.typed.result import FieldError

if TYPE_CHECKING:
    from pydantic import BaseModel

Validate = Callable[[dict[str, Any]], tuple[Any, list[Problem]]]
_CONTAINERS: dict[str, type[set[Any]] | type[frozenset[Any]] | type[tuple[Any, ...]]] = {
    "set_type": set, "frozen_set_type": frozenset, "tuple_type": tuple,
}  # fmt: skip
_ROUNDS = 12  # every round takes something away; a deep tree needs a few


def settle(branch: Branch, validate: Validate, errors: list[FieldError]) -> Any:
    """Return the instance of a record, or None; the branch keeps what the instance holds.

    Args:
        branch: of the record.
        validate: data to an instance, or to problems.
        errors: to which is added what did not validate.
    """
    for _ in range(_ROUNDS):
        value, problems = validate(branch.data())
        if not problems:
            return value
        if not mend(branch, problems, errors):
            return None
    return None


def model_validator(model_class: type[BaseModel]) -> Validate:
    """Return what makes instances of a class.

    >>> from pydantic import BaseModel
    >>> class Item(BaseModel):
    ...     count: int
    >>> model_validator(Item)({"count": "many"})[1][0].location
    ('count',)
    """
    from pydantic import ValidationError

    def validate(data: dict[str, Any]) -> tuple[Any, list[Problem]]:
        while True:
            try:
                return model_class.model_validate(data), []
            except ValidationError as error:
                said = error.errors(include_url=False, include_context=False, include_input=False)
            # A strict class takes no list for a set: give it one, wherever it wants one.
            changed = [_contain(data, one["loc"], one["type"]) for one in said]
            if not any(changed):
                break
        return None, [
            Problem(tuple(one["loc"]), one["type"] == "missing", _sentence(one["msg"]))
            for one in said
        ]

    return validate


class _Item(dict[str, Any]):
    """A record that a set can hold."""

    __hash__ = object.__hash__  # type: ignore[assignment]


def _contain(data: Any, location: Location, wrong: str) -> bool:
    """Make a list that stands at a location what a class expects; return whether one does."""
    kind = _CONTAINERS.get(wrong)
    if kind is None or not location:
        return False
    *above, last = location
    for key in above:
        data = _held(data, key)
    held = _held(data, last)
    if not isinstance(held, list) or isinstance(data, tuple):
        return False
    data[last] = kind(_Item(one) if isinstance(one, dict) else one for one in held)
    return True


def _held(data: Any, key: str | int) -> Any:
    """Return what a container holds at a key; None if it is none, or holds nothing there."""
    if isinstance(data, dict):
        return data.get(key)
    if isinstance(data, list | tuple) and isinstance(key, int):
        return data[key] if key < len(data) else None
    return None


def _sentence(message: str) -> str:
    """Return what a validator says as one line that ends with a point."""
    return f"{' '.join(message.split()).rstrip(' .,;:')}."


def json_validator(shape: Shape) -> Validate:
    """Return what makes plain values of what JSON can hold.

    >>> from onepass.schema import Field
    >>> shape = Shape("item", "Item", (Leaf("day", "day", Field("day", "str")),))
    >>> json_validator(shape)({"day": date(2024, 5, 3)})
    ({'day': '2024-05-03'}, [])
    """

    def validate(data: dict[str, Any]) -> tuple[Any, list[Problem]]:
        problems = list(_lacking(shape, data, ()))
        return (None, problems) if problems else (_plain(data), [])

    return validate


def _lacking(shape: Shape, data: dict[str, Any], above: Location) -> list[Problem]:
    problems = []
    parts: tuple[Leaf | Child, ...] = (*shape.leaves, *shape.children)
    for part in parts:
        location = (*above, part.key)
        held = data.get(part.key)
        if part.key not in data:
            if part.required:
                problems.append(Problem(location, True, MISSING))
            continue
        fewest = part.fewest if isinstance(part, Child) else part.field.rules.min_items or 0
        if part.many and held is not None and len(held) < fewest:
            message = f"{len(held)} were found, but at least {fewest} are required."
            problems.append(Problem(location, False, message))
        if isinstance(part, Child) and held is not None:
            items = list(enumerate(held)) if part.many else [(None, held)]
            for place, one in items:
                own = location if place is None else (*location, place)
                problems += _lacking(part.shape, one, own)
    return problems


def _plain(value: Any) -> Any:
    """Return a value as JSON holds it."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Money):
        return {"amount": _plain(value.amount), "currency": value.currency}
    if isinstance(value, Quantity):
        return {"amount": _plain(value.amount), "unit": value.unit}
    if isinstance(value, Decimal):
        whole = value == value.to_integral_value()
        return int(value) if whole else float(value)
    return value
