"""Annotated texts: what they hold, and the formats that they are read from."""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.corpus.example import (
        Example,
        GoldField,
        GoldRelation,
        GoldStructure,
        GoldTask,
        GoldValue,
        Mention,
    )
    from onepass.corpus.formats import read_any

_HOMES = {
    ".example": (
        "Example",
        "GoldField",
        "GoldRelation",
        "GoldStructure",
        "GoldTask",
        "GoldValue",
        "Mention",
    ),
    ".formats": ("read_any",),
}

__all__ = [
    "Example",
    "GoldField",
    "GoldRelation",
    "GoldStructure",
    "GoldTask",
    "GoldValue",
    "Mention",
    "read_any",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
