"""A client of httpx that is made anew where the connections of the last one cannot be used.

It asks nothing itself.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from typing import Generic, TypeVar

import httpx

from onepass.client.wire import environment

H = TypeVar("H", httpx.Client, httpx.AsyncClient)


class Pool(Generic[H]):
    """Connections that are left alone in another place than that of their first use.

    Two processes that share a connection over a fork get each other's answers, and the connections
    of an event loop end with it.

    Args:
        place: says where it is used, such as the number of the process.
        make: makes the client of httpx.

    >>> place = iter([1, 1, 2])
    >>> pool = Pool(lambda: next(place), httpx.Client)
    >>> one, same, other = pool.here(), pool.here(), pool.here()
    >>> one is same, one is other
    (True, False)
    """

    def __init__(self, place: Callable[[], object], make: Callable[[], H]) -> None:
        self._place = place
        self._make: Callable[[], H] = make
        self._first: H = self._made()  # at once, so that what cannot be is said where it was given
        self._used: tuple[object, H] | None = None

    def here(self) -> H:
        """Return the client to use here; a closed one stays closed everywhere."""
        place = self._place()
        if self._used is None:
            self._used = place, self._first
        was, http = self._used
        if was != place and not http.is_closed:
            http = self._made()
            self._used = place, http
        return http

    def _made(self) -> H:
        with environment():
            return self._make()


def this_process() -> object:
    """Return what a client of one process belongs to."""
    return os.getpid()


def this_loop() -> object:
    """Return what a client of one event loop belongs to; the loop may have come over a fork."""
    return os.getpid(), asyncio.get_running_loop()
