"""Where things with a fixed form stand: e-mail and IP addresses, links, cards, accounts, phones.

Each finder yields places, half-open, that do not overlap. Patterns are written so that no text
makes them slow: what can repeat is bounded. They find what looks like it; `onepass.redact.checks`
says whether it can be it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from onepass.redact.checks import iban

Place = tuple[int, int]
Finder = Callable[[str], Iterator[Place]]

_EMAIL = re.compile(
    r"(?<![\w.%+-])[\w%+-][\w.%+-]{0,63}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
_URL = re.compile(
    r"(?<![\w@])(?:(?:https?|ftp)://|www\.)[^\s<>\"]{0,2000}[^\s<>\".,;:!?'()\[\]{}]", re.I
)
_IPV4 = re.compile(r"(?<![\w.])(?:[0-9]{1,3}\.){3}[0-9]{1,3}(?![\w]|\.[0-9])")
_IPV6 = re.compile(r"(?<![\w:.])(?:[0-9a-f]{0,4}:){2,7}(?:[0-9a-f]{1,4}|(?<=::))(?![\w:])", re.I)
_CARD = re.compile(
    r"(?<![\w-])(?:3[47][0-9]{2}([ -]?)[0-9]{6}\1[0-9]{5}"
    r"|[2-6][0-9]{3}([ -]?)[0-9]{4}\2[0-9]{4}\2[0-9]{1,7})(?![\w]|-[0-9])"
)
_IBAN = re.compile(r"(?<!\w)[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?(?!\w)")
_SSN = re.compile(r"(?<![\w-])[0-9]{3}-[0-9]{2}-[0-9]{4}(?![\w-])")
_PHONE = re.compile(
    r"(?<![\w+.])(?:"
    r"(?:\+|00)[1-9][0-9]{0,2}[ .\-/]?(?:\([0-9]{1,5}\)[ .\-/]?)?[0-9]{1,5}"
    r"(?:[ .\-/]?[0-9]{2,5}){1,5}"  # +49 30 901820
    r"|\([0-9]{2,5}\) ?[0-9]{3,5}(?:[ \-][0-9]{2,5}){0,3}"  # (020) 7946 0018
    r"|[0-9]{3}[ .\-][0-9]{3}[ .\-][0-9]{4}"  # 212-555-0100
    r")(?!\w|-[0-9])"
)


def _of(*patterns: re.Pattern[str]) -> Finder:
    def find(text: str) -> Iterator[Place]:
        for pattern in patterns:
            for match in pattern.finditer(text):
                yield match.span()

    return find


def ibans(text: str) -> Iterator[Place]:
    """Yield the places of IBANs whose check digits are right, without the words after them.

    >>> list(ibans("BE68 5390 0754 7034 and")), list(ibans("BE69 5390 0754 7034"))
    ([(0, 19)], [])
    """
    for match in _IBAN.finditer(text):
        start, end = match.span()
        ends = [end, *(start + at.start() for at in reversed(list(re.finditer(" ", match[0]))))]
        fitting = next((one for one in ends if iban(text[start:one])), None)
        if fitting is not None:
            yield start, fitting


emails = _of(_EMAIL)
urls = _of(_URL)
ips = _of(_IPV4, _IPV6)
cards = _of(_CARD)
ssns = _of(_SSN)
phones = _of(_PHONE)


def phones_in(region: str) -> Finder:
    """Return a finder of phone numbers as they are written in a country, by phonenumbers.

    Args:
        region: two letters, such as "US".
    """
    from phonenumbers import PhoneNumberMatcher

    def find(text: str) -> Iterator[Place]:
        for match in PhoneNumberMatcher(text, region):
            yield match.start, match.end
        yield from phones(text)

    return find
