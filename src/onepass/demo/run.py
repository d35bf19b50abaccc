"""Serves the page on this machine: no share link, no analytics, nothing loaded from elsewhere.

The browser is told so as well: a content security policy lets it load from this server only.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from onepass.demo.answering import Answering
from onepass.errors import InputError

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

# Gradio's page needs scripts and styles in the page, and makes functions of templates.
POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline' 'unsafe-eval'; "
    "style-src 'self' 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; "
    "worker-src 'self' blob:; form-action 'self'; frame-ancestors 'none'; base-uri 'self'"
)
_HEADERS = (
    (b"content-security-policy", POLICY.encode()),
    (b"referrer-policy", b"no-referrer"),
    (b"x-content-type-options", b"nosniff"),
)


class Policy:
    """Adds the policy to every answer of an ASGI application."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        await self._app(scope, receive, sending)


@contextmanager
def served(answering: Answering, *, host: str = "127.0.0.1", port: int = 7860) -> Iterator[str]:
    """Serve the page while the block runs.

    Args:
        answering: answers what is asked.
        host: the address to listen on.
        port: the port; 0 for any that is free.

    Yields:
        The address of the page.

    Raises:
        InputError: if the address cannot be listened on.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read when it is imported, too
    import gradio as gr
    from starlette.middleware import Middleware

    from onepass.demo.page import CSS, build

    port = _free_port(host, port)
    page = build(answering)
    page.queue(max_size=64, default_concurrency_limit=1)  # a model uses all cores by itself
    theme = gr.themes.Default(
        font=["system-ui", "sans-serif"], font_mono=["ui-monospace", "monospace"]
    )
    _, address, _ = page.launch(
        server_name=f"[{host}]" if ":" in host else host,  # it becomes a part of the address
        server_port=port,
        share=False,
        quiet=True,
        prevent_thread_lock=True,
        inline=False,
        inbrowser=False,
        footer_links=[],
        run_history=False,
        ssr_mode=False,
        pwa=False,
        mcp_server=False,
        enable_monitoring=False,
        theme=theme,
        css=CSS,
        app_kwargs={"middleware": [Middleware(Policy)]},
    )
    try:
        yield address.rstrip("/")
    finally:
        page.close(verbose=False)


def serve(answering: Answering, *, host: str, port: int, started: Callable[[str], None]) -> None:
    """Serve the page until Ctrl-C.

    Args:
        answering: answers what is asked.
        host: the address to listen on.
        port: the port; 0 for any that is free.
        started: is told the address of the page.

    Raises:
        InputError: if the address cannot be listened on.
    """
    from threading import Event

    with served(answering, host=host, port=port) as address:
        started(address)
        Event().wait()


def _free_port(host: str, port: int) -> int:
    """Return a port that can be listened on now.

    Gradio needs a number, and says less clearly what is wrong with an address.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as listener:
            found: int = listener.getsockname()[1]
            return found
    except (OSError, TypeError, ValueError) as error:  # the last two for a host that is no name
        said = error.strerror if isinstance(error, OSError) else None
        reason = (said or "not a name").partition(" (")[0]
        raise InputError(
            f"The page cannot be served at {host}:{port} ({reason}); give another --host or --port."
        ) from error
