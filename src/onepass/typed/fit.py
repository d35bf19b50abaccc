"""How well a candidate fits the rules of its field; `onepass.typed.values` finds it out."""

from __future__ import annotations

from enum import IntEnum


class Fit(IntEnum):
    """How well a candidate fits the rules of its field."""

    REFUSED = 0  # breaks a bound, a length or the pattern
    UNREADABLE = 1  # breaks none, but cannot be read as the kind
    GOOD = 2
