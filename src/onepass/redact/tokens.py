"""Keys and tokens that let programs in: where they stand, and what they look like.

Only forms that say what they are count: those with a name of their maker in front, JSON web tokens,
what stands behind "Bearer" or "Basic", and private keys. Those of any form are found behind their
names: see `onepass.redact.named`.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Iterator

from onepass.redact.checks import WORD
from onepass.redact.readings import Span

_FORMS = (
    r"eyJ[\w-]{8,4000}\.[\w-]{8,8000}(?:\.[\w-]{0,4000}){0,3}",  # JSON web tokens (RFC 7519)
    r"(?:AKIA|ASIA)[A-Z0-9]{16}",  # Amazon
    r"AIza[\w-]{35}",  # Google
    r"gh[oprsu]_[A-Za-z0-9]{36,255}|github_pat_\w{22,255}",
    r"glpat-[\w-]{20,255}",
    r"xox[abeoprs]-[A-Za-z0-9-]{10,255}",  # Slack
    r"[prs]k_(?:live|test)_[A-Za-z0-9]{16,255}",  # Stripe
    r"sk-[\w-]{20,255}",  # OpenAI, Anthropic
    r"hf_[A-Za-z0-9]{30,255}",
    r"npm_[A-Za-z0-9]{36}",
    r"pypi-[\w-]{50,1000}",
)
_TOKEN = re.compile(
    rf"(?<![{WORD}.-])(?:{'|'.join(_FORMS)})(?![{WORD}])"
    r"|(?<![\w-])(?i:bearer|basic) {1,4}(?P<value>[A-Za-z0-9._~+/-]{16,8000}={0,2})"
    r"|(?<![\w-])(?i:basic) {1,4}(?P<login>[A-Za-z0-9+/]{4,20}={0,2})(?![\w+/=-])"
    # its first line alone where the block does not end
    r"|-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----(?:[^-]{0,10000}-----END [A-Z ]{0,30}KEY-----)?",
    re.ASCII,
)
_NO_WORD = re.compile("[0-9=]|[a-z][A-Z]")


def tokens(text: str) -> Iterator[Span]:
    """Find keys and tokens; of a header the value alone.

    >>> [*tokens("Basic YTpi"), *tokens("basic considerations")]  # a:b
    [(6, 10)]
    >>> text = "Bearer 3f9a17cc0be14d20a7; basic considerations, AKIAIOSFODNN7EXAMPLE"
    >>> [text[start:end] for start, end in tokens(text)]
    ['3f9a17cc0be14d20a7', 'AKIAIOSFODNN7EXAMPLE']
    """
    for match in _TOKEN.finditer(text):
        if _is_one(match):
            yield match.span(next((name for name in ("value", "login") if match[name]), 0))


def _is_one(match: re.Match[str]) -> bool:
    """Say whether a match is a token, and no word behind "basic" or "bearer"."""
    if match["login"]:
        return _is_login(match["login"])
    return match["value"] is None or _NO_WORD.search(match["value"]) is not None


def _is_login(value: str) -> bool:
    """Say whether a value is a name and a password, as RFC 7617 writes them."""
    try:
        return b":" in b64decode(value, validate=True)
    except ValueError:
        return False


def token(text: str) -> bool | None:
    """Say whether a value has the form of a key or token; None if it cannot be told.

    >>> token("AKIAIOSFODNN7EXAMPLE"), token("hunter2")
    (True, None)
    """
    match = _TOKEN.fullmatch(text)
    return True if match is not None and _is_one(match) else None
