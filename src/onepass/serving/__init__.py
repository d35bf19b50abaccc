"""The HTTP service, to be put into a program of one's own; it needs the extra ``serve``."""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.serving.app import create_app
    from onepass.serving.run import listen, server_config
    from onepass.serving.settings import Settings

_HOMES = {
    ".app": ("create_app",),
    ".run": (
        "listen",
        "server_config",
    ),
    ".settings": ("Settings",),
}

__all__ = [
    "Settings",
    "create_app",
    "listen",
    "server_config",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
