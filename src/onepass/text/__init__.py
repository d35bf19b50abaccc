"""Words of a text and their places; it knows no model."""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.text.words import Words, split_words

_HOMES = {
    ".words": (
        "Words",
        "split_words",
    ),
}

__all__ = [
    "Words",
    "split_words",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
