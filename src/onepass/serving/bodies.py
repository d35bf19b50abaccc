"""Bodies of requests: JSON, and there is some, with few keys and none of them twice.

The framework's own reader would keep the last value of such a key and say nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Any, get_type_hints

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import Response

from onepass.models.thresholds import KINDS
from onepass.schema.shown import json_reason, shown
from onepass.serving.problems import Refusal, refusal_of_body, unreadable_json
from onepass.serving.service import Service
from onepass.serving.settings import with_flag

_SMALL = 65_536  # bytes that are parsed in some milliseconds
_MOST_KEYS = 32  # of a body; it has seven
# What is given for each label: its name, how many more it may have, and what those are.
_BY_LABEL = (
    ("threshold", len(KINDS), f", and there are {len(KINDS)} kinds"), ("labels", 0, ""),
    ("action", 1, ""),
)  # fmt: skip


class BodyRoute(APIRoute):
    """A route that says what is wrong with a body: empty, with a key twice, or a wrong field."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        given = get_type_hints(self.endpoint).get("given")  # as routes call what they are sent
        own = {} if given is None else given.model_fields
        fields = [one.alias or name for name, one in own.items()]

        async def read(request: Request) -> Response:
            try:
                return await handle(_Request(request.scope, request.receive))
            except RequestValidationError as error:
                raise refusal_of_body(error, fields) from error

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
            _check_keys(body, service.settings.max_labels)
        return body


def _parsed(given: bytes) -> Any:
    try:
        return json.loads(given, object_pairs_hook=_unique_keys)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise unreadable_json(f" ({json_reason(error)} at {place})") from error
    except UnicodeDecodeError as error:
        raise unreadable_json() from error
    except ValueError as error:  # Python converts no more digits than its limit
        raise Refusal(
            400, "invalid_json", "The body holds a number of too many digits; shorten it."
        ) from error


def _check_keys(body: dict[str, Any], labels: int) -> None:
    """Refuse a body of very many keys, of each of which the checks would have something to say."""
    if len(body) > _MOST_KEYS:
        raise _too_many(f"The body has {len(body)} keys, but at most {_MOST_KEYS} are taken")
    for name, more, what in _BY_LABEL:
        held = body.get(name)
        if isinstance(held, dict | list) and len(held) > labels + more:
            raise _too_many(
                f"The field {name} has {len(held)} entries, but {with_flag('max_labels')} of this "
                f"service is {labels}{what}"
            )


def _too_many(problem: str) -> Refusal:
    return Refusal(422, "invalid_request", f"{problem}; leave out what is not asked.")


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
