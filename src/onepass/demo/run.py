"""Serves the page on this machine: no share link, no analytics, nothing loaded from elsewhere.

The browser is told so as well, see `onepass.demo.policy`.
"""

from __future__ import annotations

import atexit
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from tempfile import TemporaryDirectory

from onepass.demo.answering import Answering
from onepass.demo.policy import Policy, is_loopback
from onepass.errors import InputError


@cache
def _private_place() -> str:
    """Return a directory for what Gradio writes, which goes when the process ends.

    By itself it takes one that all users of a machine share, and leaves everything there.
    """
    place = TemporaryDirectory(prefix="onepass-demo-")
    atexit.register(place.cleanup)
    return place.name


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
    os.environ["GRADIO_TEMP_DIR"] = _private_place()  # this one as well
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
        app_kwargs={"middleware": [Middleware(Policy, local=is_loopback(host))]},
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
    with served(answering, host=host, port=port) as address:
        started(address)
        while True:
            time.sleep(60)  # Windows lets Ctrl-C end this, but no wait for a thread


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
