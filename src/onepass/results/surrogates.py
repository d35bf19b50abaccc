r"""Halves of a surrogate pair: legal in strings of Python and in JSON, but not in UTF-8.

In a text U+FFFD takes the place of each, so that offsets stay what they are. In a name an escape
does, so that two names stay two. It knows strings, not what they are for.
"""

from __future__ import annotations

import re

_SURROGATE = re.compile("[\ud800-\udfff]")


def has_surrogate(text: str) -> bool:
    r"""Return whether a text has a lone surrogate.

    >>> has_surrogate("a\ud83db"), has_surrogate("a😀b")
    (True, False)
    """
    return not text.isascii() and _SURROGATE.search(text) is not None


def without_surrogates(text: str) -> str:
    r"""Return a text with U+FFFD for every lone surrogate.

    >>> without_surrogates("a\ud83db") == "a\ufffdb"
    True
    """
    return text if text.isascii() else _SURROGATE.sub("\ufffd", text)


def escaped_surrogates(text: str) -> str:
    r"""Return a text with the escape of JSON for every lone surrogate.

    >>> print(escaped_surrogates("a\ud83db"))
    a\ud83db
    """
    if text.isascii():
        return text
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
