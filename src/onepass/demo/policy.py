"""Who may ask the page, and what a browser may do with it; it knows nothing about what is asked.

Every page that is open in the same browser can send requests here, and a name of another server
can be made to lead here. Gradio answers both, and stores the files that anybody sends.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

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
_OF_FILES = frozenset({"upload", "upload_progress", "file", "stream", "process_recording"})


class Policy:
    """Refuses what is not asked by the page itself, and adds the policy to every answer.

    Args:
        app: an ASGI application.
        local: whether it listens to this machine only, whose names alone are right then.
    """

    def __init__(self, app: ASGIApp, *, local: bool) -> None:
        self._app = app
        self._local = local

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def sending(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *_HEADERS]}
            await send(message)

        refusal = self._refusal(scope) if scope["type"] == "http" else None
        if refusal is None:
            await self._app(scope, receive, sending)
            return
        status, sentence = refusal
        headers = [(b"content-type", b"text/plain; charset=utf-8")]
        await sending({"type": "http.response.start", "status": status, "headers": headers})
        await sending({"type": "http.response.body", "body": sentence.encode()})

    def _refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Return the status and the sentence for what is not answered."""
        headers = dict(scope["headers"])
        host = headers.get(b"host", b"").decode("latin-1").lower()
        if self._local and not is_loopback(_name(host)):
            return 403, "This page is for this machine only; open the address that was shown."
        origin = headers.get(b"origin")
        if origin is not None and origin.decode("latin-1").lower().partition("://")[2] != host:
            return 403, "Another page may not ask this one; open the address that was shown."
        if any(_is_of_files(part) for part in scope["path"].split("/")):
            return 404, "This page takes and gives no files."
        return None


def is_loopback(name: str) -> bool:
    """Say whether an address, or a name, is that of this machine alone.

    >>> is_loopback("127.0.0.1"), is_loopback("::1"), is_loopback("localhost")
    (True, True, True)
    >>> is_loopback("0.0.0.0"), is_loopback("localhost.example.com"), is_loopback("")
    (False, False, False)
    """
    try:
        return ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def _name(host: str) -> str:
    """Return a header Host without its port; nothing if it cannot be read.

    >>> _name("localhost:7860"), _name("[::1]:7860"), _name("[a")
    ('localhost', '::1', '')
    """
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _is_of_files(part: str) -> bool:
    return part in _OF_FILES or part.startswith(("file=", "proxy="))
