"""Text with backslash escapes, as the field shorthand and the command-line flags use it.

A backslash before a special character or before white space makes that character literal; before
anything else it is a backslash. This module does not know which characters are special: its
callers say so.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_LITERAL = "\0"  # no separator, and no white space


@dataclass(frozen=True, slots=True)
class Chars:
    """Characters of which some were made literal by a backslash.

    Attributes:
        text: the characters.
        marks: the same, but for a NUL in the place of each that is literal: marks and white space
            are looked for in these. Strings are searched much faster than lists of characters.
    """

    text: str
    marks: str

    def __len__(self) -> int:
        return len(self.text)

    def __getitem__(self, place: slice) -> Chars:
        return Chars(self.text[place], self.marks[place])


def scan(text: str, special: str) -> Chars:
    r"""Return the characters of ``text`` with its escapes resolved.

    >>> scan(r"a\||", "|")
    Chars(text='a||', marks='a\x00|')
    """
    if "\\" not in text:
        return Chars(text, text)
    escaped = re.compile(rf"\\([{re.escape(special)}\s])")
    return Chars(escaped.sub(r"\1", text), escaped.sub(_LITERAL, text))


def escape(text: str, special: str) -> str:
    r"""Return ``text`` so that `scan` followed by `strip` gives it back.

    >>> escape("a|b ", "|")
    'a\\|b\\ '
    """
    edges = {0, len(text) - 1}
    return "".join(
        "\\" + char if char in special or (char.isspace() and index in edges) else char
        for index, char in enumerate(text)
    )


def text_of(chars: Chars) -> str:
    """Return the characters as a str.

    >>> text_of(scan("ab", ""))
    'ab'
    """
    return chars.text


def is_at(chars: Chars, position: int, marks: str) -> bool:
    """Return whether the character at ``position`` is one of ``marks`` and not escaped."""
    return chars.marks[position] in marks


def partition(chars: Chars, separator: str) -> tuple[Chars, Chars | None]:
    """Split at the first unescaped ``separator``.

    Returns:
        What comes before it and what comes after it; the latter is None where it does not occur.

    >>> before, after = partition(scan("a::b", ":"), "::")
    >>> text_of(before), text_of(after)
    ('a', 'b')
    """
    start = chars.marks.find(separator)
    return (chars, None) if start < 0 else (chars[:start], chars[start + len(separator) :])


def split(chars: Chars, separator: str) -> list[Chars]:
    r"""Split at every unescaped ``separator``.

    >>> [text_of(part) for part in split(scan(r"a,b\,c", ","), ",")]
    ['a', 'b,c']
    """
    parts: list[Chars] = []
    start = 0
    while (end := chars.marks.find(separator, start)) >= 0:
        parts.append(chars[start:end])
        start = end + len(separator)
    return [*parts, chars[start:]]


def strip(chars: Chars) -> Chars:
    """Remove unescaped white space from both ends.

    >>> text_of(strip(scan("  a b ", "")))
    'a b'
    """
    start = len(chars) - len(chars.marks.lstrip())
    return chars[start : start + len(chars.marks.strip())]
