"""Values that are opened when they are first asked for, once, whichever thread asks first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class OpenOnce(Generic[T]):
    """Opens values by name, each of them once.

    Args:
        opened: makes the value of a name; if it raises, the next call tries again.

    >>> doubled = OpenOnce(lambda name: 2 * name)
    >>> doubled["ab"]
    'abab'
    """

    def __init__(self, opened: Callable[[str], T]) -> None:
        self._open = opened
        self._values: dict[str, T] = {}
        self._lock = threading.Lock()

    def __getitem__(self, name: str) -> T:
        try:
            return self._values[name]
        except KeyError:
            with self._lock:
                if name not in self._values:
                    self._values[name] = self._open(name)
                return self._values[name]
