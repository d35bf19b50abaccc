"""Words of other libraries get exact places in the text, whatever the libraries do with it.

It knows no library. A place is [start, end) in characters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from onepass.text.patterns import PLAIN

Places = list[tuple[int, int]]
Split = Callable[[str], Places]  # a text -> the places of its words

_SEEN = re.compile(r"\S+")
_UNREAD = re.compile("[\x00\ud800-\udfff]")  # libraries in C end at the one, and fail on the others


def place_forms(text: str, forms: Iterable[str]) -> Places:
    """Return where the words stand that a library returned as strings, in their order.

    White space does not count: a library may have left it out or put it in. A word that is not
    what stands in the text (because it was changed) stands for as many characters.

    Args:
        text: as the library was given it.
        forms: words.

    >>> place_forms("1 , 2 \u3046\u3061", ["1,2", "\u3046", "\u3061"])
    [(0, 5), (6, 7), (7, 8)]
    """
    owns = [own for form in forms if (own := "".join(form.split()))]
    seen = [index for index, char in enumerate(text) if not char.isspace()]
    bare = "".join(text.split())
    left = sum(map(len, owns))
    places, at = [], 0
    for own in owns:
        if not bare.startswith(own, at):
            # What the library left out is at most what the words that are left do not need.
            found = bare.find(own, at, max(len(bare) - left, at) + len(own))
            at = at if found < 0 else found
        left -= len(own)
        end = min(at + len(own), len(bare))
        if end > at:
            places.append((seen[at], seen[end - 1] + 1))
        at = end
    return places


def exact(split: Split) -> Split:
    """Return the words of a library without white space in them, in order and without overlap.

    What no word of it holds is split as GLiNER splits: every visible character is in one word.

    Args:
        split: that of the library; it is given no character that libraries cannot read, and no
            text without anything to see.

    >>> exact(lambda text: [(1, 8), (6, 9)])("a b c de fg-h.")
    [(0, 1), (2, 3), (4, 5), (6, 8), (9, 13), (13, 14)]
    """

    def words(text: str) -> Places:
        if not text or text.isspace():
            return []
        found: Places = []
        last = 0
        for start, end in split(_UNREAD.sub("\ufffd", text)):
            start = max(start, last)
            if end > start:
                found += _between(text, last, start)
                found += [one.span() for one in _SEEN.finditer(text, start, end)]
                last = end
        return found + _between(text, last, len(text))

    return words


def _between(text: str, start: int, end: int) -> Places:
    """Return the words of what a library left out."""
    return [one.span() for one in PLAIN.finditer(text, start, end)]
