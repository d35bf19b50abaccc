"""What counts as a number where one is given: true and false do not, nor what no float holds.

It knows nothing about what the numbers are for.
"""

from __future__ import annotations

import sys
from typing import TypeGuard


def is_finite(value: object) -> TypeGuard[int | float]:
    """Return whether a value is a finite number; of whole ones, one that a float can be.

    >>> is_finite(0.5), is_finite(True), is_finite(float("inf")), is_finite(10**400)
    (True, False, False, False)
    """
    if not isinstance(value, int | float) or isinstance(value, bool):
        return False
    return abs(value) <= sys.float_info.max


def is_whole(value: object, least: int, most: float = float("inf")) -> bool:
    """Return whether a value is a whole number from ``least`` to ``most``.

    >>> is_whole(3, 1), is_whole(3.0, 1), is_whole(True, 1), is_whole(3, 1, most=2)
    (True, False, False, False)
    """
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
