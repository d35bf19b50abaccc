"""Dates and times: ISO by ourselves, every other way of writing them by dateparser.

A date has to be whole: nothing is filled in from the day on which a program runs. So a text always
gives the same value, and "tomorrow" or "March 2024" none.
"""

from __future__ import annotations

import re
from datetime import date, datetime, timezone
from importlib.util import find_spec
from typing import Any

from onepass.schema.rules import Order
from onepass.typed.unreadable import UnreadableError

_BETWEEN = r"(?:\s*[/\\.,‐‑–−-]\s*|\s+)"
_NUMERIC = re.compile(
    rf"(?<![\d:.,/-])(\d{{1,2}})({_BETWEEN})(\d{{1,2}})({_BETWEEN})['’]?(?:\d{{4}}|\d{{2}})"
    r"(?![\d:]|\s*[/-]\s*\d)"
)
_YEAR_FIRST = re.compile(rf"(?<!\d)\d{{4}}{_BETWEEN}\d{{1,2}}{_BETWEEN}\d{{1,2}}(?!\d)")
# Of these the year, the month and the day are told by their order alone, as in ISO.
_YEAR_MONTH_DAY = re.compile(r"(?<![\d.,/‐‑–−-])(\d{4})([/.‐‑–−-])(\d{1,2})\2(\d{1,2})(?!\d)")
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
    if any(not _is_day(*match.group(1, 3, 4)) for match in _YEAR_MONTH_DAY.finditer(given)):
        raise UnreadableError(f"{text!r} is not a whole date.")
    numeric = _numeric(given)
    if numeric and order is None:
        first, second = numeric
        if first <= 12 and second <= 12 and first != second:
            raise UnreadableError(
                f"{text!r} may be read in two ways; say the order of its parts (DMY or MDY)."
            )
    if find_spec("dateparser") is None:
        raise UnreadableError(f"{text!r} cannot be read: {_HINT}.")
    told: Order = "MDY" if numeric and numeric[1] > 12 else "DMY"  # by the numbers themselves
    found = _parsed(given, order or told)
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


def _is_day(year: str, month: str, day: str) -> bool:
    """Say whether there is such a day; dateparser would read 2024-13-01 as 13 January."""
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _numeric(given: str) -> tuple[int, int] | None:
    """Return the first two of three numbers that are a date, wherever it stands.

    None if the year comes first, or between points: 3.4.2024 has its day first everywhere.
    """
    numeric, year_first = _NUMERIC.search(given), _YEAR_FIRST.search(given)
    if numeric is None or (year_first is not None and year_first.start() < numeric.start()):
        return None
    if "." in numeric[2] and "." in numeric[4]:
        return None
    return int(numeric[1]), int(numeric[3])


def _parsed(given: str, order: Order) -> datetime | None:
    import dateparser

    settings: Any = {
        "DATE_ORDER": order,
        "PREFER_LOCALE_DATE_ORDER": False,
        "REQUIRE_PARTS": ["day", "month", "year"],
        "PARSERS": ["absolute-time"],  # nothing that depends on today
        "RELATIVE_BASE": datetime(2000, 1, 1),
    }
    found: datetime | None = dateparser.parse(given, languages=_LANGUAGES, settings=settings)
    offset = found.utcoffset() if found is not None else None
    if found is None or offset is None:
        return found
    return found.replace(tzinfo=timezone(offset))  # what the text says, without their own class
