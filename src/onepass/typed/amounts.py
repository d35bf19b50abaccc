"""Amounts of money (price-parser) and quantities with their units."""

from __future__ import annotations

import re

from onepass.schema.rules import Money, Quantity
from onepass.typed.numbers import NUMBER, read_number, scaled
from onepass.typed.unreadable import UnreadableError

# Signs that stand for one currency alone; "$" and "kr" stand for several and stay as written.
_CODES = {
    "€": "EUR", "£": "GBP", "¥": "JPY", "₹": "INR", "₩": "KRW", "₽": "RUB", "₺": "TRY", "₴": "UAH",
    "₪": "ILS", "₫": "VND", "฿": "THB", "₦": "NGN", "US$": "USD", "A$": "AUD", "C$": "CAD",
    "HK$": "HKD", "NZ$": "NZD", "R$": "BRL", "zł": "PLN", "Kč": "CZK", "euro": "EUR",
    "euros": "EUR", "Euro": "EUR",
}  # fmt: skip
_CODE = re.compile(r"\b[A-Z]{3}\b")
_SIZE = re.compile(r"\s*(million|billion|thousand|mn|bn|m|k)\b", re.IGNORECASE)
_QUANTITY = re.compile(rf"(?P<number>{NUMBER}|[a-z]+)\s*(?P<unit>[^\d\s].*)?", re.IGNORECASE)


def read_money(text: str) -> Money:
    """Return the amount that a text names.

    Raises:
        UnreadableError: if there is no amount, or more than one.

    >>> read_money("€1.299,50"), read_money("2.5 million USD").amount
    (Money(amount=Decimal('1299.50'), currency='EUR'), Decimal('2500000'))
    """
    from price_parser import Price

    numbers = re.findall(NUMBER, text)
    if len(numbers) != 1:
        raise UnreadableError(f"{text!r} is not one amount of money.")
    found = Price.fromstring(text)
    if found.amount is None:
        raise UnreadableError(f"{text!r} is not an amount of money.")
    amount = found.amount
    if re.search(rf"[-−]\s*\D{{0,3}}{re.escape(numbers[0].lstrip('-+−'))}", text):
        amount = -abs(amount)
    size = _SIZE.match(text, text.index(numbers[0]) + len(numbers[0]))
    if size is not None:
        amount = scaled(amount, size[1])
    code = _CODE.search(text)
    currency = code[0] if code is not None else found.currency
    return Money(amount, _CODES.get(currency, currency) if currency else None)


def read_quantity(text: str) -> Quantity:
    """Return the number and the unit, as written, that a text names.

    Raises:
        UnreadableError: if it does not begin with a number.

    >>> read_quantity("2.5 kg"), read_quantity("three boxes").unit
    (Quantity(amount=Decimal('2.5'), unit='kg'), 'boxes')
    """
    found = _QUANTITY.fullmatch(text.strip())
    if found is None:
        raise UnreadableError(f"{text!r} is not a number with a unit.")
    unit = found["unit"]
    return Quantity(read_number(found["number"]), unit.strip() if unit else None)
