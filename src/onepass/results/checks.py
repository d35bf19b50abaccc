"""What results refuse when they are made: values of another type than theirs.

It knows single values, not what they are part of.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import Any, SupportsFloat, SupportsIndex


def check_text(value: object, what: str) -> None:
    """Refuse what is not a string.

    Raises:
        ValueError: if it is anything else.

    >>> check_text(3, "'label'")
    Traceback (most recent call last):
    ...
    ValueError: 'label' must be a string, but 3 was given.
    """
    if not isinstance(value, str):
        raise ValueError(f"{what} must be a string, but {value!r:.60} was given.")


def check_name(value: object, what: str) -> None:
    """Refuse what is not a string, and an empty one.

    Raises:
        ValueError: if it is either.

    >>> check_name("", "'label'")
    Traceback (most recent call last):
    ...
    ValueError: 'label' must be the name of something, but it is empty.
    """
    check_text(value, what)
    if not value:
        raise ValueError(f"{what} must be the name of something, but it is empty.")


def check_list(value: Any, what: str) -> list[Any] | tuple[Any, ...]:
    """Return what is given if it is a list or a tuple.

    Raises:
        ValueError: if it is anything else, which could be empty or fall into letters unnoticed.

    >>> check_list("ab", "'labels'")
    Traceback (most recent call last):
    ...
    ValueError: 'labels' must be a list, but 'ab' was given.
    """
    if not isinstance(value, list | tuple):
        raise ValueError(f"{what} must be a list, but {value!r:.60} was given.")
    return value


def check_object(value: Any, what: str) -> Mapping[str, Any]:
    """Return what is given if it is an object, as JSON calls it.

    Raises:
        ValueError: if it is anything else.

    >>> check_object([], "'records'")
    Traceback (most recent call last):
    ...
    ValueError: 'records' must be an object, but [] was given.
    """
    if not isinstance(value, Mapping):
        raise ValueError(f"{what} must be an object, but {value!r:.60} was given.")
    return value


def check_made(value: object, kind: type, what: str) -> None:
    """Refuse what is not of a class of results, such as the dict that stands for it in JSON.

    Raises:
        ValueError: if it is anything else.

    >>> check_made({"start": 0}, slice, "'place'")
    Traceback (most recent call last):
    ...
    ValueError: 'place' must be of the class slice, but {'start': 0} was given.
    """
    if not isinstance(value, kind):
        raise ValueError(
            f"{what} must be of the class {kind.__name__}, but {value!r:.60} was given."
        )


def check_score(value: SupportsFloat | SupportsIndex, owner: str) -> float:
    """Return a score as a Python float, whatever number type it came in.

    Raises:
        ValueError: if it is not a number from 0 to 1.

    >>> check_score(1, "the label 'calm'")
    1.0
    """
    if type(value) is not float and (  # float() would read strings and truth values too
        isinstance(value, bool) or not isinstance(value, SupportsFloat | SupportsIndex)
    ):
        raise ValueError(f"The score of {owner} must be a number, but {value!r:.60} was given.")
    try:
        score = float(value)
    except OverflowError:  # a whole number or a fraction that no float holds
        score = math.inf
    if not 0.0 <= score <= 1.0:  # also refuses nan
        raise ValueError(f"The score of {owner} must be a number from 0 to 1, but it is {score}.")
    return score


def check_whole(value: object, what: str) -> int:
    """Return a whole number as a Python int, whatever number type it came in.

    Raises:
        ValueError: if it is anything else.

    >>> check_whole("3", "The start")
    Traceback (most recent call last):
    ...
    ValueError: The start must be a whole number, but '3' was given.
    """
    if type(value) is int:  # protocols are slow to ask
        return value
    if isinstance(value, bool) or not isinstance(value, SupportsIndex):
        raise ValueError(f"{what} must be a whole number, but {value!r:.60} was given.")
    return operator.index(value)
