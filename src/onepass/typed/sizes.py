"""Sizes that are written behind a number, as in 3 million, 5k or 2 Mrd.

A word that is a size in one place and something else in another is refused, not left out: a value
must never be a million times too small. This module reads no digits.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

Sizes = Mapping[str, int | None]  # None: it may be a size or not, or of several values

_WORDS = {
    12: "dozen dozens",
    10**2: "hundred hundreds",
    10**3: "thousand thousands tsd tausend duizend тысяча тысячи тысяч тыс",
    10**5: "lakh lakhs",
    10**6: "million millions mn mio mln millionen millón millones milhão milhões milione milioni "
    "miljoen milyon миллион миллиона миллионов млн",
    10**7: "crore crores",
    10**9: "billion billions bn bln milliard milliards milliarde milliarden mrd miliardo miliardi "
    "bilhão bilhões miljard milyar mld миллиард миллиарда миллиардов млрд",
    10**12: "trillion trillions tn trn billón billones billionen trilhão trilhões "
    "триллион триллиона триллионов трлн",
}
_SEVERAL = "mil mill lac lacs"  # mil: a thousand in Spanish, a million in English


def _cased(words: Mapping[int, str] | str) -> dict[str, int | None]:
    """Return sizes by the three ways in which they are written: mio, Mio, MIO."""
    told = words.items() if isinstance(words, Mapping) else ((None, words),)
    return {
        form: times
        for times, line in told
        for word in line.split()
        for form in (word, word.capitalize(), word.upper())
    }


# "mille" and "mila" begin names and titles as well; MN and TN are units.
_EVERYWHERE = _cased(_WORDS) | _cased(_SEVERAL) | {"mille": 10**3, "mila": 10**3}
SIZES: Sizes = (
    _EVERYWHERE
    | {"k": 10**3, "K": 10**3}
    | dict.fromkeys(("M", "B", "T", "MM", "Md", "Mds", "Bio"))  # "m", "b", "t" are units
)
SIZES_OF_MONEY: Sizes = (
    _EVERYWHERE
    | _cased({10**3: "k", 10**6: "m mm mill", 10**9: "b"})
    | {"T": 10**12, "Md": 10**9, "Mds": 10**9}
    | dict.fromkeys(("t", "L"))  # tons, or trillions; lakhs, or liters
    | _cased("mi bi bio cr grand")
)
SIZES_OF_QUANTITIES: Sizes = {
    word: times for word, times in _EVERYWHERE.items() if word not in ("MN", "TN")
} | {"k": 10**3}

_NEXT = re.compile(r"(?P<gap>-?\s*)(?P<word>[^\W\d_]+)(?![\w²³])")
_JOINED_ON = re.compile(r"['’&]|[-‐‑–]\w")  # T-shirts, B's, M&Ms
# Thousands or millions of a currency in one word: MEUR, kUSD, Mkr; and 5 T€, which is 5,000.
_CODES = "(?:EUR|USD|GBP|CHF|JPY|CNY|INR|CAD|AUD|SEK|NOK|DKK|PLN|CZK|HUF|kr)"
_OF_CURRENCY = re.compile(
    rf"\s*(?:(?:[kKmMbBtT]|MM|[mbt]n){_CODES}\b|T\s?(?:€|(?:{_CODES}|Euro)\b)"
    rf"|(?!kr){_CODES}(?:[kKmMbB]|[mb]n)\b)"  # and the other way round: 5.2 EURm
)
_SHORT = "(?:[kKmMbB]|MM|[MmBb]n|[TtBb]io|[Mm]io|[Mm]rd|[Tt]sd|[Mm]ln|[Mm]ld|млн|млрд|тыс)"
_SIGNS = f"(?:[€£¥₽₹$]|{_CODES})"
_BEFORE = re.compile(
    rf"(?<![^\W_])(?:{_SHORT}\.?\s?{_SIGNS}|T\s?(?:€|{_CODES}))\s*$"
    # and the other way round: €m 5.2, EUR bn 5
    rf"|(?:[€£¥₽₹$]|(?<![^\W\d_]){_CODES})\s?{_SHORT}\.?\s*$"
)


def read_size(after: str, sizes: Sizes) -> tuple[int | None, int]:
    """Return the size that a text begins with, and where it ends.

    Args:
        after: the text from behind the digits.
        sizes: those that are understood.

    Returns:
        What the number is times; None where that cannot be told. Without a size, 1 and 0.

    >>> read_size(" million people", SIZES), read_size("M visitors", SIZES), read_size(" kg", SIZES)
    ((1000000, 8), (None, 1), (1, 0))
    >>> read_size(" hundred thousand", SIZES)
    (100000, 17)
    """
    if _OF_CURRENCY.match(after):
        return None, 0
    times, end = 1, 0
    while (place := _NEXT.match(after, end)) is not None:
        word = place["word"]
        is_short = len(word) <= 2  # letters: not "5-B", "5 T-shirts"
        if is_short and (end or "-" in place["gap"] or _JOINED_ON.match(after, place.end())):
            break
        if word not in sizes:
            break
        own = sizes[word]
        if own is None:
            return None, place.end()
        times, end = times * own, place.end()
    return times, end


def has_size_before(before: str) -> bool:
    """Return whether a size stands before a number, with its currency: M€ 5, TEUR 20, Mio. CHF 3.

    >>> has_size_before("sales of M€ "), has_size_before("HK$")
    (True, False)
    """
    return _BEFORE.search(before) is not None
