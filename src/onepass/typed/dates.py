"""Dates and times: ISO by ourselves, every other way of writing them by dateparser.

A date has to be whole: nothing is filled in from the day on which a program runs. So a text always
gives the same value, and "tomorrow" or "March 2024" none.
"""

from __future__ import annotations

import re
from datetime import date, datetime
from importlib.util import find_spec
from typing import Any

from onepass.schema.rules import Order
from onepass.typed.unreadable import UnreadableError

_NUMERIC = re.compile(r"(\d{1,2})([/-])(\d{1,2})\2(?:\d{2}|\d{4})\b")
_LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl"]
_HINT = "a date that is not ISO needs  pip install 'onepass[values]'"


def read_datetime(text: str, order: Order | None = None) -> datetime:
    """Return the moment that a text names; a date alone is its midnight.

    Args:
        text: a date, perhaps with a time.
        order: of the parts of a date in numbers.

    Raises:
        UnreadableError: if it is none, or not whole, or its day and month cannot be told apart.

    >>> read_datetime("2024-05-03T10:30").isoformat()
    '2024-05-03T10:30:00'
    """
    given = " ".join(text.split()).strip(" .,")
    try:
        return datetime.fromisoformat(given)
    except ValueError:
        pass
    numeric = _NUMERIC.match(given)
    if numeric and order is None:
        first, second = int(numeric[1]), int(numeric[3])
        if first <= 12 and second <= 12 and first != second:
            raise UnreadableError(
                f"{text!r} may be read in two ways; say the order of its parts (DMY or MDY)."
            )
    if find_spec("dateparser") is None:
        raise UnreadableError(f"{text!r} cannot be read: {_HINT}.")
    found = _parsed(given, order or _order_of(given))
    if found is None:
        raise UnreadableError(f"{text!r} is not a whole date.")
    return found


def read_date(text: str, order: Order | None = None) -> date:
    """Return the day that a text names.

    Raises:
        UnreadableError: as `read_datetime` does.

    >>> read_date("2024-05-03")
    datetime.date(2024, 5, 3)
    """
    return read_datetime(text, order).date()


def _order_of(given: str) -> Order:
    """Return the order that the numbers themselves leave, else the day first."""
    numeric = _NUMERIC.match(given)
    return "MDY" if numeric and int(numeric[3]) > 12 else "DMY"


def _parsed(given: str, order: Order) -> datetime | None:
    import dateparser

    settings: Any = {
        "DATE_ORDER": order,
        "PREFER_LOCALE_DATE_ORDER": False,
        "REQUIRE_PARTS": ["day", "month", "year"],
        "PARSERS": ["absolute-time"],  # nothing that depends on today
        "RELATIVE_BASE": datetime(2000, 1, 1),
        "RETURN_AS_TIMEZONE_AWARE": False,
    }
    found: datetime | None = dateparser.parse(given, languages=_LANGUAGES, settings=settings)
    return found
