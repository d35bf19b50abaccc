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
_ISO = re.compile(r"[\dWw-]{8,10}(?:[Tt ]\d\d:?\d\d.*)?")  # Python takes any sign for the T
# 3-7 May 2024, 03.05.-07.05.2024, 13-15/05/2024: of a range no day is the one that is meant.
_RANGE = re.compile(
    r"(?<![\d:.,/‐‑–−-])\d{1,2}(?:\.(?:\d{1,2}\.?)?)?\s?[‐‑–—−-]\s?\d{1,2}"
    r"(?:\.?\s?[^\W\d_]{3}|[./\s]\d{1,2}[./\s])"
)
_SHORT = re.compile(
    rf"(?<![\d:.,/‐‑–−-])(\d\d)({_BETWEEN})(\d{{1,2}}){_BETWEEN}(\d{{1,2}})(?![\d:]|[.,/-]\d)"
)
# What dateparser does not skip before a day: den 3. Mai 2024, il 3 maggio 2024, l'8 maggio 2024.
_ARTICLE = re.compile(r"(?<![^\W_])(?:(?:den|dem|il|el)\s+|l['’]\s?)(?=\d)", re.IGNORECASE)
# Nor behind the first of a month, and in a day of the week: 1º de maio de 2024, Thurs. 9 May 2024.
_ORDINAL = re.compile(r"(?<![^\W_])(\d{1,2})(?:\.?º|(?<=1)r?o(?=\sde\s))", re.IGNORECASE)
_WEEKDAY = re.compile(r"(?<![^\W_])(?:(thu)rs?|(wed)s)(?![^\W_])", re.IGNORECASE)
# Names of several zones: CST is -06:00 in Chicago, -05:00 in Havana, +08:00 in Beijing.
_SEVERAL_ZONES = re.compile(
    r"(?<![^\W\d_])(?:ACT|ADT|AMST|AMT|AST|BDT|BST|CCT|CDT|CST|ECT|ET|GST|IST|LHST|PST|PT|SST|WST)(?![^\W\d_])",
    re.IGNORECASE,
)
# An hour or minutes alone, which dateparser takes for the year of a date that has none.
_HOUR = re.compile(
    r"(?<![\d:.,/‐‑–−-])\d{1,2}\s?(?:Uhr|h|hrs?|uur|heures?|horas?|min(?:utes?|uten|uti)?)(?![^\W_])"
    r"|(?<![^\W_])(?:at|um|om|ore|alle|a las|à|às)\s+\d{1,2}(?=\s*(?:[,;]|$))",
    re.IGNORECASE,
)
_WEEK = re.compile(r"\d{4}-?[Ww]\d\d(?![\d-])")  # alone, which Python takes for its Monday
_LANGUAGES = ["en", "de", "fr", "es", "it", "pt", "nl"]
_HINT = "a date that is not ISO needs  pip install 'onepass[values]'"


def read_datetime(text: str, order: Order | None = None) -> datetime:
    """Return the moment that a text names; a date alone is its midnight.

    Args:
        text: a date, perhaps with a time.
        order: of the parts of a date in numbers.

    Raises:
        UnreadableError: if it is none, or not whole, or its day and month cannot be told apart, or
            its time zone has a name of several.

    >>> read_datetime("2024-05-03T10:30").isoformat()
    '2024-05-03T10:30:00'
    """
    moment = _read(text, order)
    zone = _SEVERAL_ZONES.search(text) if moment.utcoffset() is not None else None
    if zone is not None:
        raise UnreadableError(
            f"{text!r} may be read in several ways: {zone[0]} names several time zones."
        )
    return moment


def read_date(text: str, order: Order | None = None) -> date:
    """Return the day that a text names.

    Raises:
        UnreadableError: as `read_datetime` does, time zones aside.

    >>> read_date("2024-05-03")
    datetime.date(2024, 5, 3)
    """
    return _read(text, order).date()


def _read(text: str, order: Order | None) -> datetime:
    """Return the moment that a text names, with the offset that dateparser takes its zone for."""
    given = _ARTICLE.sub("", " ".join(text.split())).strip(" .,")
    given = _WEEKDAY.sub(r"\1\2", _ORDINAL.sub(r"\1", given))
    if _WEEK.match(given):
        raise UnreadableError(f"{text!r} is not a whole date.")
    if _ISO.fullmatch(given):
        try:
            return datetime.fromisoformat(given)
        except ValueError:
            pass
    is_no_day = any(not _is_day(*one.group(1, 3, 4)) for one in _YEAR_MONTH_DAY.finditer(given))
    if is_no_day or _RANGE.search(given):
        raise UnreadableError(f"{text!r} is not a whole date.")
    year_first = _is_year_first(text, given, order)
    numeric = None if year_first else _numeric(given)
    if numeric and order is None:
        first, second = numeric
        if first <= 12 and second <= 12 and first != second:
            raise _two_ways(text)
    if find_spec("dateparser") is None:
        raise UnreadableError(f"{text!r} cannot be read: {_HINT}.")
    told: Order = "MDY" if numeric and numeric[1] > 12 else "DMY"  # by the numbers themselves
    parts: Order = "YMD" if year_first else order or told
    found = _parsed(given, parts)
    without = _HOUR.sub(" ", given)
    if found is None or (without != given and _parsed(without, parts) is None):
        raise UnreadableError(f"{text!r} is not a whole date.")
    return found


def _is_day(year: str, month: str, day: str) -> bool:
    """Say whether there is such a day; dateparser would read 2024-13-01 as 13 January."""
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _two_ways(text: str) -> UnreadableError:
    return UnreadableError(
        f"{text!r} may be read in two ways; say the order of its parts (DMY, MDY or YMD)."
    )


def _is_year_first(text: str, given: str, order: Order | None) -> bool:
    """Return whether a year of two digits comes first, which no day can be: 87/05/03.

    Raises:
        UnreadableError: if it is a year but there is no such day, or may be a year or a day: those
            that are joined by dashes, as in 24-05-03.
    """
    short = _SHORT.search(given)
    if short is None:
        return False
    year, month, last = short.group(1, 3, 4)
    is_day = _is_day(f"20{year}", month, last)
    if not 0 < int(year) < 32:
        if not is_day:
            raise UnreadableError(f"{text!r} is not a whole date.")
        return True
    is_dashed = re.search("[‐‑–−-]", short[2]) is not None
    if order is None and is_dashed and is_day and len(last) == 2 and year != last:
        raise _two_ways(text)
    return False


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
