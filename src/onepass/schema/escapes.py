"""Text with backslash escapes, as the field shorthand and the command-line flags use it.

A backslash before a special character or before white space makes that character literal; before
anything else it is a backslash. This module does not know which characters are special: its
callers say so.
"""

from __future__ import annotations

from typing import NamedTuple


class Char(NamedTuple):
    """One character of the text, and whether a backslash made it literal."""

    value: str
    literal: bool


Chars = list[Char]


def scan(text: str, special: str) -> Chars:
    r"""Return the characters of ``text`` with its escapes resolved.

    >>> [tuple(char) for char in scan(r"a\|", "|")]
    [('a', False), ('|', True)]
    """
    if "\\" not in text:
        return [Char(one, False) for one in text]
    chars: Chars = []
    position = 0
    while position < len(text):
        following = text[position + 1 : position + 2]
        if text[position] == "\\" and following and (following in special or following.isspace()):
            chars.append(Char(following, True))
            position += 2
        else:
            chars.append(Char(text[position], False))
            position += 1
    return chars


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
    return "".join(char.value for char in chars)


def is_at(chars: Chars, position: int, marks: str) -> bool:
    """Return whether the character at ``position`` is one of ``marks`` and not escaped."""
    char = chars[position]
    return not char.literal and char.value in marks


def partition(chars: Chars, separator: str) -> tuple[Chars, Chars | None]:
    """Split at the first unescaped ``separator``.

    Returns:
        What comes before it and what comes after it; the latter is None where it does not occur.

    >>> before, after = partition(scan("a::b", ":"), "::")
    >>> text_of(before), text_of(after)
    ('a', 'b')
    """
    start = _find(chars, separator, 0)
    return (chars, None) if start is None else (chars[:start], chars[start + len(separator) :])


def split(chars: Chars, separator: str) -> list[Chars]:
    r"""Split at every unescaped ``separator``.

    >>> [text_of(part) for part in split(scan(r"a,b\,c", ","), ",")]
    ['a', 'b,c']
    """
    parts: list[Chars] = []
    start = 0
    while (end := _find(chars, separator, start)) is not None:
        parts.append(chars[start:end])
        start = end + len(separator)
    return [*parts, chars[start:]]


def _find(chars: Chars, separator: str, first: int) -> int | None:
    """Return where the next unescaped separator starts."""
    size = len(separator)
    for start in range(first, len(chars) - size + 1):
        if all(is_at(chars, start + offset, mark) for offset, mark in enumerate(separator)):
            return start
    return None


def strip(chars: Chars) -> Chars:
    """Remove unescaped white space from both ends.

    >>> text_of(strip(scan("  a b ", "")))
    'a b'
    """
    start, end = 0, len(chars)
    while start < end and not chars[start].literal and chars[start].value.isspace():
        start += 1
    while end > start and not chars[end - 1].literal and chars[end - 1].value.isspace():
        end -= 1
    return chars[start:end]
