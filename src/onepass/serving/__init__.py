"""The HTTP service, to be put into a program of one's own; it needs the extra ``serve``."""

from typing import TYPE_CHECKING

from onepass.lazy import Needs, public

if TYPE_CHECKING:
    from onepass.serving.app import create_app
    from onepass.serving.run import listen, serve, server_config
    from onepass.serving.settings import Settings

_HOMES = {
    ".app": ("create_app",),
    ".run": (
        "listen",
        "serve",
        "server_config",
    ),
    ".settings": ("Settings",),
}

_NEEDS = Needs("The service", "serve", ("fastapi", "starlette", "uvicorn", "prometheus_client"))

__all__ = [
    "Settings",
    "create_app",
    "listen",
    "serve",
    "server_config",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES, _NEEDS)
