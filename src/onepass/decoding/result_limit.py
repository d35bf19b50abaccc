"""How much of a text may become results: who sends them on may not be able to hold all.

A threshold of 0 finds every span under every label, millions in a long text. It does not know who
sets a bound, nor why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from onepass.errors import TooMuchFound

_MOST: ContextVar[tuple[int, str] | None] = ContextVar("most", default=None)


@contextmanager
def at_most(values: int, name: str) -> Iterator[None]:
    """Make results of so many values of a text at most; what holds more raises `TooMuchFound`.

    Args:
        values: the most that one text may hold.
        name: what the error calls this bound.

    >>> with at_most(2, "max_found"):
    ...     check_most(3)
    Traceback (most recent call last):
    ...
    onepass.errors.TooMuchFound: In the text 3 values were found, but max_found is 2; raise ...
    """
    token = _MOST.set((values, name))
    try:
        yield
    finally:
        _MOST.reset(token)


def check_most(found: int) -> None:
    """Refuse more values of a text than may become results; without a bound all may.

    Raises:
        TooMuchFound: for more than `at_most` says.
    """
    bound = _MOST.get()
    if bound is None:
        return
    most, name = bound
    if found > most:
        raise TooMuchFound(
            f"In the text {found} values were found, but {name} is {most}; raise the threshold, "
            "ask for less, or split the text."
        )
