"""Where an error came from, without what it says: messages may hold parts of a text."""

from __future__ import annotations

from pathlib import Path
from traceback import extract_tb

_FRAMES = 6


def where(error: BaseException) -> str:
    """Return the class of an error and the last places that it passed.

    >>> try:
    ...     {}["a secret"]
    ... except KeyError as error:
    ...     where(error)
    'KeyError at ...:2 in <module>'
    """
    frames = extract_tb(error.__traceback__)[-_FRAMES:]
    places = [f"{Path(frame.filename).name}:{frame.lineno} in {frame.name}" for frame in frames]
    return f"{type(error).__name__} at {', '.join(reversed(places))}"
