"""Checks of single values of a configuration, and what is said where one is wrong.

It knows nothing about what the values are for.
"""

from __future__ import annotations

from typing import TypeGuard

from onepass.errors import InputError
from onepass.schema.numbers import is_finite
from onepass.schema.shown import shown


def check(name: str, value: object, right: bool, expected: str) -> None:
    """Refuse a value of a configuration that is not right, saying what was expected."""
    if not right:
        given = list(value) if isinstance(value, tuple) else value  # as it was written
        raise InputError(f"{name!r} must be {expected}, but {shown(given)} was given.")


def either(choices: tuple[str, ...]) -> str:
    """Return how a choice is written in a message."""
    return f"one of {', '.join(choices)}"


def is_path(value: object) -> TypeGuard[str]:
    """Return whether a value may be a path: an unset variable of a script, "", is none."""
    return isinstance(value, str) and bool(value.strip())


def is_from_0(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a finite number from 0."""
    return is_finite(value) and value >= 0


def is_above(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a finite number above 0."""
    return is_from_0(value) and value != 0
