"""What is said where an option of a loss is wrong, whatever the family."""

from __future__ import annotations

from onepass.errors import InputError
from onepass.schema.shown import shown


def check_loss(name: str, value: object, right: bool, expected: str) -> None:
    """Refuse a value of an option that is not right, saying what was expected."""
    if not right:
        raise InputError(f"'loss.{name}' must be {expected}, but {shown(value)} was given.")
