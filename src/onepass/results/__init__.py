"""What was found in a text, and every form in which it is shown or handed on."""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.results.missed import Explanation, Missed
    from onepass.results.page import PALETTE
    from onepass.results.render import to_fragment, to_html
    from onepass.results.table import to_table
    from onepass.results.types import (
        Classification,
        Coverage,
        Entity,
        Extraction,
        LabelScore,
        Record,
        Relation,
        Value,
    )

_HOMES = {
    ".types": (
        "Classification",
        "Coverage",
        "Entity",
        "Extraction",
        "LabelScore",
        "Record",
        "Relation",
        "Value",
    ),
    ".missed": (
        "Explanation",
        "Missed",
    ),
    ".page": ("PALETTE",),
    ".render": (
        "to_fragment",
        "to_html",
    ),
    ".table": ("to_table",),
}

__all__ = [
    "PALETTE",
    "Classification",
    "Coverage",
    "Entity",
    "Explanation",
    "Extraction",
    "LabelScore",
    "Missed",
    "Record",
    "Relation",
    "Value",
    "to_fragment",
    "to_html",
    "to_table",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
