"""How much of a text was read.

It knows counts, neither the text nor its windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.results.checks import check_object, check_whole


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was read of the text.

    Attributes:
        chars: length of the text in characters.
        chars_read: number of characters that the model read.
        windows: number of parts in which the text was read.
        truncated: whether some of the text was not read: it was cut, as ``on_long="truncate"``
            asks, or, whatever is asked, it has a word (also a run without a break, such as base64
            or a passage of Thai) with more pieces than a window takes, or with more characters
            than the tokenizer splits.

    >>> read = Coverage(chars=120, chars_read=90, windows=1, truncated=True)
    >>> f"{read.chars_read / read.chars:.0%} of the text was read"
    '75% of the text was read'
    """

    chars: int
    chars_read: int
    windows: int
    truncated: bool

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "chars", check_whole(self.chars, "'chars' of coverage"))
        put(self, "chars_read", check_whole(self.chars_read, "'chars_read' of coverage"))
        put(self, "windows", check_whole(self.windows, "'windows' of coverage"))
        if self.truncated not in (True, False):  # bool() would make true of "false"
            raise ValueError(
                f"'truncated' of coverage must be true or false, but {self.truncated!r:.60} was "
                "given."
            )
        put(self, "truncated", bool(self.truncated))
        if not 0 <= self.chars_read <= self.chars or self.windows < 0:
            raise ValueError(f"Coverage needs 0 <= chars_read <= chars and windows >= 0: {self}.")
        if self.chars_read and not self.windows:
            raise ValueError(f"Coverage needs a window if characters were read: {self}.")


def coverage_from(given: object) -> Coverage:
    """Return the coverage that was written as plain values.

    Raises:
        ValueError: if it is no object, or a value is wrong.
        KeyError: if a value is missing.

    >>> coverage_from({"chars": 3, "chars_read": 3, "windows": 1, "truncated": False}).windows
    1
    """
    held: Mapping[str, Any] = check_object(given, "'coverage'")
    return Coverage(held["chars"], held["chars_read"], held["windows"], held["truncated"])
