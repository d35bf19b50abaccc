"""Rules that bound a value from both sides: whether anything lies between them.

It knows the names of rules and their values, not the class that holds them.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from onepass.errors import SchemaError
from onepass.schema.shown import shown

_ENDS = (
    ("ge", "le"), ("ge", "lt"), ("gt", "le"), ("gt", "lt"),
    ("min_length", "max_length"), ("min_items", "max_items"),
)  # fmt: skip


def check_ends(rules: Mapping[str, Any], *, dated: bool) -> None:
    """Refuse a least value above the greatest: nothing would fit.

    Args:
        rules: each right by itself, by their names; None is no rule.
        dated: whether bounds are dates as ISO text.

    Raises:
        SchemaError: naming the two rules.

    >>> check_ends({"ge": 5, "le": 3}, dated=False)
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: Nothing fits both ge 5 and le 3; raise le or lower ge.
    """
    for low, high in _ENDS:
        least, most = rules.get(low), rules.get(high)
        if least is None or most is None:
            continue
        first, last = _number(least, dated=dated), _number(most, dated=dated)
        if first > last or (first == last and (low == "gt" or high == "lt")):
            raise SchemaError(
                f"Nothing fits both {low} {shown(least)} and {high} {shown(most)}; raise {high} or "
                f"lower {low}."
            )


def seconds(moment: datetime) -> Decimal:
    """Return seconds since year 1; a moment without a zone counts as UTC.

    >>> seconds(datetime(1, 1, 2))
    Decimal('86400')
    """
    span = moment.replace(tzinfo=None) - datetime.min
    span -= moment.utcoffset() or timedelta()
    return Decimal(span.days) * 86400 + span.seconds + Decimal(span.microseconds) / 1_000_000


def _number(value: float | str, *, dated: bool) -> Decimal:
    if dated and isinstance(value, str):
        return seconds(datetime.fromisoformat(value))
    # A float as it is written: 0.1 is not a binary fraction. An int may be too long to be written.
    return Decimal(value if isinstance(value, int) else str(value))
