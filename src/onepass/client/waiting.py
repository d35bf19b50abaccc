"""How long a client waits: for a connection, for an answer, and before another try."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from math import inf
from time import monotonic
from typing import Any

import httpx

from onepass.client.wire import NEVER_SENT
from onepass.errors import InputError

Hooks = dict[str, list[Callable[..., Any]]]

_AGAIN = (429, 503)  # busy, stopping: nothing was read
_LONGEST_WAIT = 30.0  # seconds before another try
_DOUBLINGS = 10  # of the wait, which is longer than that by then
_JITTER = 0.25  # clients that were refused together do not come back together
_LONGEST_ANSWER = 7 * 86_400.0  # seconds; sockets take no number that is much larger


def patience(timeout: float) -> httpx.Timeout:
    """Return how long is waited for what, or refuse seconds that are none.

    A request that waits in the client for one of its connections was not sent yet: it waits as
    long as those before it take.

    >>> patience(60), patience(float("inf"))
    (Timeout(connect=60.0, read=60.0, write=60.0, pool=None), \
Timeout(connect=604800.0, read=604800.0, write=604800.0, pool=None))
    """
    try:
        in_time = timeout > 0
    except TypeError:
        in_time = False
    if not in_time:
        raise InputError(f"timeout must be seconds above 0, but {timeout!r:.60} was given.")
    return httpx.Timeout(float(min(timeout, _LONGEST_ANSWER)), pool=None)


class Tries:
    """Counts the tries of one request.

    Args:
        retries: how many there may be after the first.
    """

    def __init__(self, retries: int) -> None:
        self._left = retries
        self._made = 0

    def after(self, got: httpx.Response | httpx.HTTPError) -> float | None:
        """Return the seconds before another try; None if what was got is the last word."""
        if isinstance(got, httpx.HTTPError):
            again, said = isinstance(got, NEVER_SENT), ""
        else:
            again, said = got.status_code in _AGAIN, got.headers.get("retry-after", "")
        if not again or self._made == self._left:
            return None
        seconds = wait(said, self._made)
        self._made += 1
        return seconds


def wait(said: str, tries: int) -> float:
    """Return the seconds before another try: what the service said, or twice as long each time.

    Args:
        said: a header Retry-After: seconds or a date; what lies in the past says nothing.
        tries: how many there were.

    >>> 7 <= wait("7", 0) <= 7 * 1.25, 2 <= wait("0", 3) <= 2 * 1.25
    (True, True)
    """
    seconds = _seconds(said)
    if seconds <= 0:
        seconds = 0.25 * 2 ** min(tries, _DOUBLINGS)
    return min(seconds, _LONGEST_WAIT) * (1 + _JITTER * random.random())


def _seconds(said: str) -> float:
    """Return how long a service asks to wait; 0 where it does not say."""
    if said.isdecimal():
        return float(said)
    try:
        until = parsedate_to_datetime(said)
    except (ValueError, OverflowError):  # of a year or a zone that no date has
        return 0.0
    zoned = until if until.tzinfo else until.replace(tzinfo=UTC)
    return (zoned - datetime.now(UTC)).total_seconds()


def in_time(patience: httpx.Timeout) -> Hooks:
    """Return hooks of httpx that give the whole body of an answer as long as a byte of it has.

    The timeout of httpx is that between two bytes: what comes a byte at a time would never end.
    """

    def bound(answer: httpx.Response) -> None:
        answer.stream = _Body(answer.stream, patience)

    return {"response": [bound]}


def in_time_async(patience: httpx.Timeout) -> Hooks:
    """Return the twin of `in_time` for asyncio."""

    async def bound(answer: httpx.Response) -> None:
        answer.stream = _Body(answer.stream, patience)

    return {"response": [bound]}


class _Body(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body that is read until its time is over.

    Args:
        held: that comes; of the kind that its client reads.
        patience: which it has from now on.
    """

    def __init__(
        self, held: httpx.SyncByteStream | httpx.AsyncByteStream, patience: httpx.Timeout
    ) -> None:
        self._held = held
        self._until = monotonic() + (inf if patience.read is None else patience.read)

    def __iter__(self) -> Iterator[bytes]:
        assert isinstance(self._held, httpx.SyncByteStream)
        for part in self._held:
            self._check()
            yield part

    async def __aiter__(self) -> AsyncIterator[bytes]:
        assert isinstance(self._held, httpx.AsyncByteStream)
        async for part in self._held:
            self._check()
            yield part

    def close(self) -> None:
        assert isinstance(self._held, httpx.SyncByteStream)
        self._held.close()

    async def aclose(self) -> None:
        assert isinstance(self._held, httpx.AsyncByteStream)
        await self._held.aclose()

    def _check(self) -> None:
        if monotonic() > self._until:
            raise httpx.ReadTimeout("The body of the answer did not end in time.")
