"""The service put together: routes, the guard before them, and what happens at start and end."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from onepass import __version__
from onepass.errors import OnepassError
from onepass.extractor import Extractor
from onepass.serving.guard import Guard
from onepass.serving.metrics import Metrics
from onepass.serving.problems import Refusal, refusal_of
from onepass.serving.routes import router
from onepass.serving.service import Service
from onepass.serving.settings import Settings


def create_app(model: Extractor, settings: Settings) -> FastAPI:
    """Return the service as an ASGI application.

    Args:
        model: the model that reads the texts, in one thread at a time.
        settings: limits and keys.

    >>> from onepass import Extractor
    >>> app = create_app(Extractor(), Settings())
    >>> "/v1/extract" in app.openapi()["paths"]
    True
    """
    metrics = Metrics()

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service = app.state.service = Service(model, settings, metrics)
        await service.warm()
        yield
        await service.stop()

    async def refused(request: Request, error: Exception) -> Response:
        refusal = _refusal(error)
        metrics.count_error(refusal.code)
        response = refusal.response()
        if isinstance(error, HTTPException):
            response.headers.update(error.headers or {})  # a wrong method names the right ones
        return response

    app = _App(
        title="onepass",
        version=__version__,
        summary="Entities, classes, records and relations from texts, for any labels.",
        docs_url=None,  # FastAPI's own pages load scripts from another server
        redoc_url=None,
        redirect_slashes=False,  # no answer but those that are described
        lifespan=lifespan,
    )
    app.include_router(router)
    for kind in (Refusal, OnepassError, HTTPException):
        app.add_exception_handler(kind, refused)
    app.add_middleware(Guard, settings=settings, metrics=metrics)
    return app


class _App(FastAPI):
    """FastAPI, with a description that says how keys are sent."""

    def openapi(self) -> dict[str, Any]:
        described = super().openapi()
        parts = described.setdefault("components", {})
        parts["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        }
        return described


def _refusal(error: Exception) -> Refusal:
    """Return the refusal that an exception means."""
    match error:
        case Refusal():
            return error
        case OnepassError():
            return refusal_of(error)
        case HTTPException() if isinstance(error.__cause__, Refusal):  # of a body
            return error.__cause__
        case HTTPException(status_code=404):
            return Refusal(404, "not_found", "There is nothing at this path; see /docs.")
        case HTTPException(status_code=405):
            return Refusal(405, "method_not_allowed", "This path takes another method; see /docs.")
        case HTTPException(status_code=400) if isinstance(error.__cause__, RecursionError):
            return Refusal(400, "invalid_json", "The body is nested too deeply; flatten it.")
        case HTTPException():
            return Refusal(error.status_code, "bad_request", "The request cannot be read.")
    raise error
