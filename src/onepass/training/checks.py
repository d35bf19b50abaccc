"""Checks of single values of a configuration, and what is said where one is wrong.

It knows nothing about what the values are for.
"""

from __future__ import annotations

import sys
from typing import TypeGuard

from onepass.errors import InputError
from onepass.schema.types import shown


def check(name: str, value: object, right: bool, expected: str) -> None:
    """Refuse a value of a configuration that is not right, saying what was expected."""
    if not right:
        raise InputError(f"{name!r} must be {expected}, but {shown(value)} was given.")


def either(choices: tuple[str, ...]) -> str:
    """Return how a choice is written in a message."""
    return f"one of {', '.join(choices)}"


def is_whole(value: object, least: int, most: float = float("inf")) -> bool:
    """Return whether a value is a whole number from ``least`` to ``most``."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def is_finite(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a finite number; of whole ones, one that a float can be."""
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max


def is_number(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a finite number from 0."""
    return is_finite(value) and value >= 0


def is_above(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a finite number above 0."""
    return is_number(value) and value != 0
