"""Refusals: why a request gets no answer, as a status, a code and one sentence.

It knows HTTP, and nothing about what was asked.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from math import ceil
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.responses import Response

from onepass.errors import (
    InputError,
    MissingExtra,
    OnepassError,
    SchemaError,
    TextTooLong,
    TooMuchFound,
)
from onepass.schema.leaves import nearest

_REASONS = {
    "model_attributes_type": "must be a JSON object",
    "dict_type": "must be a JSON object",
    "list_type": "must be a JSON array",
    "too_short": "must not be empty",
    "missing": "is missing",
}
_LOOKED_AT = 20  # reasons against a body; it may have one for each of very many values


class Refusal(Exception):
    """A request that is not answered.

    Args:
        status: of HTTP.
        code: a word for programs.
        message: a sentence for people.
        retry_after: seconds after which another try makes sense.
    """

    def __init__(
        self, status: int, code: str, message: str, *, retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after = retry_after

    def body(self) -> dict[str, Any]:
        """Return what stands in the answer.

        >>> Refusal(404, "not_found", "There is no such page.").body()
        {'error': {'code': 'not_found', 'message': 'There is no such page.'}}
        """
        return {"error": {"code": self.code, "message": self.message}}

    def response(self) -> Response:
        headers = {}
        if self.retry_after is not None:
            headers["retry-after"] = str(max(ceil(self.retry_after), 1))
        if self.status == 401:
            headers["www-authenticate"] = "Bearer"
        return reply(self.body(), self.status, headers)


def json_of(values: Mapping[str, Any]) -> str:
    """Return values as JSON, in which a string may hold what UTF-8 cannot."""
    return json.dumps(values, ensure_ascii=False, allow_nan=False)


def encoded(text: str) -> bytes:
    r"""Return JSON as it is sent.

    >>> encoded(json_of({"text": "\ud800"}))  # legal in a Python string, but not in UTF-8
    b'{"text": "\\ud800"}'
    """
    return text.encode("utf-8", errors="backslashreplace")  # which writes the escape that JSON has


def reply(
    values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a JSON answer."""
    return Response(
        encoded(json_of(values)),
        status_code=status,
        headers=None if headers is None else dict(headers),
        media_type="application/json",
    )


def refusal_of(error: OnepassError) -> Refusal:
    """Return the refusal for an error of the library.

    >>> refusal_of(SchemaError("The schema asks for nothing.")).code
    'invalid_schema'
    """
    if isinstance(error, SchemaError):
        return Refusal(422, "invalid_schema", str(error))
    if isinstance(error, TextTooLong):
        return Refusal(422, "text_too_long", str(error))
    if isinstance(error, TooMuchFound):
        return Refusal(422, "too_much_found", str(error))
    if isinstance(error, InputError):
        return Refusal(422, "invalid_request", str(error))
    if isinstance(error, MissingExtra):
        return Refusal(
            422,
            "not_installed",
            f"{error.feature} needs the extra {error.extra!r}, which is not installed where the "
            "service runs; leave it out, or install it there.",
        )
    return Refusal(500, "model_error", str(error))


def refusal_of_body(error: RequestValidationError, fields: Sequence[str]) -> Refusal:
    """Return the refusal for a body that is not what it should be; one reason stands for all.

    It is a field that is not known, for which another may be missing; else the first reason, or one
    that lies deeper in the same field: a field that may be of several types has a reason for each.
    What was given is not repeated: it may be a text.

    Args:
        error: of the framework, which reads a body as JSON only if its type says so, and else takes
            it for bytes.
        fields: that a body may have.
    """
    errors = error.errors()
    first = errors[0]
    if isinstance(error.body, bytes):
        return Refusal(
            422,
            "invalid_request",
            "The body is not marked as JSON; send it with  Content-Type: application/json.",
        )
    unknown = next((one["loc"][1:] for one in errors if one["type"] == "extra_forbidden"), None)
    if unknown is not None:
        near = nearest(unknown[0], fields)
        meant = f"did you mean {near}?" if near else f"the fields are {', '.join(fields)}."
        return Refusal(422, "invalid_request", f"{_place(unknown)} is not known; {meant}")
    places = [
        (_given(one["loc"][1:], error.body), _reason(one["type"], one["msg"]))
        for one in errors[:_LOOKED_AT]
        if one["loc"][:2] == first["loc"][:2]
    ]
    place, reason = max(places, key=lambda one: len(one[0]))
    return Refusal(422, "invalid_request", f"{_place(place)} {reason}.")


def _reason(kind: str, message: str) -> str:
    """Return what is wrong with a value, in words of JSON where those of pydantic are others.

    >>> _reason("list_type", "Input should be a valid list")
    'must be a JSON array'
    >>> _reason("less_than_equal", "Input should be less than or equal to 1")
    'is wrong: input should be less than or equal to 1'
    """
    said = f"is wrong: {message[:1].lower()}{message[1:].rstrip('.')}"
    return _REASONS.get(kind, said)


def unreadable_json(reason: str = "") -> Refusal:
    """Return the refusal for a body that is not JSON, or not in UTF-8.

    Args:
        reason: why, and where, in brackets; nothing if that is not known.
    """
    return Refusal(
        400, "invalid_json", f"The body is not JSON{reason}; send a JSON object encoded in UTF-8."
    )


def _given(location: Sequence[str | int], body: Any) -> list[str | int]:
    """Return the parts of a location that are places in a body, and a field that it lacks.

    Others are pydantic's names of the types that a value may have.

    >>> _given(["threshold", "dict[str,constrained-float]", "a"], {"threshold": {"a": 2}})
    ['threshold', 'a']
    >>> _given(["text"], {})
    ['text']
    """
    parts = list(location[:1])
    value = _inside(body, location[0]) if location else None
    for part in location[1:]:
        inner = _inside(value, part)
        if inner is not _NOTHING:
            parts.append(part)
            value = inner
    return parts


_NOTHING = object()


def _inside(value: Any, part: str | int) -> Any:
    """Return what a value holds at a key or an index; `_NOTHING` if it has none."""
    if isinstance(value, dict):
        return value.get(part, _NOTHING)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return value[part]
    return _NOTHING


def _place(parts: Sequence[str | int]) -> str:
    """Name a place in the body.

    >>> _place(["texts", 3]), _place([])
    ('The field texts[3]', 'The body')
    """
    name = ""
    for part in parts:
        name += f"[{part}]" if isinstance(part, int) else f".{part}"
    return f"The field {name.lstrip('.')[:80]}" if name else "The body"
