"""Constraints of Pydantic fields, read as rules.

What a regular expression or a bound means is left to `onepass.schema.rules`; constraints that are
not understood are left to validation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from operator import attrgetter
from typing import Any

import annotated_types
from pydantic import StringConstraints
from pydantic.fields import FieldInfo

from onepass.errors import SchemaError
from onepass.schema.rules import NO_RULES, Bound, Rules, pattern_problem

_BOUNDS = {
    annotated_types.Ge: "ge", annotated_types.Gt: "gt",
    annotated_types.Le: "le", annotated_types.Lt: "lt",
}  # fmt: skip
# What bounds nothing: every number keeps it.
_ENDLESS = {"ge": float("-inf"), "gt": float("-inf"), "le": float("inf"), "lt": float("inf")}


@dataclass(frozen=True, slots=True)
class Constraints:
    """What is said of a field so far.

    Attributes:
        own: rules that are settled: a kind, and what was given as `Rules`.
        bounds: of the value.
        text: lengths and pattern, of which it is not yet known whether a list or a text has them.
    """

    own: Rules = NO_RULES
    bounds: Mapping[str, Bound] = field(default_factory=dict)
    text: Mapping[str, Any] = field(default_factory=dict)

    def joined(self, other: Constraints) -> Constraints:
        """Return both; what the other one says comes first."""
        return Constraints(
            self.own.with_(other.own.given()),
            {**self.bounds, **other.bounds},
            {**self.text, **other.text},
        )

    def of_items(self, where: str) -> Constraints:
        """Return the constraints of a list whose items have these.

        Raises:
            SchemaError: naming the field, if they contradict each other.
        """
        return Constraints(self._own_with(self.text, where), self.bounds)

    def rules(self, many: bool, where: str) -> Rules:
        """Return the rules of a field.

        Raises:
            SchemaError: naming the field, if they contradict its type.
        """
        text = dict(self.text)
        if many:
            text = {name.replace("length", "items"): value for name, value in text.items()}
        bounds = {} if self.own.kind in ("text", "url", "email") else dict(self.bounds)
        return self._own_with({**bounds, **text}, where)

    def _own_with(self, changes: Mapping[str, Any], where: str) -> Rules:
        try:
            return self.own.with_(dict(changes))
        except SchemaError as error:
            raise SchemaError(f"In the field {where}: {error}") from error


def read_constraints(metadata: Iterable[Any], where: str) -> Constraints:
    """Return what the metadata of a field or of ``Annotated`` says.

    >>> read_constraints([annotated_types.Ge(1)], "Model.count").bounds
    {'ge': 1}
    """
    found = Constraints()
    for one in metadata:
        found = found.joined(_read_one(one, where))
    return found


def _read_one(one: Any, where: str) -> Constraints:
    if isinstance(one, Rules):
        return Constraints(one)
    if isinstance(one, FieldInfo):
        return read_constraints(one.metadata, where)
    if isinstance(one, annotated_types.Interval):
        return read_constraints(iter(one), where)
    if isinstance(one, annotated_types.Len):
        return _lengths(one.min_length, one.max_length)
    if isinstance(one, annotated_types.MinLen):
        return _lengths(one.min_length, None)
    if isinstance(one, annotated_types.MaxLen):
        return _lengths(0, one.max_length)
    for kind, name in _BOUNDS.items():
        if isinstance(one, kind):
            given = attrgetter(name)(one)
            if isinstance(given, float | Decimal) and given == _ENDLESS[name]:
                return Constraints()
            value = _bound(given)
            return Constraints() if value is None else Constraints(bounds={name: value})
    if isinstance(one, StringConstraints):
        lengths = _lengths(one.min_length or 0, one.max_length)
        return lengths.joined(_pattern(one.pattern))
    # The metadata of ``Field(pattern=...)`` is a private class of Pydantic. Its other classes, such
    # as validators, have no pattern, and some have slots: vars() does not work on them.
    own = type(one).__module__.partition(".")[0] == "pydantic"
    return _pattern(getattr(one, "pattern", None)) if own else Constraints()


def _lengths(least: int, most: int | None) -> Constraints:
    given = {"min_length": least or None, "max_length": most}
    return Constraints(text={name: value for name, value in given.items() if value is not None})


def _pattern(pattern: Any) -> Constraints:
    if isinstance(pattern, re.Pattern):
        pattern = pattern.pattern
    if not isinstance(pattern, str) or pattern_problem(pattern) is not None:
        return Constraints()  # Pydantic's engine knows more than Python's, such as \p{L}
    return Constraints(text={"pattern": pattern})


def _bound(value: Any) -> Bound | None:
    """Return a bound as data; None for a kind of value that has no order here."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return str(value)
    plain = isinstance(value, int | float) and not isinstance(value, bool)
    return value if plain else None
