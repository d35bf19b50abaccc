"""Where a link ends: behind it stand the marks of its sentence, which no blank separates from it.

It knows characters, not whether there is such a host.
"""

from __future__ import annotations

import re

_LINK = re.compile(r"https?://|www\.", re.IGNORECASE)
# Legal in no link, though people write letters of any script in one.
_OUTSIDE = re.compile('[<>"`\u00ab\u00bb\u201c-\u201f\u2039\u203a]')
_STOPS = ".,;:!?'\u2018-\u201b\u2026\u3001\u3002\uff01\uff0c\uff0e\uff1a\uff1b\uff1f"
_STOP = re.compile(f"[{_STOPS}]")
_OPENERS = {")": "(", "]": "[", "}": "{", "\uff09": "\uff08", "\u300d": "\u300c"}


def is_link(text: str, start: int = 0) -> bool:
    """Return whether a link begins there.

    >>> is_link("see www.x.org", 4), is_link("see www.x.org")
    (True, False)
    """
    return _LINK.match(text, start) is not None


def link_end(text: str, start: int, end: int) -> int:
    """Return where a link ends, without the punctuation, quotation marks and brackets behind it.

    A bracket that is opened in the link belongs to it.

    Args:
        text: that holds the link.
        start: its first character.
        end: behind what may belong to it.

    >>> for text in ("https://y.org/z).", "https://y.org/Rust_(language)", "www.y.org/?a=1,"):
    ...     print(text[: link_end(text, 0, len(text))])
    https://y.org/z
    https://y.org/Rust_(language)
    www.y.org/?a=1
    """
    outside = _OUTSIDE.search(text, start, end)
    end = end if outside is None else outside.start()
    surplus = {
        closer: text.count(closer, start, end) - text.count(opener, start, end)
        for closer, opener in _OPENERS.items()
    }
    while end > start:
        last = text[end - 1]
        if surplus.get(last, 0) > 0:
            surplus[last] -= 1
        elif not _STOP.match(last):
            break
        end -= 1
    return end
