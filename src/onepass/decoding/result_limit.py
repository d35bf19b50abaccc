"""How much of a text may become results: who sends them on may not be able to hold all.

A threshold of 0 finds every span under every label, millions in a long text. It does not know who
sets a bound, nor why.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from onepass.errors import TooMuchFound

_MOST: ContextVar[int | None] = ContextVar("most", default=None)


@contextmanager
def at_most(values: int) -> Iterator[None]:
    """Make results of so many values of a text at most; what holds more raises `TooMuchFound`.

    >>> with at_most(2):
    ...     check_most(3)
    Traceback (most recent call last):
    ...
    onepass.errors.TooMuchFound: In the text 3 values were found, but at most 2 are taken; ...
    """
    token = _MOST.set(values)
    try:
        yield
    finally:
        _MOST.reset(token)


def check_most(found: int) -> None:
    """Refuse more values of a text than may become results; without a bound all may.

    Raises:
        TooMuchFound: for more than `at_most` says.
    """
    most = _MOST.get()
    if most is not None and found > most:
        raise TooMuchFound(
            f"In the text {found} values were found, but at most {most} are taken; raise the "
            "threshold, ask for less, or split the text."
        )
