"""The routes of the service: a checked request in, JSON out."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, Response

from onepass.errors import OnepassError
from onepass.schema.json_schema import SCHEMA_JSON_SCHEMA
from onepass.serving import wire
from onepass.serving.answers import Result
from onepass.serving.bodies import BodyRoute
from onepass.serving.metrics import CONTENT_TYPE
from onepass.serving.problems import Refusal, refusal_of, reply
from onepass.serving.service import Service

router = APIRouter(route_class=BodyRoute)

_PAGE_RULES = (  # the page has all that it needs in it, and the browser holds it to that
    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; frame-ancestors 'none'"
)
_JSON = "application/json"
_REASONS = {
    400: "Not JSON",
    401: "No valid API key",
    408: "The body came too slowly",
    413: "The body is too large",
    415: "The body is compressed",
    422: "The request asks for what cannot be done",
    429: "Too much work: try again after the seconds in Retry-After",
    500: "The service failed",
    503: "The service is stopping",
    504: "Not done in time",
}
_REFUSED: dict[int | str, dict[str, Any]] = {
    status: {"model": wire.ProblemAnswer, "description": text} for status, text in _REASONS.items()
}
_KEYED: dict[str, Any] = {"security": [{"bearer": []}, {"header": []}]}  # one of them


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _single(results: Sequence[Result], request: Request) -> Response:
    """Return the answer about one text, or refuse the request if there is none."""
    (result,) = results
    if isinstance(result, Refusal):
        raise result
    return Response(await _service(request).writer.written(results), media_type=_JSON)


async def _batch(results: Sequence[Result], request: Request) -> Response:
    """Return the answer about several texts; one that could not be answered has an error."""
    service = _service(request)
    for one in results:
        if isinstance(one, Refusal):
            service.metrics.count_error(one.code)
    body = await service.writer.written(results, '{"results": [', "]}")
    return Response(body, media_type=_JSON)


@router.post(
    "/v1/extract",
    tags=["extraction"],
    response_model=wire.ExtractAnswer,
    responses=_REFUSED,
    openapi_extra=_KEYED,
)
async def extract(given: wire.ExtractRequest, request: Request) -> Response:
    """Find what a schema asks for in one text."""
    return await _single(await _service(request).read([given.text], given, request), request)


@router.post(
    "/v1/extract/batch",
    tags=["extraction"],
    response_model=wire.BatchAnswer,
    responses=_REFUSED,
    openapi_extra=_KEYED,
)
async def extract_batch(given: wire.BatchRequest, request: Request) -> Response:
    """Find what a schema asks for in several texts; one that cannot be answered has an error."""
    return await _batch(await _service(request).read(given.texts, given, request), request)


@router.post(
    "/v1/redact",
    tags=["redaction"],
    response_model=wire.RedactAnswer,
    responses=_REFUSED,
    openapi_extra=_KEYED,
)
async def redact(given: wire.RedactRequest, request: Request) -> Response:
    """Replace personal data in one text."""
    return await _single(await _service(request).redact([given.text], given, request), request)


@router.post(
    "/v1/redact/batch",
    tags=["redaction"],
    response_model=wire.RedactBatchAnswer,
    responses=_REFUSED,
    openapi_extra=_KEYED,
)
async def redact_batch(given: wire.RedactBatchRequest, request: Request) -> Response:
    """Replace personal data in several texts, with one pseudonym for one value."""
    return await _batch(await _service(request).redact(given.texts, given, request), request)


@router.post(
    "/v1/schema/validate",
    tags=["about"],
    response_model=wire.SchemaAnswer,
    responses=_REFUSED,
    openapi_extra=_KEYED,
)
async def validate(given: wire.SchemaRequest, request: Request) -> Response:
    """Say whether a schema can be asked of this model, and why not."""
    service = _service(request)
    try:
        question = await service.check(given.asked, request)
    except Refusal as refusal:
        if refusal.status != 422:  # it says nothing of the schema
            raise
        return reply({"valid": False, "schema": None, "labels": None, **refusal.body()})
    except OnepassError as error:
        refused = refusal_of(error).body()
        return reply({"valid": False, "schema": None, "labels": None, **refused})
    schema = question.request.schema
    found = {"valid": True, "schema": schema.to_dict(), "labels": schema.labels_total}
    return reply({**found, "error": None})


@router.get("/v1/schema", tags=["about"], responses=_REFUSED, openapi_extra=_KEYED)
async def schema() -> Response:
    """Return the JSON Schema of the field schema."""
    return reply(SCHEMA_JSON_SCHEMA)


@router.get(
    "/v1/models",
    tags=["about"],
    response_model=wire.ModelsAnswer,
    responses=_REFUSED,
    openapi_extra=_KEYED,
)
async def models(request: Request) -> Response:
    """Return the model of this service, and the limits of a request."""
    service = _service(request)
    model, settings = service.model, service.settings
    about = {
        "name": model.name,
        "family": model.family,
        "backend": model.backend,
        "precision": model.precision,
        "max_pieces": model.max_pieces,
    }
    limits = {
        "max_body_bytes": settings.max_body_bytes,
        "max_text_chars": settings.max_text_chars,
        "max_texts": settings.max_texts,
        "max_schema_chars": settings.max_schema_chars,
        "max_labels": settings.max_labels,
        "max_found": settings.max_found,
    }
    return reply({"models": [about], "limits": limits})


# Some who watch a service ask for the head of an answer alone.
@router.head("/health", include_in_schema=False)
@router.get("/health", tags=["state"], response_model=wire.StateAnswer)
async def health() -> Response:
    """Say that the process answers."""
    return reply({"status": "ok"})


@router.head("/ready", include_in_schema=False)
@router.get(
    "/ready",
    tags=["state"],
    response_model=wire.StateAnswer,
    responses={503: {"model": wire.StateAnswer, "description": "It takes no texts"}},
)
async def ready(request: Request) -> Response:
    """Say whether texts are taken."""
    if _service(request).batcher.alive:
        return reply({"status": "ready"})
    return reply({"status": "not ready"}, 503)


@router.get("/metrics", tags=["state"], response_class=Response)
async def metrics(request: Request) -> Response:
    """Return what was counted, for Prometheus."""
    return Response(_service(request).metrics.page(), headers={"content-type": CONTENT_TYPE})


@router.get("/docs", include_in_schema=False)
async def page() -> Response:
    """Return the page about this service; it loads nothing but ``/openapi.json`` beside it."""
    html = files("onepass.serving").joinpath("page.html").read_text(encoding="utf-8")
    return HTMLResponse(html, headers={"content-security-policy": _PAGE_RULES})
