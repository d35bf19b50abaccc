"""ASCII in the place of its other forms: wide letters and signs, and the digits of all scripts.

Each character stands for one, so that places in the plain text are places in the text.
"""

from __future__ import annotations

import re

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


def plain(text: str, what: re.Pattern[str] = ALL) -> str:
    """Return a text of the same length with ASCII for characters that are its other forms.

    Args:
        text: any.
        what: matches the characters that are replaced: `ALL`, `NUMBERS` or `ADDRESSES`.

    >>> plain("ａｎｎａ＠ｂ．ｏｒｇ，　０３－٤٥"), plain("ＴＥＬ：０３", NUMBERS)
    ('anna@b.org, 03-45', 'ＴＥＬ:03')
    """
    return text if text.isascii() else what.sub(_ascii, text)


def _ascii(match: re.Match[str]) -> str:
    letter = match[0]
    if letter.isdecimal():
        return str(int(letter))
    return " " if letter == "\u3000" else chr(ord(letter) - _WIDE_FROM_ASCII)
