"""Amounts of money, their currencies told by price-parser, and quantities with their units."""

from __future__ import annotations

import re

from onepass.schema.rules import Money, Quantity
from onepass.typed.numbers import SIZE_OF_MONEY, SIZE_WORD, find_number, find_said
from onepass.typed.signs import MINUS
from onepass.typed.unreadable import UnreadableError

# Signs that stand for one currency alone; "$", "¥", "元" and "kr" stand for several and stay as
# written.
_CODES = {
    "€": "EUR", "£": "GBP", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH",
    "₪": "ILS", "₫": "VND", "฿": "THB", "₦": "NGN", "US$": "USD", "A$": "AUD", "C$": "CAD",
    "CN¥": "CNY", "RMB": "CNY", "JP¥": "JPY", "円": "JPY", "원": "KRW",
    "HK$": "HKD", "NZ$": "NZD", "R$": "BRL", "zł": "PLN", "Kč": "CZK", "euro": "EUR",
    "euros": "EUR", "Euro": "EUR",
}  # fmt: skip
# A hundredth of what is told: cents of a currency that often is not said.
_CENTS = re.compile(
    r"[\s-]*(?:(?:(?-i:[A-Z]{2,3}|U\.S\.)|euro|new|american|canadian|australian)[\s-]+)?"
    r"(?:(?:euro)?cents?|cts?|c|p|pence|penny|pennies|cent(?:ime|avo)s?|c[eé]ntimos?|centesim[io]"
    r"|pfennige?|rappen|[öø]re|kope(?:c?ks?|yka|yki)|pais[ae]|grosz[ey]?|kuru[sş])(?![\w$]|[./]\w)",
    re.IGNORECASE,
)
_CENT_SIGN = re.compile("[¢￠]")
_CODE = re.compile(r"\b[A-Z]{3}\b")
_YUAN_OR_YEN = re.compile(r"(?P<country>CN|JP)\s?[¥￥]|(?<=\d)\s?(?P<unit>[元圆圓])")
_BEGINS = re.compile(rf"(?:[{MINUS}+]\s*|(?:minus|negative)\s+)?[\d.¼-¾⅐-⅞]", re.IGNORECASE)
# A digit in a unit is part of a name or an exponent (m2, CO2, s^-1), or says what of: per 100 g.
_UNIT_DIGITS = re.compile(rf"[^\W\d_]\^?[{MINUS}]?\d+|(?:/|\bper\s)\s?\d+(?:[.,]\d+)?")
_NO_UNIT = re.compile(r"[x×*/=^]\s*\d|(?:by|to|or|and)\b", re.IGNORECASE)


def read_money(text: str) -> Money:
    """Return the amount that a text names.

    Raises:
        UnreadableError: if there is no amount, or more than one, or it may be read in two ways, or
            it is in cents.

    >>> read_money("€1.299,50"), read_money("2.5 million USD").amount
    (Money(amount=Decimal('1299.50'), currency='EUR'), Decimal('2500000'))
    """
    from price_parser import Price

    found = Price.fromstring(text)
    code = _CODE.search(text)
    currency = code[0] if code is not None else _yuan_or_yen(text) or found.currency
    try:  # price-parser takes three digits behind a point for thousands: it gives no amount
        number = find_number(text, SIZE_OF_MONEY, joined=found.currency)
    except UnreadableError as error:
        raise UnreadableError(f"{text!r} is not one amount of money.") from error
    if _CENT_SIGN.search(text) or _CENTS.match(number.after):
        raise UnreadableError(f"{text!r} is not an amount of whole money: it is in cents.")
    return Money(number.value, _CODES.get(currency, currency) if currency else None)


def _yuan_or_yen(text: str) -> str | None:
    """Return a sign of the yuan or the yen that price-parser does not know, or shortens."""
    found = _YUAN_OR_YEN.search(text)
    return None if found is None else found["unit"] or f"{found['country']}¥"


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
        found = find_number(given, SIZE_WORD, alone=False)
    if found is None:
        raise UnreadableError(f"{text!r} is not a number with a unit.")
    unit = found.after.strip().removeprefix("-").strip()  # a 5-year plan
    if _NO_UNIT.match(unit) or re.search(r"\d", _UNIT_DIGITS.sub("", unit)):
        raise UnreadableError(f"{text!r} is not one number with a unit.")
    return Quantity(found.value, unit or None)
