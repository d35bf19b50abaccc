"""A client of ``onepass serve``, and its twin for asyncio.

It sends what `onepass.Extractor.extract` takes and returns what that returns. Where the service
says that it is busy, it waits as long as the service says and tries again.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from types import TracebackType
from typing import Any, Self

from onepass.errors import InputError, MissingExtra, ServiceError
from onepass.results.types import Extraction
from onepass.schema import Schema, read_schema

try:
    import httpx
except ImportError as error:
    raise MissingExtra("The client", "client") from error

__all__ = ["AsyncClient", "Client", "ModelInfo"]

Threshold = float | Mapping[str, float] | None

_AGAIN = (429, 503)  # busy, stopping: nothing was read
_NEVER_SENT = (httpx.ConnectError, httpx.ConnectTimeout)
_LONGEST_WAIT = 30.0  # seconds before another try
_JITTER = 0.25  # clients that were refused together do not come back together


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model of a service."""

    name: str
    family: str
    backend: str
    precision: str
    max_pieces: int


class Client:
    """Asks a service; may be used from several threads, and as a context manager.

    Args:
        url: of the service.
        api_key: if it asks for one.
        timeout: seconds for one answer.
        retries: how often a request is sent again if the service is busy or cannot be reached.
        transport: of httpx, for connections that are not plain ones.

    >>> client = Client("http://127.0.0.1:8000", api_key="a-secret-of-16-characters")
    >>> client
    Client('http://127.0.0.1:8000')
    >>> client.close()
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8000",
        *,
        api_key: str | None = None,
        timeout: float = 60.0,
        retries: int = 5,
        transport: httpx.BaseTransport | None = None,
    ) -> None:
        self._url, self._retries = url, retries
        headers = _headers(api_key)
        self._http = httpx.Client(
            base_url=url, headers=headers, timeout=timeout, transport=transport
        )

    def extract(
        self,
        text: str,
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> Extraction:
        """Return what a schema asks for in one text.

        The arguments are those of `onepass.Extractor.extract`.

        Raises:
            SchemaError: for a schema that cannot be asked.
            ServiceError: if the service refuses the request or does not answer.
        """
        asked = {"text": text, **_asked(schema, threshold, overlap, on_long)}
        return Extraction.from_dict(self._send("POST", "/v1/extract", asked))

    def extract_batch(
        self,
        texts: Sequence[str],
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> list[Extraction | ServiceError]:
        """Return what a schema asks for in each text; a text that cannot be read has an error.

        Raises:
            SchemaError: for a schema that cannot be asked.
            ServiceError: if the service refuses the request or does not answer.
        """
        asked = {"texts": _texts(texts), **_asked(schema, threshold, overlap, on_long)}
        return _results(self._send("POST", "/v1/extract/batch", asked))

    def check(self, schema: object) -> Schema:
        """Return the schema in its canonical form if it can be asked of the model of the service.

        Raises:
            SchemaError: for a schema that nobody can ask.
            ServiceError: if the service or its model cannot be asked for it.
        """
        asked = {"schema": read_schema(schema).checked().to_dict()}
        return _checked(self._send("POST", "/v1/schema/validate", asked))

    def models(self) -> list[ModelInfo]:
        """Return the models of the service.

        Raises:
            ServiceError: if the service refuses the request or does not answer.
        """
        return _models(self._send("GET", "/v1/models"))

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Client({self._url!r})"

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        tries = 0
        while True:
            last = tries == self._retries
            try:
                got = self._http.request(method, path, json=body)
            except httpx.HTTPError as error:
                if last or not isinstance(error, _NEVER_SENT):
                    raise _unreached(error, self._url) from error
                seconds = _wait("", tries)
            else:
                if last or got.status_code not in _AGAIN:
                    return _answer(got)
                seconds = _wait(got.headers.get("retry-after", ""), tries)
            time.sleep(seconds)
            tries += 1


class AsyncClient:
    """The twin of `Client` for asyncio: the same methods, to be awaited.

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
        self._url, self._retries = url, retries
        headers = _headers(api_key)
        self._http = httpx.AsyncClient(
            base_url=url, headers=headers, timeout=timeout, transport=transport
        )

    async def extract(
        self,
        text: str,
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> Extraction:
        """Return what a schema asks for in one text; see `Client.extract`."""
        asked = {"text": text, **_asked(schema, threshold, overlap, on_long)}
        return Extraction.from_dict(await self._send("POST", "/v1/extract", asked))

    async def extract_batch(
        self,
        texts: Sequence[str],
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: str = "flat",
        on_long: str = "window",
    ) -> list[Extraction | ServiceError]:
        """Return what a schema asks for in each text; see `Client.extract_batch`."""
        asked = {"texts": _texts(texts), **_asked(schema, threshold, overlap, on_long)}
        return _results(await self._send("POST", "/v1/extract/batch", asked))

    async def check(self, schema: object) -> Schema:
        """Return the schema if it can be asked; see `Client.check`."""
        asked = {"schema": read_schema(schema).checked().to_dict()}
        return _checked(await self._send("POST", "/v1/schema/validate", asked))

    async def models(self) -> list[ModelInfo]:
        """Return the models of the service; see `Client.models`."""
        return _models(await self._send("GET", "/v1/models"))

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

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

    async def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        tries = 0
        while True:
            last = tries == self._retries
            try:
                got = await self._http.request(method, path, json=body)
            except httpx.HTTPError as error:
                if last or not isinstance(error, _NEVER_SENT):
                    raise _unreached(error, self._url) from error
                seconds = _wait("", tries)
            else:
                if last or got.status_code not in _AGAIN:
                    return _answer(got)
                seconds = _wait(got.headers.get("retry-after", ""), tries)
            await asyncio.sleep(seconds)
            tries += 1


def _headers(api_key: str | None) -> dict[str, str]:
    return {} if api_key is None else {"authorization": f"Bearer {api_key}"}


def _asked(schema: object, threshold: Threshold, overlap: str, on_long: str) -> dict[str, Any]:
    given = dict(threshold) if isinstance(threshold, Mapping) else threshold
    return {
        "schema": read_schema(schema).checked().to_dict(),
        "threshold": given,
        "overlap": overlap,
        "on_long": on_long,
    }


def _texts(texts: Sequence[str]) -> list[str]:
    if isinstance(texts, str):
        raise InputError(
            f"extract_batch takes a list of texts, but the one string {texts!r:.60} was given; use "
            "extract."
        )
    return list(texts)


def _unreached(error: httpx.HTTPError, url: str) -> ServiceError:
    return ServiceError(
        f"The service at {url} did not answer ({type(error).__name__}); is it running?",
        status=None,
        code="no_answer",
    )


def _wait(said: str, tries: int) -> float:
    """Return the seconds before another try: what the service said, or twice as long each time.

    >>> 7 <= _wait("7", 0) <= 7 * 1.25, 2 <= _wait("", 3) <= 2 * 1.25
    (True, True)
    """
    seconds = float(said) if said.isdecimal() else 0.25 * 2**tries
    return min(seconds, _LONGEST_WAIT) * (1 + _JITTER * random.random())


def _answer(got: httpx.Response) -> Any:
    """Return the body of an answer, or raise what it says."""
    try:
        body = got.json()
    except ValueError:
        body = None
    if got.status_code == 200 and body is not None:
        return body
    error = body.get("error") if isinstance(body, dict) else None
    if isinstance(error, dict):
        raise ServiceError(
            str(error.get("message")), status=got.status_code, code=str(error.get("code"))
        )
    raise ServiceError(
        f"The answer of {got.url} has the status {got.status_code} and is not one of onepass; is "
        "the address right?",
        status=got.status_code,
        code="not_onepass",
    )


def _results(body: Any) -> list[Extraction | ServiceError]:
    return [
        ServiceError(one["error"]["message"], status=None, code=one["error"]["code"])
        if "error" in one
        else Extraction.from_dict(one)
        for one in body["results"]
    ]


def _checked(body: Any) -> Schema:
    if not body["valid"]:
        error = body["error"]
        raise ServiceError(error["message"], status=200, code=error["code"])
    return Schema.from_dict(body["schema"])


def _models(body: Any) -> list[ModelInfo]:
    names = [field.name for field in fields(ModelInfo)]
    return [ModelInfo(**{name: one[name] for name in names}) for one in body["models"]]
