"""Texts read as values, and candidates compared with the rules of their field.

One place says how a kind is read; readers are remembered by what they read, since the same few
texts come again and again. It knows no schema, no models and no results.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache

from onepass.schema.bounds import seconds
from onepass.schema.rules import Bound, Kind, Money, Quantity, Rules
from onepass.typed.amounts import read_money, read_quantity
from onepass.typed.contacts import read_email, read_iban, read_phone, read_url
from onepass.typed.dates import read_date, read_datetime
from onepass.typed.fit import Fit
from onepass.typed.numbers import read_integer, read_number
from onepass.typed.signs import with_minus, without_unseen
from onepass.typed.unreadable import UnreadableError

Read = str | int | float | Decimal | date | datetime | Money | Quantity

_READERS: dict[Kind, Callable[[str, Rules], Read]] = {
    "text": lambda text, rules: text,
    "integer": lambda text, rules: read_integer(text),
    "number": lambda text, rules: float(read_number(text)),
    "decimal": lambda text, rules: read_number(text),
    "date": lambda text, rules: read_date(text, rules.order),
    "datetime": lambda text, rules: read_datetime(text, rules.order),
    "money": lambda text, rules: read_money(text),
    "quantity": lambda text, rules: read_quantity(text),
    "phone": lambda text, rules: read_phone(text, rules.region),
    "email": lambda text, rules: read_email(text),
    "url": lambda text, rules: read_url(text),
    "iban": lambda text, rules: read_iban(text),
}


_LONG = ("text", "email", "url")  # kinds whose values may have any length
_MOST_CHARS = 300  # of other kinds: libraries that read them take the square of the length
_SIGNED = ("integer", "number", "decimal", "money", "quantity")


@lru_cache(maxsize=4096)
def read_value(text: str, rules: Rules) -> Read:
    """Return the value that a text stands for.

    Args:
        text: as it stands in the document.
        rules: their kind says what is read.

    Raises:
        UnreadableError: if it cannot be read so; the message is one sentence.

    >>> read_value("1,200", Rules(kind="integer"))
    1200
    """
    if len(text) > _MOST_CHARS and rules.kind not in _LONG:
        raise UnreadableError(
            f"{text[:40]!r}... has {len(text)} characters, too many for the kind {rules.kind!r}; "
            f"at most {_MOST_CHARS} are read."
        )
    return _READERS[rules.kind](without_unseen(text) if rules.kind in _SIGNED else text, rules)


def text_to_read(text: str, start: int, end: int, rules: Rules) -> str:
    """Return what is read as the value of a span: of numbers, with a minus outside of it.

    Args:
        text: the document.
        start: of the span, in characters.
        end: behind it.
        rules: of the field that it fills.

    >>> text_to_read("a balance of -75", 14, 16, Rules(kind="number"))
    '-75'
    """
    return with_minus(text, start, end) if rules.kind in _SIGNED else text[start:end]


def fit_at(text: str, start: int, end: int, rules: Rules) -> Fit:
    """Return how well a span of a document fits.

    Args:
        text: the document.
        start: of the span, in characters.
        end: behind it.
        rules: form and length are those of the span; bounds are kept by the value that is read.

    >>> fit_at("a balance of -75", 14, 16, Rules(kind="number", ge=0)).name
    'REFUSED'
    """
    return fit(text[start:end], rules, text_to_read(text, start, end, rules))


@lru_cache(maxsize=4096)
def fit(text: str, rules: Rules, read: str | None = None) -> Fit:
    """Return how well a candidate fits.

    Args:
        text: of the candidate.
        rules: of its field.
        read: what its value is read from; None is the text itself.

    >>> fit("12", Rules(kind="integer", le=10)), fit("many", Rules(kind="integer")).name
    (<Fit.REFUSED: 0>, 'UNREADABLE')
    """
    if not _keeps_form(text, rules):
        return Fit.REFUSED
    try:
        value = read_value(text if read is None else read, rules)
    except UnreadableError:
        return Fit.REFUSED if rules.bounds else Fit.UNREADABLE
    return Fit.GOOD if keeps_bounds(value, rules) else Fit.REFUSED


def _keeps_form(text: str, rules: Rules) -> bool:
    if rules.min_length is not None and len(text) < rules.min_length:
        return False
    if rules.max_length is not None and len(text) > rules.max_length:
        return False
    return rules.pattern is None or re.search(rules.pattern, text) is not None


def keeps_bounds(value: Read, rules: Rules) -> bool:
    """Return whether a value lies within the bounds; of amounts the number counts.

    >>> keeps_bounds(Decimal("0.1"), Rules(kind="decimal", ge=0.1))
    True
    """
    for name, bound in rules.bounds.items():
        own, limit = _comparable(value, bound)
        kept = {"ge": own >= limit, "gt": own > limit, "le": own <= limit, "lt": own < limit}
        if not kept[name]:
            return False
    return True


def _comparable(value: Read, bound: Bound) -> tuple[Decimal, Decimal]:
    """Return a value and its bound as numbers that compare."""
    if isinstance(value, date):  # a datetime is one
        limit = read_datetime(str(bound))
        own = value if isinstance(value, datetime) else datetime.combine(value, limit.time().min)
        return seconds(own), seconds(limit)
    if isinstance(value, Money | Quantity):
        value = value.amount
    return Decimal(str(value)), Decimal(str(bound))  # as written: 0.1 is not a binary fraction
