"""Amounts of money, and quantities with their units."""

from __future__ import annotations

import re

from onepass.schema.rules import Money, Quantity
from onepass.typed.currencies import read_currency
from onepass.typed.numbers import find_number, find_said
from onepass.typed.signs import MINUS
from onepass.typed.sizes import SIZES_OF_MONEY, SIZES_OF_QUANTITIES
from onepass.typed.unreadable import UnreadableError

# A hundredth of what is told: cents of a currency that often is not said.
_CENTS = re.compile(
    r"[\s-]*(?:(?:(?-i:[A-Z]{2,3}|U\.S\.)|euro|new|american|canadian|australian)[\s-]+)?"
    r"(?:(?:euro)?cents?|cts?|c|p|pence|penny|pennies|cent(?:ime|avo)s?|c[eé]ntimos?|centesim[io]"
    r"|pfennige?|rappen|[öø]re|kope(?:c?ks?|yka|yki)|pais[ae]|grosz[ey]?|kuru[sş])(?![\w$]|[./]\w)",
    re.IGNORECASE,
)
_CENT_SIGN = re.compile("[¢￠]")
_BEGINS = re.compile(rf"(?:[{MINUS}+]\s*|(?:minus|negative)\s+)?[\d.¼-¾⅐-⅞]", re.IGNORECASE)
# A digit in a unit is part of a name or an exponent (m2, CO2, s^-1), or says what of: per 100 g.
_UNIT_DIGITS = re.compile(
    rf"[^\W\d_]\^?(?:\d+|[{MINUS}]\d(?![\d.,]))|(?:/|\bper\s)\s?\d+(?:[.,]\d+)?"
)
_NO_UNIT = re.compile(
    rf"[x×*/=^]\s*\d|(?:by|to|or|and)\b|(?P<unit>[^\W\d_]+)[{MINUS}]\d\s?(?P=unit)\b"  # 5 m-6 m
    # 1h30, 2d4h, 1m80, 1m5s, 5ft11, 5lb3oz; but H2O, m2, ft2
    r"|(?-i:h\d|d\d+\s?h|m\d\d|m\d\s?s|ft(?![23]\b)\d|lbs?\d)",
    re.IGNORECASE,
)
_UNIT_OR_SIZE = re.compile(r"(?:MM|[KMBT])\s+[^\W\d_]")  # 9 B are bytes, but 2M visitors


def read_money(text: str) -> Money:
    """Return the amount that a text names.

    Raises:
        UnreadableError: if there is no amount, or more than one, or it may be read in two ways, or
            it is in cents.

    >>> read_money("€1.299,50"), read_money("2.5 million USD").amount
    (Money(amount=Decimal('1299.50'), currency='EUR'), Decimal('2500000'))
    """
    currency, written = read_currency(text)
    try:  # price-parser takes three digits behind a point for thousands: it gives no amount
        number = find_number(text, SIZES_OF_MONEY, joined=written)
    except UnreadableError as error:
        raise UnreadableError(f"{text!r} is not one amount of money.") from error
    if _CENT_SIGN.search(text) or _CENTS.match(number.after):
        raise UnreadableError(f"{text!r} is not an amount of whole money: it is in cents.")
    return Money(number.value, currency)


def read_quantity(text: str) -> Quantity:
    """Return the number and the unit, as written, that a text names.

    Raises:
        UnreadableError: if it does not begin with a number, or has two.

    >>> read_quantity("2.5 kg"), read_quantity("three boxes").unit
    (Quantity(amount=Decimal('2.5'), unit='kg'), 'boxes')
    """
    given = text.strip()
    found = find_said(given)
    if found is None and _BEGINS.match(given):
        found = find_number(given, SIZES_OF_QUANTITIES, alone=False)
    if found is None:
        raise UnreadableError(f"{text!r} is not a number with a unit.")
    # a 5-year plan, 2 Mio. t, 1,000+ users
    unit = found.after.strip().removeprefix("-").lstrip(".+").strip()
    if (
        _UNIT_OR_SIZE.match(unit)
        or _NO_UNIT.match(unit)
        or re.search(r"\d", _UNIT_DIGITS.sub("", unit))
    ):
        raise UnreadableError(f"{text!r} is not one number with a unit.")
    return Quantity(found.value, unit or None)
