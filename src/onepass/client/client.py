"""A client of ``onepass serve``.

It sends what `onepass.Extractor.extract` takes, but for label vectors, which a service cannot take,
and returns what that returns; redaction likewise. Where the service says that it is busy, it waits
as long as the service says and tries again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from time import sleep
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar, overload

import httpx

from onepass.client import waiting, wire
from onepass.client.pool import Pool, this_process
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


class Client:
    """Asks a service; may be used from several threads, over a fork, and as a context manager.

    Args:
        url: the address of the service; a name and a password in it (``https://ann:secret@host``)
            are sent to the proxy that asks for them, and not shown.
        api_key: the key of the service; None for a service that asks for none.
        timeout: seconds in which a connection is made, in which the service has to take or send
            another byte, and in which the body of an answer has to end, from its head on; a week at
            most, which ``float("inf")`` is. A request that waits for one of the 100 connections of
            the client waits for the answers before it.
        retries: the number of times that a request is sent again if the service is busy or cannot
            be reached.
        transport: a transport of httpx, for connections that are not plain ones.

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
        address, self._retries = wire.address(url), wire.tries(retries)
        self._url = address.url
        headers, patience = wire.headers(api_key, address.login), waiting.patience(timeout)
        self._pool = Pool(this_process, lambda: httpx.Client(
            base_url=address.url, auth=address.login, headers=headers, timeout=patience,
            transport=transport, event_hooks=waiting.in_time(patience),
        ))  # fmt: skip

    # fmt: off
    @overload
    def extract(
        self, text: str, schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> TypedExtraction[M]: ...
    @overload
    def extract(
        self, text: str, schema: SchemaLike, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> Extraction: ...
    # fmt: on

    def extract(
        self,
        text: str,
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        solver: Solver = "greedy",
    ) -> Extraction:
        """Return what a schema asks for in one text.

        Args:
            text: the text to read.
            schema: a schema in any form that `onepass.Extractor.extract` takes; under a pydantic
                class or a JSON Schema the result is a `onepass.typed.TypedExtraction`, made here of
                what the service found.
            threshold: a number for everything, or numbers by kind or name; None is the model's own.
            overlap: the entities that may share words: "flat", "label", "nested" or "all".
            on_long: the treatment of a text longer than the window: "window", "error" or
                "truncate".
            solver: the way in which findings are chosen that rules join: "greedy", or "exact", for
                which the service needs the extra exact.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for a text that is not a string, or an unknown option.
            ServiceError: if the service refuses or does not answer, or the client is closed.
        """
        question, make = wire.asked(schema, CallOptions(threshold, overlap, on_long, solver))
        asked = {"text": wire.text(text), **question}
        return make(self._send(wire.result(asked["text"]), "POST", "/v1/extract", asked))

    # fmt: off
    @overload
    def extract_batch(
        self, texts: Sequence[str], schema: type[M], *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> list[TypedExtraction[M] | ServiceError]: ...
    @overload
    def extract_batch(
        self, texts: Sequence[str], schema: SchemaLike, *,
        threshold: Threshold = None, overlap: Overlap = "flat",
        on_long: OnLong = "window", solver: Solver = "greedy",
    ) -> list[Extraction | ServiceError]: ...
    # fmt: on

    def extract_batch(
        self,
        texts: Sequence[str],
        schema: object,
        *,
        threshold: Threshold = None,
        overlap: Overlap = "flat",
        on_long: OnLong = "window",
        solver: Solver = "greedy",
    ) -> Sequence[Extraction | ServiceError]:
        """Return what a schema asks for in each text; a text that cannot be read has an error.

        Args:
            texts: the texts to read.
            schema: as in `extract`.
            threshold: as in `extract`.
            overlap: as in `extract`.
            on_long: as in `extract`.
            solver: as in `extract`.

        Raises:
            SchemaError: for a schema that cannot be asked.
            InputError: for a text that is not a string, or an unknown option.
            ServiceError: if the service refuses or does not answer, or the client is closed.
        """
        question, make = wire.asked(schema, CallOptions(threshold, overlap, on_long, solver))
        given = wire.texts(texts)
        if not given:
            return []
        asked = {"texts": given, **question}
        read = wire.results(given, wire.result)
        return wire.each(make, self._send(read, "POST", "/v1/extract/batch", asked))

    def redact(
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
        """Return a text in which personal data is replaced.

        Args:
            text: the text to redact.
            labels: names of what to look for, or a mapping of names to descriptions; None for those
                of `onepass.redact.PII`.
            action: "mask", "label", "hash" (by the key of the service) or "pseudonym"; or one for
                each label, where that of "" holds for the others.
            faker: a locale whose names are pseudonyms, such as "en_US"; None numbers them.
            threshold: the least score of what the model finds; None for a low one.
            patterns: whether fixed forms (e-mail, links, cards, ...) are looked for, too.
            region: two letters of the country whose phone numbers may lack their country code.

        Raises:
            InputError: for a text that is not a string.
            ServiceError: if the service refuses or does not answer, or the client is closed.
        """
        how = wire.redaction(labels, action, faker, threshold, patterns=patterns, region=region)
        asked = {"text": wire.text(text, "redact"), **how}
        return self._send(wire.redacted(asked["text"]), "POST", "/v1/redact", asked)

    def redact_batch(
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
        """Return several texts without personal data, with one pseudonym for one value.

        Args:
            texts: the texts to redact, at most as many as the service takes.
            labels: names of what to look for, or a mapping of names to descriptions; None for those
                of `onepass.redact.PII`.
            action: "mask", "label", "hash" or "pseudonym"; or one for each label.
            faker: a locale whose names are pseudonyms; None numbers them.
            threshold: the least score of what the model finds; None for a low one.
            patterns: whether fixed forms are looked for, too.
            region: two letters of the country whose phone numbers may lack their country code.

        Returns:
            A text with what was replaced, or an error, for each, in their order.

        Raises:
            InputError: for a text that is not a string.
            ServiceError: if the service refuses or does not answer, or the client is closed.
        """
        how = wire.redaction(labels, action, faker, threshold, patterns=patterns, region=region)
        given = wire.texts(texts, "redact")
        if not given:
            return []
        asked = {"texts": given, **how}
        read = wire.results(given, wire.redacted)
        return self._send(read, "POST", "/v1/redact/batch", asked)

    def check(self, schema: SchemaLike | type[BaseModel]) -> Schema:
        """Return the schema in its canonical form if it can be asked of the model of the service.

        Raises:
            SchemaError: for a schema that nobody can ask.
            ServiceError: if the service cannot be asked for it, or the client is closed.
        """
        asked = {"schema": read_schema(schema).checked().to_dict()}
        return self._send(wire.checked, "POST", "/v1/schema/validate", asked)

    def models(self) -> list[ModelInfo]:
        """Return the models of the service.

        Raises:
            ServiceError: if the service refuses or does not answer, or the client is closed.
        """
        return self._send(wire.models, "GET", "/v1/models")

    def close(self) -> None:
        """Close the connections; after that, the client asks for nothing more."""
        self._pool.here().close()

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

    def _send(
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
                got = http.request(method, path, content=wire.body(body))
            except httpx.HTTPError as error:
                wire.check_open(http, self._url)  # it may have been closed meanwhile
                got = error
            except RuntimeError:  # by which httpx says so
                wire.check_open(http, self._url)
                raise
            seconds = tries.after(got)
            if seconds is None:
                return wire.answer(got, read, self._url)
            sleep(seconds)
