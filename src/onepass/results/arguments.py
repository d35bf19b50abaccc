"""What is given to the functions that show results: the right thing, or one sentence.

It knows types only.
"""

from __future__ import annotations

from collections.abc import Iterable

from onepass.errors import InputError
from onepass.results.types import Extraction


def extraction(given: object) -> Extraction:
    """Return what is given if it is a result.

    Raises:
        InputError: if it is anything else.

    >>> extraction(5)
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: An Extraction is shown, but 5 (int) was given; give what extract() \
returns.
    """
    if not isinstance(given, Extraction):
        raise InputError(
            f"An Extraction is shown, but {given!r:.60} ({type(given).__name__}) was given; give "
            "what extract() returns."
        )
    return given


def extractions(given: object) -> list[Extraction]:
    """Return one result, or several of them, as a list.

    Raises:
        InputError: if it is anything else.

    >>> len(extractions(Extraction("a"))), len(extractions(iter([Extraction("a")] * 2)))
    (1, 2)
    """
    if isinstance(given, Extraction) or not isinstance(given, Iterable):
        return [extraction(given)]
    return [extraction(one) for one in given]


def name(given: object, what: str) -> str:
    """Return what is given if it is a string.

    Raises:
        InputError: if it is anything else.

    >>> name("a", "The title")
    'a'
    """
    if not isinstance(given, str):
        raise InputError(f"{what} must be a string, but {given!r:.60} was given.")
    return given
