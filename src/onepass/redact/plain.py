"""Other ways to write the same: wide letters, digits of other scripts, invisible characters.

It knows characters, and not what they are part of.
"""

from __future__ import annotations

import re

from onepass.redact.checks import DASHES

_DIGIT = r"[^\D0-9]"
_LETTER = r"[\uff21-\uff3a\uff41-\uff5a]"
_SIGN = r"[\u3000\uff01-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff5e]"
_OF_A_WORD = r"[\dA-Za-z\uff21-\uff3a\uff41-\uff5a]"
_WIDE_FROM_ASCII = 0xFEE0

ALL = re.compile(f"{_DIGIT}|{_LETTER}|{_SIGN}")
# Wide letters end a number as other scripts do (ＴＥＬ03-1234-5678), so that they stay.
NUMBERS = re.compile(f"{_DIGIT}|{_SIGN}")
# Wide punctuation ends an address, but for what joins its parts: + - . / @ _, and :// of a link.
ADDRESSES = re.compile(
    rf"{_DIGIT}|{_LETTER}|(?<={_OF_A_WORD})[\uff0b\uff0d\uff0e\uff0f\uff20\uff3f](?={_OF_A_WORD})"
    r"|[\uff1a\uff0f](?=[\uff0f/])|(?<=[\uff0f/])\uff0f"
)

# Soft hyphens, joiners, marks of direction, variants, byte order marks, tags.
_INVISIBLE = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff"
    "\U000e0000-\U000e0fff"
)
INVISIBLE = re.compile(f"[{_INVISIBLE}]+")
# Those that can stand inside of a value: not behind a symbol, where they are part of an emoji. The
# minus sign among the symbols may be a dash of a number.
HIDING = re.compile(
    rf"(?<![\u2190-\u2211\u2213-\u2bff\U0001f000-\U0001faff{_INVISIBLE}])[{_INVISIBLE}]"
)
_LINE_END = re.compile(rf"([{DASHES}]?)[ \t]{{0,20}}\r?\n[ \t>]{{0,20}}")


def plain(text: str, what: re.Pattern[str] = ALL) -> str:
    """Return a text of the same length with ASCII for characters that are its other forms.

    Each character stands for one, so that places in the plain text are places in the text.

    Args:
        text: any.
        what: matches the characters that are replaced: `ALL`, `NUMBERS` or `ADDRESSES`.

    >>> plain("ａｎｎａ＠ｂ．ｏｒｇ，　０３－٤٥"), plain("ＴＥＬ：０３", NUMBERS)
    ('anna@b.org, 03-45', 'ＴＥＬ:03')
    """
    return text if text.isascii() else what.sub(_ascii, text)


def visible(text: str) -> tuple[str, list[int]]:
    r"""Return a text without its invisible characters, and where each that is left stands in it.

    >>> visible("a\u200b@\u00adb")
    ('a@b', [0, 2, 4])
    """
    places: list[int] = []
    at = 0
    for match in INVISIBLE.finditer(text):
        places.extend(range(at, match.start()))
        at = match.end()
    places.extend(range(at, len(text)))
    return INVISIBLE.sub("", text), places


def unbroken(value: str) -> str:
    r"""Return a value as it is where nothing wraps it: on one line, with nothing invisible in it.

    >>> unbroken("536-90-\n4399"), unbroken("Anna\n> Wei\u00adss")
    ('536-90-4399', 'Anna Weiss')
    """
    return _LINE_END.sub(lambda end: end[1] or " ", INVISIBLE.sub("", value))


def _ascii(match: re.Match[str]) -> str:
    letter = match[0]
    if letter.isdecimal():
        return str(int(letter))
    return " " if letter == "\u3000" else chr(ord(letter) - _WIDE_FROM_ASCII)
