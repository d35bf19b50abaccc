"""Bodies of requests: JSON, and there is some, with few keys and none of them twice.

The framework's own reader would keep the last value of such a key and say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.responses import Response

from onepass.models.thresholds import KINDS
from onepass.schema.shown import shown
from onepass.serving.problems import Refusal, unreadable_json
from onepass.serving.service import Service

_SMALL = 65_536  # bytes that are parsed in some milliseconds
_MOST_KEYS = 32  # of a body; it has five


class BodyRoute(APIRoute):
    """A route that refuses an empty body, and one with a repeated key."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def read(request: Request) -> Response:
            return await handle(_Request(request.scope, request.receive))

        return read


class _Request(Request):
    async def body(self) -> bytes:
        given = await super().body()
        if not given:  # which the framework takes for a body that holds nothing
            raise unreadable_json()
        return given

    async def json(self) -> Any:
        given = await self.body()
        service: Service = self.app.state.service
        if len(given) <= _SMALL:
            body = _parsed(given)
        else:
            async with service.parsing:
                body = _parsed(given)
        if isinstance(body, dict):
            _check_keys(body, service.settings.labels)
        return body


def _parsed(given: bytes) -> Any:
    try:
        return json.loads(given, object_pairs_hook=_unique_keys)
    except (json.JSONDecodeError, UnicodeDecodeError):  # of which the framework tells
        raise
    except ValueError as error:  # Python converts no more digits than its limit
        raise Refusal(
            400, "invalid_json", "The body holds a number of too many digits; shorten it."
        ) from error


def _check_keys(body: dict[str, Any], labels: int) -> None:
    """Refuse a body of very many keys, of each of which the checks would have something to say."""
    _check_few(body, _MOST_KEYS, "The body")
    thresholds = body.get("threshold")
    if isinstance(thresholds, dict):  # nothing else has a threshold than what is asked, and kinds
        _check_few(thresholds, labels + len(KINDS), "The field threshold")


def _check_few(given: dict[str, Any], most: int, name: str) -> None:
    if len(given) > most:
        raise Refusal(
            422,
            "invalid_request",
            f"{name} has {len(given)} keys, but at most {most} are taken; leave out what is not "
            "asked.",
        )


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for key, value in pairs:
        if key in values:
            raise Refusal(
                400,
                "invalid_json",
                f"The body has an object in which the key {shown(key)} stands twice; give each "
                "key once.",
            )
        values[key] = value
    return values
