"""Whether what is being read is still wanted: a long reading can be given up between two runs.

Whoever asks for a reading may go away. The reader looks here before each run of the backbone; it
knows neither who asks nor why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

Check = Callable[[], bool]


class Unwanted(Exception):
    """Nobody wants what is being read any more."""


def _always() -> bool:
    return True


_CHECK: ContextVar[Check] = ContextVar("wanted", default=_always)


@contextmanager
def while_wanted(check: Check) -> Iterator[None]:
    """Read only while a check says so; what is read inside raises `Unwanted` when it does not.

    Args:
        check: may be called from any thread.

    >>> with while_wanted(lambda: False):
    ...     current_check()()
    False
    """
    token = _CHECK.set(check)
    try:
        yield
    finally:
        _CHECK.reset(token)


def current_check() -> Check:
    """Return the check of the calling thread; without one everything is wanted."""
    return _CHECK.get()
