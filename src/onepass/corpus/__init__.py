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
    from onepass.corpus.public import read_any
    from onepass.corpus.reading import read_training_file

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
    ".public": ("read_any",),
    ".reading": ("read_training_file",),
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
    "read_training_file",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
