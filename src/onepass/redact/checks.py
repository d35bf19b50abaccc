"""Whether a value can be what its label says: checksums and formats.

Each check takes the text of a value and returns True if it passes, False if it cannot be one, None
if it cannot tell. Luhn, mod 97, IP addresses and US social security numbers are checked here; phone
numbers by the library phonenumbers, where it is installed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from types import ModuleType

Check = Callable[[str], bool | None]

# Letters and digits of Latin, Greek and Cyrillic words, beside which no value begins or ends. Other
# scripts put a value between their letters without blanks (卡号4111), so that these are borders.
WORD = r"0-9A-Za-z_\u00aa\u00b5\u00ba\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u052f\u1e00-\u1fff"
# What stands between groups of digits, with the forms that keep a line together; a hyphen comes
# last, so that all can stand in a class. Word processors make dashes of hyphens, but between
# numbers these also mean "to" (pages 567\u2013589), so that not every pattern takes them.
BLANKS = "".join(map(chr, (0x20, 0xA0, *range(0x2000, 0x200B), 0x202F, 0x205F)))
HYPHENS = "\u2010\u2011-"
DASHES = "\u2012\u2013\u2212" + HYPHENS
PLAIN = str.maketrans(dict.fromkeys(BLANKS, " ") | dict.fromkeys(DASHES, "-"))
# How long the IBANs of a country are (SWIFT's registry, release 101).
IBANS = {
    15: "NO", 16: "BE", 18: "DK FI FK FO GL NL SD", 19: "MK SI", 20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV", 22: "BG BH CR DE GB GE IE ME RS VA", 23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG", 25: "LY PT ST", 26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM", 28: "AL AZ BY CY DO GT HN HU LB NI PL SV", 29: "BR EG PS QA UA",
    30: "JO KW MU YE", 31: "MT SC", 32: "LC", 33: "RU",
}  # fmt: skip
_IBAN_LENGTH = {country: length for length, ones in IBANS.items() for country in ones.split()}
COUNTRIES = tuple(sorted(_IBAN_LENGTH))  # that have IBANs
_EMAIL = re.compile(
    r"[^\s@]{1,64}@(?:[\w-]{1,63}\.){1,8}(?:[^\W\d_]{2,24}|xn--[a-z0-9-]{1,58}[a-z0-9])"
)
_EXTENSION = re.compile(r"-[0-9]{1,4}$")
_URL = re.compile(r"(?:[a-z][a-z0-9+.-]{1,15}://|www\.)\S+|[\w-]+(?:\.[\w-]+)+(?:/\S*)?", re.I)


def libraries() -> dict[str, bool]:
    """Say which of the optional libraries are there.

    >>> sorted(libraries())
    ['phonenumbers', 'stdnum']
    """
    return {name: find_spec(name) is not None for name in ("phonenumbers", "stdnum")}


def luhn(text: str) -> bool:
    """Check the last digit of a card number (ISO/IEC 7812-1, annex B).

    >>> luhn("4111 1111 1111 1111"), luhn("4111 1111 1111 1112")
    (True, False)
    """
    given = text.translate(PLAIN)
    digits = [int(letter) for letter in given if letter in "0123456789"]
    if not 12 <= len(digits) <= 19 or re.search(r"[^0-9 -]", given):
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[::-2]) + sum(doubled)) % 10 == 0


def iban(text: str) -> bool:
    """Check the two check digits of an IBAN (ISO 13616: the rest modulo 97 is 1).

    >>> iban("DE89 3704 0044 0532 0130 00"), iban("DE88 3704 0044 0532 0130 00")
    (True, False)
    """
    plain = _solid(text)
    if not re.fullmatch(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", plain):
        return False
    return int("".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])) % 97 == 1


def registered_iban(text: str) -> bool:
    """Check an IBAN also for the length that it has in its country.

    >>> registered_iban("DE89 3704 0044 0532 0130 00"), registered_iban("DE22 3704 0044 0532")
    (True, False)
    """
    plain = _solid(text)
    return iban(plain) and _IBAN_LENGTH.get(plain[:2]) == len(plain)


def _solid(text: str) -> str:
    return re.sub(r"[ -]", "", text.translate(PLAIN)).upper()


def unknown(_text: str) -> None:
    """Say nothing of a value whose kind has no form."""


def account(text: str) -> bool | None:
    """Check a bank account number: an IBAN passes, of others nothing is known.

    >>> account("DE89 3704 0044 0532 0130 00"), account("12345678")
    (True, None)
    """
    return True if iban(text) else None


def ip(text: str) -> bool:
    """Check an IPv4 or IPv6 address.

    >>> ip("192.168.1.10"), ip("2001:db8::1"), ip("192.168.1.256"), ip("::")
    (True, True, False, False)
    """
    try:
        ip_address(text)
    except ValueError:
        return False
    return re.search(r"[0-9a-fA-F]", text) is not None


def ssn(text: str) -> bool:
    """Check a US social security number: ranges that were never given out fail.

    >>> ssn("536-90-4399"), ssn("666-90-4399"), ssn("536-00-4399")
    (True, False, False)
    """
    found = re.fullmatch(r"([0-9]{3})[ -]?([0-9]{2})[ -]?([0-9]{4})", text.translate(PLAIN))
    if found is None:
        return False
    area, group, serial = found.groups()
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def email(text: str) -> bool:
    """Check the shape of an e-mail address.

    >>> email("anna@example.com"), email("anna at example.com")
    (True, False)
    """
    return _EMAIL.fullmatch(unicodedata.normalize("NFC", text)) is not None


def url(text: str) -> bool:
    """Check the shape of an address of the web.

    >>> url("https://example.org/a"), url("example.org/a"), url("the site")
    (True, True, False)
    """
    return _URL.fullmatch(text) is not None


def phone(text: str) -> bool | None:
    """Check a phone number: its country's plan if it begins with "+", else its count of digits.

    >>> phone("12"), phone("555-0100")
    (False, None)
    """
    if not 6 <= sum(letter.isdigit() for letter in text) <= 17:
        return False
    library = loaded("phonenumbers")
    if library is None or not text.lstrip("( ").startswith("+"):
        return None
    given = text.translate(PLAIN)
    return any(_valid_phone(library, one) for one in {given, _EXTENSION.sub("", given)})


def _valid_phone(library: ModuleType, text: str) -> bool:
    try:
        valid: bool = library.is_valid_number(library.parse(text, None))
    except library.NumberParseException:
        return False
    return valid


@cache
def loaded(name: str) -> ModuleType | None:
    """Return an optional library, or None if it is not there."""
    return import_module(name) if libraries()[name] else None
