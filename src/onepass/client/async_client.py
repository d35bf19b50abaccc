"""The twin of `onepass.client.Client` for asyncio: the same methods, to be awaited."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Callable, Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import httpx

from onepass.client import waiting, wire
from onepass.client.pool import Pool, this_loop
from onepass.client.wire import Action, Labels, ModelInfo
from onepass.errors import ServiceError
from onepass.results.redacted import Redacted
from onepass.results.types import Extraction
from onepass.schema import Schema, read_schema
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold
from onepass.schema.reading import SchemaLike
from onepass.typed.result import TypedExtraction

if TYPE_CHECKING:
    from pydantic import BaseModel

T = TypeVar("T")
M = TypeVar("M", bound="BaseModel")


class AsyncClient:
    """The twin of `Client` for asyncio, for any number of event loops: methods to be awaited.

    >>> AsyncClient("http://127.0.0.1:8000")
    AsyncClient('http://127.0.0.1:8000')
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        retries: int = 5,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        address, self._retries = wire.address(url), wire.tries(retries)
        self._url = address.url
        headers, patience = wire.headers(api_key, address.login), waiting.patience(timeout)
        self._pool = Pool(this_loop, lambda: httpx.AsyncClient(
            base_url=address.url, auth=address.login, headers=headers, timeout=patience,
            transport=transport, event_hooks=waiting.in_time_async(patience),
        ))  # fmt: skip

    # fmt: off
    @overload
    async def extract(
        self, text: str, schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> TypedExtraction[M]: ...
    @overload
    async def extract(
        self, text: str, schema: SchemaLike, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> Extraction: ...
    # fmt: on

    async def extract(
        self,
        text: str,
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        solver: Solver = "greedy",
    ) -> Extraction:
        """Return what a schema asks for in one text; see `Client.extract`."""
        question, make = wire.asked(schema, CallOptions(threshold, overlap, on_long, solver))
        asked = {"text": wire.text(text), **question}
        return make(await self._send(wire.result(asked["text"]), "POST", "/v1/extract", asked))

    # fmt: off
    @overload
    async def extract_batch(
        self, texts: Sequence[str], schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> list[TypedExtraction[M] | ServiceError]: ...
    @overload
    async def extract_batch(
        self, texts: Sequence[str], schema: SchemaLike, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> list[Extraction | ServiceError]: ...
    # fmt: on

    async def extract_batch(
        self,
        texts: Sequence[str],
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        solver: Solver = "greedy",
    ) -> Sequence[Extraction | ServiceError]:
        """Return what a schema asks for in each text; see `Client.extract_batch`."""
        question, make = wire.asked(schema, CallOptions(threshold, overlap, on_long, solver))
        given = wire.texts(texts)
        if not given:
            return []
        asked = {"texts": given, **question}
        found = await self._send(
            wire.results(given, wire.result), "POST", "/v1/extract/batch", asked
        )
        return wire.each(make, found)

    async def redact(
        self,
        text: str,
        labels: Labels = None,
        *,
        action: Action = "label",
        faker: str | None = None,
        threshold: float | None = None,
        patterns: bool = True,
        region: str | None = None,
    ) -> Redacted:
        """Return a text in which personal data is replaced; see `Client.redact`."""
        how = wire.redaction(labels, action, faker, threshold, patterns=patterns, region=region)
        asked = {"text": wire.text(text, "redact"), **how}
        return await self._send(wire.redacted(asked["text"]), "POST", "/v1/redact", asked)

    async def redact_batch(
        self,
        texts: Sequence[str],
        labels: Labels = None,
        *,
        action: Action = "label",
        faker: str | None = None,
        threshold: float | None = None,
        patterns: bool = True,
        region: str | None = None,
    ) -> list[Redacted | ServiceError]:
        """Return several texts without personal data; see `Client.redact_batch`."""
        how = wire.redaction(labels, action, faker, threshold, patterns=patterns, region=region)
        given = wire.texts(texts, "redact")
        if not given:
            return []
        asked = {"texts": given, **how}
        return await self._send(
            wire.results(given, wire.redacted), "POST", "/v1/redact/batch", asked
        )

    async def check(self, schema: SchemaLike | type[BaseModel]) -> Schema:
        """Return the schema if it can be asked; see `Client.check`."""
        asked = {"schema": read_schema(schema).checked().to_dict()}
        return await self._send(wire.checked, "POST", "/v1/schema/validate", asked)

    async def models(self) -> list[ModelInfo]:
        """Return the models of the service; see `Client.models`."""
        return await self._send(wire.models, "GET", "/v1/models")

    async def close(self) -> None:
        """Close the connections; after that, the client asks for nothing more."""
        await self._pool.here().aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"AsyncClient({self._url!r})"

    async def _send(
        self,
        read: Callable[[Any], T],
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
    ) -> T:
        http = self._pool.here()
        wire.check_open(http, self._url)
        tries = waiting.Tries(self._retries)
        got: httpx.Response | httpx.HTTPError
        while True:
            try:
                got = await http.request(method, path, content=wire.body(body))
            except httpx.HTTPError as error:
                wire.check_open(http, self._url)  # it may have been closed meanwhile
                got = error
            except RuntimeError:  # by which httpx says so
                wire.check_open(http, self._url)
                raise
            seconds = tries.after(got)
            if seconds is None:
                return wire.answer(got, read, self._url)
            await sleep(seconds)
