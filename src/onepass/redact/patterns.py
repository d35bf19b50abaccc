"""Where things with a fixed form stand: e-mail and IP addresses, links, cards, accounts, phones.

Each finder yields places, half-open; those of a text that can be read in several ways may overlap.
Patterns are written so that no text makes them slow: what can repeat is bounded. They find what
looks like it; `onepass.redact.checks` says whether it can be it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from onepass.redact.checks import (
    BLANKS,
    COUNTRIES,
    DASHES,
    HYPHENS,
    IBANS,
    WORD,
    iban,
    luhn,
    phone,
    registered_iban,
)
from onepass.redact.plain import ADDRESSES, ALL, NUMBERS
from onepass.redact.readings import Finder, Span, over_lines, plainly

_OTHER = rf"[^\W{WORD}]"
_BLANK, _HYPHEN, _DASH = f"[{BLANKS}]", f"[{HYPHENS}]", f"[{DASHES}]"

_TLD = (  # in letters of one script
    r"(?:(?:xn--[a-z0-9-]{1,58}[a-z0-9]|[A-Za-z\u00c0-\u024f]{2,24}|[\u0370-\u03ff]{2,24}"
    r"|[\u0400-\u052f]{2,24})(?![0-9A-Za-z_\u00c0-\u024f])"
    rf"|[^\W\d{WORD}]{{2,24}})"
)
_IMAGE = r"[1-9]x\.(?:png|jpe?g|gif|webp|avif|svg|heic)\b"  # logo@2x.png, twice as large
_DOMAIN = re.compile(
    rf"@(?!(?i:{_IMAGE}))(?:(?:[{WORD}-]{{1,63}}|{_OTHER}[\w-]{{0,62}})\.){{1,8}}{_TLD}"
)
# What stands before "@", backwards: the signs of RFC 5321 without those that stand around addresses
# and between columns and the parts of links: "|", "?", "{", "}" and "`". It does not begin with one
# that may be a quotation mark.
_LOCAL = re.compile(rf"[{WORD}.!#$%&'*+/=^~-]{{0,63}}[{WORD}%+-]|[\w.%+-]{{0,63}}[\w%+-]")
_LONGEST_LOCAL = 64
# The name of a value, in logs and forms: user=, name=Bo&email=. It is no part of it, or one address
# would be another value in each of them. Not so bounce+anna= before the domain of an address.
_NAME = re.compile(rf"(?:[^@]*&)?[A-Za-z_]+='?(?=[{WORD}%+-])")
# What ends a link: blanks, quotation marks, and the punctuation of scripts in wide letters.
_NO_URL = (
    r"\s<>\"\u00ab\u00bb\u201c-\u201f\u2039\u203a\u3001-\u3003\u3008-\u3011\u3014-\u301f"
    r"\uff01\uff08\uff09\uff0c\uff0e\uff1a\uff1b\uff1f\uff3b\uff3d\uff5b\uff5d\uff5f-\uff64"
)
_URL = re.compile(
    rf"(?<![{WORD}@])(?:[a-z][a-z0-9+]{{1,15}}://|www\.)[^{_NO_URL}]{{0,2000}}"
    rf"[^{_NO_URL}.,;:!?'()\[\]{{}}\u2018\u2019\u2026]",
    re.I,
)
_IPV4 = re.compile(rf"(?<![{WORD}.])(?:[0-9]{{1,3}}\.){{3}}[0-9]{{1,3}}(?![{WORD}]|\.[0-9])")
_IPV6 = re.compile(
    # a word may be joined to it that is no group of it (IPv6:2001:db8::1), and a colon behind it
    rf"(?<![{WORD}:.])(?:(?![0-9a-f]{{1,4}}:)[a-z][0-9a-z_]{{1,30}}:)?"
    rf"(?P<value>(?:[0-9a-f]{{0,4}}:){{2,7}}(?:[0-9a-f]{{1,4}}|(?<=::)))(?![{WORD}]|:[{WORD}:])",
    re.I,
)
_ALONE = rf"(?<![{WORD}])(?<![0-9]{_DASH})"  # a hyphen may join it to a word (SSN-536-...)
_CARD = re.compile(
    rf"{_ALONE}(?:"
    + "|".join(
        rf"3[47][0-9]{{2}}{sep}[0-9]{{6}}{sep}[0-9]{{5}}"
        rf"|3[0689][0-9]{{2}}{sep}[0-9]{{6}}{sep}[0-9]{{4}}"
        rf"|(?:50|5[6-9]|6[0-9])[0-9]{{2}}(?:{sep}[0-9]{{4}}){{3}}{sep}[0-9]{{1,3}}"
        rf"|[2-6][0-9]{{3}}{sep}[0-9]{{4}}{sep}[0-9]{{4}}{sep}[0-9]{{1,7}}"
        for sep in ("", _BLANK, _DASH)
    )
    + rf")(?![{WORD}]|{_DASH}[0-9])"
)
_LAST_GROUP = 4  # separators before the fifth group, of cards with more than 16 digits
_BETWEEN = re.compile(f"[{BLANKS}{DASHES}]")
_WORD_BEFORE = re.compile(r"(?<![^\W_])[^\W\d_]+\W*$")
_IBAN = re.compile(
    rf"(?<![{WORD}])(?:[A-Z]{{2}}[0-9]{{2}}(?:[{BLANKS}{DASHES}]?[A-Z0-9]{{4}}){{2,7}}"
    rf"(?:[{BLANKS}{DASHES}]?[A-Z0-9]{{1,3}})?"
    # small letters are those of the country and the bank alone, or a UUID might be one
    rf"|[A-Za-z]{{2}}[0-9]{{2}}(?:[{BLANKS}{DASHES}]?[A-Za-z]{{4}})?"
    rf"(?:[{BLANKS}{DASHES}]?[0-9]{{4}}){{2,7}}(?:[{BLANKS}{DASHES}]?[0-9]{{1,3}})?)(?![{WORD}])"
)
_SSN = re.compile(rf"{_ALONE}[0-9]{{3}}{_DASH}[0-9]{{2}}{_DASH}[0-9]{{4}}(?![{WORD}]|{_DASH}[0-9])")
# In the groups that banks of a country make: IT60 X 05428 11101 000000123456.
_IBAN_IN_GROUPS = re.compile(
    rf"(?<![{WORD}])(?=[A-Z]{{2}}[{BLANKS}{DASHES}]?[0-9])(?=(?P<value>(?:"  # most words end here
    + "|".join(
        rf"(?:{'|'.join(countries.split())})(?:[{BLANKS}{DASHES}]?[0-9]){{2}}"
        rf"(?:[{BLANKS}{DASHES}]?[A-Z0-9]){{{length - 4}}}"
        for length, countries in IBANS.items()
    )
    + rf"))(?![{WORD}]))"
)
# How lines end on which such values are begun: their first groups, and a word before a card.
_IBAN_BEGUN = re.compile(
    rf"(?=[A-Za-z]{{2}}[0-9])(?:{'|'.join(COUNTRIES)})[0-9]{{2}}"
    rf"(?:[{BLANKS}{DASHES}]?[A-Z0-9]{{4}}){{0,7}}{_DASH}?\Z",
    re.I,
)
_CARD_BEGUN = re.compile(
    rf"[^\W\d_]\W{{0,64}}[2-6][0-9]{{3}}(?:[{BLANKS}{DASHES}][0-9]{{4,6}}){{0,3}}{_DASH}?\Z"
)
_SSN_BEGUN = re.compile(rf"[0-9]{{3}}{_DASH}(?:[0-9]{{2}}{_DASH})?\Z")
_SEP = f"[./{BLANKS}{HYPHENS}]"
_PHONE = re.compile(
    rf"(?:(?<![{WORD}+])(?:\+[1-9][0-9]{{0,2}}|\(\+[1-9][0-9]{{0,2}}\))"
    rf"|(?<![{WORD}+.])00[1-9][0-9]{{0,2}}){_SEP}?(?:\([0-9]{{1,5}}\){_SEP}?)?[0-9]{{1,5}}"
    rf"(?:{_SEP}[0-9](?={_SEP}[0-9]{{2}}))?"  # +55 11 9 8765-4321
    rf"(?:(?:{_BLANK}[/{HYPHENS}]{_BLANK}|{_SEP})?[0-9]{{2,5}}){{1,5}}"
    rf"(?:{_HYPHEN}[0-9])?(?![{WORD}]|{_HYPHEN}[0-9])"  # +49 30 901820-0
    rf"|(?<![{WORD}+.])(?:"
    rf"\([0-9]{{2,5}}\){_BLANK}?[0-9]{{3,5}}(?:[{BLANKS}{HYPHENS}][0-9]{{2,5}}){{0,3}}"
    rf"|[0-9]{{3}}[.{BLANKS}{HYPHENS}][0-9]{{3}}[.{BLANKS}{HYPHENS}][0-9]{{4}}"
    rf")(?![{WORD}]|{_HYPHEN}[0-9])"  # (020) 7946 0018, 212-555-0100
    rf"|(?<![{WORD}+./{HYPHENS}])0(?:[0-9]{_HYPHEN}[0-9]{{3}}{_HYPHEN}[0-9]{{4}}"
    rf"|(?=(?:[0-9]{_HYPHEN}?){{9,10}}(?!{_HYPHEN}?[0-9]))"
    rf"[0-9]{{1,4}}{_HYPHEN}[0-9]{{1,4}}{_HYPHEN}[0-9]{{3,4}}"
    rf")(?![{WORD}]|{_HYPHEN}[0-9])"  # 02-123-4567; of 10 or 11 digits: 03-1234-5678, 090-1234-5678
)
_GAP = re.compile(rf"{_SEP}+")
_YEAR = re.compile(r"\((?:19|20)[0-9]{2}\)")
_LEAST_AFTER_YEAR = 9  # digits of a phone number whose area code looks like a year


@plainly(ALL)
@over_lines(_IBAN_BEGUN, lambda _, value: registered_iban(value))  # a list of codes is long
def ibans(text: str) -> Iterator[Span]:
    """Yield the places of IBANs whose check digits are right, without the words after them.

    >>> list(ibans("BE68 5390 0754 7034 and")), list(ibans("BE69 5390 0754 7034"))
    ([(0, 19)], [])
    """
    found = set(_ibans_in_fours(text))
    found.update(_ibans_in_groups(text))
    yield from sorted(found)


def _ibans_in_fours(text: str) -> Iterator[Span]:
    at = 0
    while (match := _IBAN.search(text, at)) is not None:
        start, at = match.start(), match.end()
        groups = list(_BETWEEN.finditer(text, start, at))
        ends = [at, *(group.start() for group in reversed(groups))]
        fitting = next((one for one in ends if iban(text[start:one])), None)
        if fitting is not None:
            yield start, fitting
            at = fitting
        elif groups:  # it may begin at a later group
            at = groups[0].end()


def _ibans_in_groups(text: str) -> Iterator[Span]:
    """Yield those of any groups; each is as long as those of its country are."""
    for match in _IBAN_IN_GROUPS.finditer(text):
        if iban(match["value"]):
            yield match.span("value")


@plainly(ADDRESSES)
def emails(text: str) -> Iterator[Span]:
    """Yield the places of e-mail addresses.

    >>> list(emails("Mail a&b.shop@example.com!"))
    [(5, 25)]
    """
    done = 0
    for match in _DOMAIN.finditer(text):
        begun = max(done, match.start() - _LONGEST_LOCAL)
        local = _LOCAL.match(text[begun : match.start()][::-1])
        if local is not None:
            start = match.start() - local.end()
            name = _NAME.match(text, start, match.start())
            yield name.end() if name else start, match.end()
            done = match.end()


@plainly(NUMBERS)
def phones(text: str) -> Iterator[Span]:
    """Yield the places of phone numbers, without the years and pages of citations.

    >>> list(phones("(020) 7946 0018")), list(phones("Nature (2020) 1234"))
    ([(0, 15)], [])
    """
    at = 0
    while (match := _PHONE.search(text, at)) is not None:
        start, at = match.start(), _phone_end(text, *match.span())
        digits = sum(letter.isdigit() for letter in text[start:at])
        if digits >= _LEAST_AFTER_YEAR or not _YEAR.match(match[0]):
            yield start, at


def _phone_end(text: str, start: int, end: int) -> int:
    """Return the end of a phone number, before other numbers behind it: a time, a code of a place.

    It is the last one with which the number passes its check, or else is not known to be none.
    """
    ends = [end, *(gap.start() for gap in reversed(list(_GAP.finditer(text, start + 1, end))))]
    for wanted in (True, None):
        for one in ends:
            if phone(text[start:one]) is wanted:
                return one
    return end


def _is_wrapped_card(before: str, value: str) -> bool:
    """Tell a card number that did not fit on its line from numbers in rows, of which one in ten is
    right by Luhn: a word stands before it.
    """
    return luhn(value) and _WORD_BEFORE.search(before) is not None


@plainly(NUMBERS)
@over_lines(_CARD_BEGUN, _is_wrapped_card)
def cards(text: str) -> Iterator[Span]:
    """Yield the places of card numbers; a fifth group is part of one if its last digit says so.

    >>> list(cards("6304 0000 0000 0000 00")), list(cards("6011 1111 1111 1117 123"))
    ([(0, 22)], [(0, 19)])
    """
    for match in _CARD.finditer(text):
        start, end = match.span()
        groups = list(_BETWEEN.finditer(text, start, end))
        if len(groups) == _LAST_GROUP and not luhn(match[0]):
            end = groups[-1].start()
        yield start, end


@plainly(NUMBERS)
@over_lines(_SSN_BEGUN)
def ssns(text: str) -> Iterator[Span]:
    """Yield the places of US social security numbers.

    >>> list(ssns("SSN 536-90-4399"))
    [(4, 15)]
    """
    for match in _SSN.finditer(text):
        yield match.span()


@plainly(ADDRESSES)
def urls(text: str) -> Iterator[Span]:
    """Yield the places of links, with what stands in them: names, passwords, tokens.

    >>> list(urls("DB=postgres://bo:pw@db.example.org/x"))
    [(3, 36)]
    """
    for match in _URL.finditer(text):
        yield match.span()


@plainly(ALL)
def ips(text: str) -> Iterator[Span]:
    """Yield the places of IP addresses, without their ports.

    >>> list(ips("10.0.0.1:80, IPv6:2001:db8::1: no answer"))
    [(0, 8), (18, 29)]
    """
    for match in _IPV4.finditer(text):
        yield match.span()
    for match in _IPV6.finditer(text):
        yield match.span("value")


def phones_in(region: str) -> Finder:
    """Return a finder of phone numbers as they are written in a country, by phonenumbers.

    Args:
        region: two letters, such as "US".
    """
    from phonenumbers import PhoneNumberMatcher

    @plainly(NUMBERS)
    def find(text: str) -> Iterator[Span]:
        # of its own accord it gives up behind 65,535 other numbers, which a file of logs has
        for match in PhoneNumberMatcher(text, region, max_tries=len(text)):
            yield match.start, match.end
        yield from phones(text)

    return find
