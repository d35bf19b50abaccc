"""How long a client waits."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from time import monotonic, sleep

import httpx
import pytest

from onepass.client import AsyncClient, Client
from onepass.client.waiting import wait
from onepass.errors import ServiceError


class Dripping(httpx.SyncByteStream, httpx.AsyncByteStream):
    """Comes without an end, a blank at a time."""

    def __iter__(self) -> Iterator[bytes]:
        while True:
            sleep(0.02)
            yield b" "

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0.02)
            yield b" "


def dripping(request: httpx.Request) -> httpx.Response:
    assert request.headers["accept-encoding"] == "identity"
    return httpx.Response(200, stream=Dripping())


def test_an_answer_that_comes_in_drops_is_not_waited_for():
    async def twin() -> None:
        async with AsyncClient(timeout=0.2, transport=httpx.MockTransport(dripping)) as client:
            await client.models()

    began = monotonic()
    with Client(timeout=0.2, transport=httpx.MockTransport(dripping)) as client:
        for ask in (client.models, lambda: asyncio.run(twin())):
            with pytest.raises(ServiceError, match="did not answer in time") as late:
                ask()
            assert late.value.code == "no_answer"
    assert monotonic() - began < 10


def test_waits_before_another_try():
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=20), usegmt=True)
    past = "Sun, 06 Nov 1994 08:49:37 GMT"
    never = past.replace("1994", "9" * 30)
    waits = {"7": 7, "3600": 30, "0": 1, past: 1, never: 1, "soon": 1, "": 1}
    for said, seconds in waits.items():
        assert seconds <= wait(said, 2) <= seconds * 1.25
    assert 18 <= wait(later, 0) <= 25
    assert 30 <= wait("", 10_000) <= 37.5
