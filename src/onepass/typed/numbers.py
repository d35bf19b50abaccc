"""Numbers as people write them, as exact decimals.

Thousands may be grouped by commas, points, spaces or apostrophes; the decimal separator is told
from the grouping. Numbers up to twelve may be words. This module knows no currencies and no units.
"""

from __future__ import annotations

import re
from decimal import Context, Decimal

from onepass.typed.unreadable import UnreadableError

NUMBER = r"[-+−]?\d(?:[\d.,'’\u00a0\u202f ]{0,98}\d)?"  # what is longer is no number
_EXACT = Context(prec=200)  # digits: more than a number may have
_WHOLE = re.compile(rf"{NUMBER}")
_MINUS = str.maketrans({"−": "-"})
_SEPARATOR = re.compile(r"[.,'’\u00a0\u202f]")
SIZE = re.compile(r"\s*(thousand|million|billion|mn|bn|k)\b", re.IGNORECASE)
_TIMES = {"thousand": 3, "k": 3, "million": 6, "mn": 6, "m": 6, "billion": 9, "bn": 9}
_ORDINAL = re.compile(r"(?:st|nd|rd|th)\b", re.IGNORECASE)
_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_SAID = {word: Decimal(number) for number, word in enumerate(_WORDS)}
_SAID |= {"a": Decimal(1), "an": Decimal(1), "a dozen": Decimal(12), "none": Decimal(0)}


def read_number(text: str) -> Decimal:
    """Return the one number in a text.

    Args:
        text: a number, perhaps with a sign, a unit or a word around it that is not joined to it on
            its left. "1,234" has a group of thousands, "1.234" a fraction; "3 million" is a number.

    Raises:
        UnreadableError: if there is no number, or more than one.

    >>> [str(read_number(text)) for text in ("1,299.00", "1.299,5", "12 500", "-3", "three")]
    ['1299.00', '1299.5', '12500', '-3', '3']
    >>> [str(read_number(text)) for text in ("$49.90", "no. 881", "20 %", "2.5 million")]
    ['49.90', '881', '20', '2500000']
    """
    plain = " ".join(text.split()).strip().casefold()
    if plain in _SAID:
        return _SAID[plain]
    given = text.translate(_MINUS)
    places = list(_WHOLE.finditer(given))
    if len(places) != 1 or _is_part(given, places[0]):
        raise UnreadableError(f"{text!r} is not a number.")
    number = _digits(places[0][0])
    size = SIZE.match(given, places[0].end())
    return number if size is None else scaled(number, size[1])


def scaled(number: Decimal, word: str) -> Decimal:
    """Return a number times the size that a word names.

    >>> str(scaled(Decimal("2.5"), "million"))
    '2500000'
    """
    big = number.scaleb(_TIMES[word.casefold()], _EXACT)
    return Decimal(int(big)) if big == big.to_integral_value() else big


def _is_part(given: str, place: re.Match[str]) -> bool:
    """Return whether a number is joined to a letter on its left, or is an ordinal."""
    before = given[: place.start()]
    return bool(before and (before[-1].isalnum() or before[-1] == "_")) or bool(
        _ORDINAL.match(given, place.end())
    )


def _digits(given: str) -> Decimal:
    """Return the value of digits with separators.

    The last separator begins a fraction, unless it occurs twice or is a comma, or another sign that
    is no point, with three digits behind it.
    """
    bare = given.replace(" ", "'")
    separators = _SEPARATOR.findall(bare)
    if not separators:
        return Decimal(bare)
    last = separators[-1]
    whole, _, rest = bare.rpartition(last)
    groups = last not in ".," or separators.count(last) > 1
    if last == "," and len(rest) == 3 and whole.strip("+-") != "0":
        groups = True
    if groups:
        whole, rest = bare, ""
    parts = _SEPARATOR.split(whole)
    if any(len(part) != 3 for part in parts[1:]):
        raise UnreadableError(f"{given!r} is not a number: its digits are not grouped by threes.")
    digits = "".join(parts)
    return Decimal(f"{digits}.{rest}" if rest else digits)


def read_integer(text: str) -> int:
    """Return the whole number that a text is.

    Raises:
        UnreadableError: if it is no number, or has a fraction.

    >>> read_integer("1,200")
    1200
    """
    number = read_number(text)
    if number != number.to_integral_value():
        raise UnreadableError(f"{text!r} is not a whole number.")
    return int(number)
