"""The outermost layer of the service: who may come in, how much, and what is counted and logged.

An ASGI middleware. It does not know what a request asks. Nothing of a body, a query or a header is
ever logged, and no error that has one in its message.
"""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from time import perf_counter
from uuid import uuid4

from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from onepass.schema.shown import shown
from onepass.serving.keys import Keys
from onepass.serving.metrics import Metrics
from onepass.serving.problems import Refusal
from onepass.serving.settings import Settings, with_flag
from onepass.serving.traces import where

LOGGED = ("/v1/", "other")
OPEN = frozenset({"/health", "/ready", "/metrics", "/docs", "/openapi.json"})
ROUTES = frozenset(  # paths that may stand in a log or in a metric; clients write what they like
    {
        "/v1/extract", "/v1/extract/batch", "/v1/redact", "/v1/redact/batch",
        "/v1/schema", "/v1/schema/validate", "/v1/models", *OPEN,
    }
)  # fmt: skip
GONE = 499  # no status of HTTP: nobody waited for the answer

log = logging.getLogger("onepass.serving")


@dataclass(slots=True)
class _Visit:
    """One request on its way."""

    id: str
    status: int = 0  # until the answer begins


class Guard:
    """Checks keys and sizes before anything is read, and keeps the books.

    Args:
        app: what is behind it.
        settings: limits and keys.
        metrics: that count.
    """

    def __init__(self, app: ASGIApp, settings: Settings, metrics: Metrics) -> None:
        self._app = app
        self._settings = settings
        self._keys = Keys(settings.api_keys)
        self._metrics = metrics
        self._inside = 0
        metrics.watch(
            "requests_inside", "Requests that are received or answered.", lambda: self._inside
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = perf_counter()
        visit = _Visit(uuid4().hex[:16])

        async def tracked(message: Message) -> None:
            if message["type"] == "http.response.start":
                visit.status = message["status"]
                named = (b"x-request-id", visit.id.encode())
                message["headers"] = [*message.get("headers", ()), named]
            await send(message)

        try:
            await self._answer(scope, receive, tracked, visit)
        finally:
            path = _path(scope)
            route = path if path in ROUTES else "other"
            seconds = perf_counter() - began
            status = visit.status or GONE
            self._metrics.observe_request(route, status, seconds)
            level = logging.INFO if route.startswith(LOGGED) else logging.DEBUG
            log.log(level, "%s %s %d %.3fs", visit.id, route, status, seconds)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, visit: _Visit) -> None:
        try:
            if _path(scope) in OPEN:
                await self._app(scope, receive, send)
            else:
                await self._guarded(scope, receive, send)
        except ClientDisconnect:
            return
        except Refusal as refusal:
            self._metrics.count_error(refusal.code)
            await refusal.response()(scope, receive, send)
        except Exception as error:  # noqa: BLE001  its message may hold a text, so it ends here
            log.error("%s failed: %s", visit.id, where(error))
            self._metrics.count_error("internal")
            if not visit.status:
                sentence = "The service failed on this request; its log says where, at this id: "
                await Refusal(500, "internal", f"{sentence}{visit.id}.").response()(
                    scope, receive, send
                )

    async def _guarded(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        if not self._keys.open_for(headers):
            bearer = headers.get(b"authorization", b"").lower().startswith(b"bearer ")
            if bearer or b"x-api-key" in headers:
                trouble = "The API key that was sent is not valid; send another one"
            else:
                trouble = "This service needs an API key; send it"
            raise Refusal(
                401,
                "unauthorized",
                f"{trouble} as  Authorization: Bearer KEY  or as  X-API-Key: KEY.",
            )
        encoding = headers.get(b"content-encoding", b"identity").decode("latin-1").strip()
        if encoding.lower() not in ("", "identity"):
            raise Refusal(
                415,
                "body_compressed",
                f"The body is compressed ({shown(encoding)}), and this service takes none that is; "
                "send it as it is, without Content-Encoding.",
            )
        length = headers.get(b"content-length", b"")
        if length.isdigit() and int(length[:20]) > self._settings.max_body_bytes:
            raise self._too_large()
        if self._inside >= self._settings.max_requests:
            raise Refusal(
                429,
                "busy",
                f"This service is answering {self._inside} requests, as many as "
                f"{with_flag('max_requests')} lets in; try again after the seconds in Retry-After.",
                retry_after=1,
            )
        self._inside += 1
        try:
            body = await self._body(receive)
            await self._app(scope, _replayed(body, receive), send)
        finally:
            self._inside -= 1

    async def _body(self, receive: Receive) -> bytes:
        """Return the body; a client that sends it too slowly is not waited for."""
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._settings.timeout):
                while True:
                    message = await receive()
                    if message["type"] == "http.disconnect":
                        raise ClientDisconnect
                    part = message.get("body", b"")
                    size += len(part)
                    if size > self._settings.max_body_bytes:
                        raise self._too_large()
                    parts.append(part)
                    if not message.get("more_body", False):
                        return b"".join(parts)
        except TimeoutError as error:
            raise Refusal(
                408,
                "body_timeout",
                f"The body did not arrive within {self._settings.timeout:g} seconds, the "
                f"{with_flag('timeout')} of this service; send it faster.",
            ) from error

    def _too_large(self) -> Refusal:
        return Refusal(
            413,
            "body_too_large",
            f"The body is larger than {self._settings.max_body_bytes} bytes, the "
            f"{with_flag('max_body_bytes')} of this service; send fewer or shorter texts, or a "
            "smaller schema.",
        )


def _path(scope: Scope) -> str:
    """Return the path as routes name it: without that under which the service is mounted.

    >>> _path({"path": "/nlp/v1/models", "root_path": "/nlp"})
    '/v1/models'
    >>> _path({"path": "/v1/models", "root_path": "/nlp"})  # a proxy has taken it off
    '/v1/models'
    """
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path.removeprefix(root) if path.startswith(f"{root}/") else path


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Return a `receive` that gives the body once, and then what really comes."""
    given = False

    async def replay() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay
