"""Numbers as people write them, as exact decimals.

Thousands may be grouped by commas, points, spaces or apostrophes, lakhs as in India; the decimal
separator is told from the grouping. Numbers up to twelve may be words; an exponent stands directly
behind the digits. A capital E between bare digits is none, since 2E5 may as well be a code: 2e5,
2E+5 and 2.0E5 are numbers. What belongs to a number is never left out: it is read, or the number is
refused. This module knows no units.
"""

from __future__ import annotations

import re
import unicodedata
from decimal import Context, Decimal
from typing import NamedTuple

from onepass.typed.signs import (
    MINUS,
    has_currency,
    is_below_zero,
    no_cents,
    read_sign,
    without_currency,
)
from onepass.typed.sizes import (
    SIZES,
    SIZES_OF_MONEY,
    SIZES_OF_QUANTITIES,
    Sizes,
    has_size_before,
    read_size,
)
from onepass.typed.unreadable import UnreadableError

_DIGITS = r"\d(?:[\d.,'’\u00a0\u202f ]{0,98}\d)?"  # what is longer is no number
_GLYPHS = "¼½¾⅐-⅞"
_NUMBER = re.compile(
    # 1/2 is a fraction before a word, and behind a whole number; else it may be a date or a score.
    r"(?<![\d/.,])(?:(?P<units>\d{1,3})[\s-])?(?P<top>\d{1,2})[/⁄](?P<bottom>2|3|4|8|16)(?![\d/]|[.,]\d)"
    r"(?(units)|(?=[\s-]?[^\W\d_]))"
    rf"|(?P<ones>\d{{1,4}})?[ \u00a0]?(?P<glyph>[{_GLYPHS}])"
    rf"|(?P<digits>(?<![\w.,])\.\d{{1,98}}(?![.,]?\d)|{_DIGITS})"
    rf"(?:(?P<e>[eE])(?P<power>[{MINUS}+]?\d{{1,2}})(?!\w|[.,]\d))?"
)
_EXACT = Context(prec=200)  # digits: more than a number may have
_ROUNDED = Context(prec=28)  # a third has no end
_SEPARATOR = re.compile(r"[.,'’\u00a0\u202f]")
_MYRIADS = "百千万萬億亿兆천만억조"  # sizes that are joined to what follows them, as in 500万円
_AFTER = re.compile(rf"(?:st|nd|rd|th)\b|[²³¹⁰-⁹]|\s?e[{MINUS}+]?\d|\s?[{_MYRIADS}]", re.IGNORECASE)
_WORDS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve",
)  # fmt: skip
_SAID = {word: number for number, word in enumerate(_WORDS)} | {"a": 1, "an": 1}
_SAID_FIRST = re.compile(
    rf"(?P<minus>(?:minus|negative)\s+)?(?P<word>(?a:{'|'.join(_SAID)}))(?=$|[\s-])", re.IGNORECASE
)
_TENS = "|".join(
    (
        *_WORDS[2:], "(?:thir|four|fif|six|seven|eigh|nine)teen",
        "(?:twen|thir|for|fif|six|seven|eigh|nine)ty", "hundred",
    )
)  # fmt: skip
_MORE = re.compile(
    rf"[\s-]+(?:(?:and|or|to|by|point|plus|minus|-|–)\s+)?(?:{_TENS})(?![\w-])"
    r"|\s+(?:and|&)\s+(?:an?|one)\s+(?:half|quarter|third)\b",
    re.IGNORECASE,
)
_LESS = re.compile(
    rf"(?<!\w)(?:{_TENS}|zero|one|dozen|thousand|lakh|crore|[mb]illion|trillion)[\s-]+"
    r"(?:(?:and|or|to|by|point|plus|minus|-|–)\s+)?$",
    re.IGNORECASE,
)
_LAKHS = re.compile(r"[1-9]\d?(?:,\d\d)+,\d{3}")  # 1,23,456 is 123,456
_PARTS_SAID = re.compile(
    r"[\s-]+(?:half|halves|thirds?|quarters?|fourths?|fifths?|few|couple|lot|number|and|or|to)\b",
    re.IGNORECASE,
)


class Found(NamedTuple):
    """A number in a text, and what the text holds besides it."""

    value: Decimal
    before: str
    after: str


def read_number(text: str) -> Decimal:
    """Return the one number in a text.

    Args:
        text: a number, perhaps with a sign, a unit or a word around it that is not joined to it on
            its left. "1,234" has a group of thousands, "1.234" a fraction; "3 million" is a number.
            In parentheses alone, or with a minus behind it, it is negative. "2e5" and "2.0E5" have
            an exponent, "2E5" may be a code and is refused.

    Raises:
        UnreadableError: if there is no number, or more than one, or it may be read in two ways.

    >>> [str(read_number(text)) for text in ("1,299.00", "1.299,5", "12 500", "-3", "three")]
    ['1299.00', '1299.5', '12500', '-3', '3']
    >>> [str(read_number(text)) for text in ("-$49.90", "no. 881", "(20 %)", "2.5 million", "3½")]
    ['-49.90', '881', '-20', '2500000', '3.5']
    """
    said = find_said(text)
    if said is not None and not said.after.strip(" ."):
        return said.value
    if text.strip().casefold() == "none":
        return Decimal(0)
    return find_number(text, SIZES_OF_MONEY if has_currency(text) else SIZES).value


def find_number(text: str, sizes: Sizes, *, joined: str | None = None, alone: bool = True) -> Found:
    """Return the number in digits that a text holds.

    Args:
        text: as `read_number` takes it.
        sizes: the words that may follow a number and belong to it. Where one of them stands but
            its value cannot be told, the number is refused.
        joined: letters that may be joined to it on its left.
        alone: whether it has to be the only one; else the first is taken.

    Raises:
        UnreadableError: as `read_number` does.

    >>> find_number("2 dozen eggs", SIZES)
    Found(value=Decimal('24'), before='', after=' eggs')
    """
    places = list(_NUMBER.finditer(text))
    if not places or (alone and len(places) > 1):
        raise UnreadableError(f"{text!r} is not a number.")
    place = places[0]
    before, after = text[: place.start()], text[place.end() :]
    number = _value(place, is_whole=no_cents(after))
    number, after = _scaled(text, number, after, sizes)
    behind = without_currency(after)
    if has_size_before(before) or (behind != after and read_size(behind, sizes)[0] != 1):
        raise UnreadableError(f"{text!r} is not a number: its size is not understood.")
    cut = re.search(r"(?<!\w)[.,]+$", before)  # a separator whose digits are missing
    is_part = cut or _LESS.search(before) or _AFTER.match(after) or _MORE.match(after)
    if is_part or is_below_zero(after):
        raise UnreadableError(f"{text!r} is not a number.")
    try:
        negative, before, after = read_sign(before, after, joined)
    except UnreadableError as error:
        raise UnreadableError(f"{text!r} is not a number: {error}") from error
    return Found(number.copy_negate() if negative else number, before, after)


def find_said(text: str) -> Found | None:
    """Return the number that a text begins with as a word; None if it does not.

    Raises:
        UnreadableError: if the word is but a part of a number.

    >>> find_said("a dozen eggs"), find_said("eggs")
    (Found(value=Decimal('12'), before='', after=' eggs'), None)
    """
    plain = " ".join(text.split())
    word = _SAID_FIRST.match(plain)
    if word is None:
        return None
    number, after = Decimal(_SAID[word["word"].casefold()]), plain[word.end() :]
    number, after = _scaled(text, number, after, SIZES_OF_QUANTITIES)
    if _PARTS_SAID.match(after) or _MORE.match(after) or is_below_zero(after):
        raise UnreadableError(f"{text!r} is not a number.")
    return Found(number.copy_negate() if word["minus"] else number, "", after)


def _scaled(text: str, number: Decimal, after: str, sizes: Sizes) -> tuple[Decimal, str]:
    """Return a number times the size that follows it, and what follows both."""
    times, end = read_size(after, sizes)
    if times is None:
        raise UnreadableError(f"{text!r} is not a number: its size is not understood.")
    if times == 1:
        return number, after
    big = _EXACT.multiply(number, Decimal(times))
    return Decimal(int(big)) if big == big.to_integral_value() else big, after[end:]


def _value(place: re.Match[str], *, is_whole: bool) -> Decimal:
    """Return the value of a number without its sign; a whole one has separators of groups alone."""
    if place["power"]:
        if place["e"] == "E" and f"{place['digits']}{place['power']}".isalnum():
            raise UnreadableError(f"{place[0]!r} is not a number: it may be a code.")
        power = int(re.sub(f"[{MINUS}]", "-", place["power"]))
        return Decimal(f"{_digits(place['digits']).scaleb(power, _EXACT):f}")  # written out
    if place["digits"]:
        return _digits(place["digits"], is_whole=is_whole)
    if place["glyph"]:
        whole = place["ones"]
        top, _, bottom = unicodedata.normalize("NFKC", place["glyph"]).partition("⁄")
    else:
        whole, top, bottom = place["units"], place["top"], place["bottom"]
    if int(top) >= int(bottom):
        raise UnreadableError(f"{place[0]!r} is not a number: its fraction is not below one.")
    return _ROUNDED.add(int(whole or 0), _ROUNDED.divide(int(top), int(bottom)))


def _digits(given: str, *, is_whole: bool = False) -> Decimal:
    """Return the value of digits with separators.

    The last separator begins a fraction, unless it occurs twice, is neither point nor comma, or is
    the only one, a comma, between one to three digits and three. A fraction is what follows 0.
    """
    bare = given.replace(" ", "'")
    separators = _SEPARATOR.findall(bare)
    if not separators:
        return Decimal(bare)
    last = separators[-1]
    whole, _, rest = bare.rpartition(last)
    groups = is_whole or last not in ".," or separators.count(last) > 1
    if separators == [","] and len(rest) == 3 and len(whole) < 4 and int(whole):
        groups = True
    if groups:
        whole, rest = bare, ""
    first, *others = _SEPARATOR.split(whole)
    even = 0 < len(first) < 4 and int(first) and all(len(part) == 3 for part in others)
    is_grouped = even and len(set(_SEPARATOR.findall(whole))) == 1
    if others and not (is_grouped or _LAKHS.fullmatch(whole)):
        raise UnreadableError(f"{given!r} is not a number: its digits are not grouped by threes.")
    digits = "".join((first, *others)) or "0"
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
