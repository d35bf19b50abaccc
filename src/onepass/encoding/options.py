"""Values of a published configuration, read strictly: what is wrong is refused by its name.

It knows no architecture.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError

# More than any published network has: a typing error must not end in a table that fits nowhere.
LAYERS = 1_000
SIZE = 65_536  # numbers of a vector, heads
ROWS = 16_777_216  # of a table of pieces or positions
WIDTH = 1_000  # words of a span: scores are computed for each width
_ABSENT: Any = object()
_REFUSED: Any = object()


@dataclass(frozen=True, slots=True)
class Options:
    """A configuration, and what messages call it.

    Every reader takes the key, what an absent key means (without that the key must be there), and
    what null means (without that it is refused, as nearly everywhere in transformers).

    Attributes:
        config: as it was read.
        owner: what messages call its owner, such as "this GLiNER checkpoint".

    >>> options = Options({"max_width": 12, "dropout": "no"}, "this checkpoint")
    >>> options.whole("max_width", 8, least=1)
    12
    >>> options.number("dropout", 0.1)
    Traceback (most recent call last):
    onepass.errors.CheckpointError: dropout of this checkpoint must be a number, but 'no' was ...
    """

    config: Mapping[str, Any]
    owner: str

    def whole(
        self,
        key: str,
        default: int = _ABSENT,
        *,
        null: int = _REFUSED,
        least: int | None = None,
        most: int | None = None,
    ) -> int:
        """Return a whole number.

        Args:
            key: of the value.
            default: of an absent key.
            null: what null means.
            least: that it may be.
            most: likewise.

        Raises:
            CheckpointError: for anything else.
        """
        found = self._found(key, default, null)
        if type(found) is int and _within(found, least, most):
            return found
        raise self.wrong(key, f"a whole number{_range(least, most)}", found)

    def number(
        self,
        key: str,
        default: float = _ABSENT,
        *,
        null: float = _REFUSED,
        least: float | None = None,
        most: float | None = None,
    ) -> float:
        """Return a finite number; the arguments are those of `whole`.

        Raises:
            CheckpointError: for anything else.
        """
        found = self._found(key, default, null)
        if type(found) in (int, float) and _within(found, least, most):
            try:
                number = float(found)
            except OverflowError:  # a whole number of 400 digits
                number = math.inf
            if math.isfinite(number):
                return number
        raise self.wrong(key, f"a number{_range(least, most)}", found)

    def share(self, key: str, default: float = _ABSENT, *, null: float = _REFUSED) -> float:
        """Return a number from 0 to 1, such as a dropout.

        Raises:
            CheckpointError: for anything else.
        """
        return self.number(key, default, null=null, least=0, most=1)

    def flag(self, key: str, default: bool = _ABSENT, *, null: bool = _REFUSED) -> bool:
        """Return true or false; the words "true" and "false" are neither.

        Raises:
            CheckpointError: for anything else.
        """
        found = self._found(key, default, null)
        if isinstance(found, bool):
            return found
        raise self.wrong(key, "true or false", found)

    def text(self, key: str, default: str = _ABSENT, *, null: str = _REFUSED) -> str:
        """Return a string.

        Raises:
            CheckpointError: for anything else.
        """
        found = self._found(key, default, null)
        if isinstance(found, str):
            return found
        raise self.wrong(key, "a string", found)

    def one_of(
        self, key: str, known: Iterable[str], default: str = _ABSENT, *, null: str = _REFUSED
    ) -> str:
        """Return one of some names.

        Raises:
            CheckpointError: for anything else.
        """
        found, names = self._found(key, default, null), list(known)
        if isinstance(found, str) and found in names:
            return found
        raise CheckpointError(
            f"{key} {found!r:.80} of {self.owner} is not known; {', '.join(names)} are."
        )

    def mapping(self, key: str) -> Mapping[str, Any] | None:
        """Return a JSON object; None where the key is absent or null.

        Raises:
            CheckpointError: for anything else.
        """
        found = self.config.get(key)
        if found is None or isinstance(found, Mapping):
            return found
        raise self.wrong(key, "an object", found)

    def wrong(self, key: str, expected: str, found: object) -> CheckpointError:
        """Return the error for a value that is something else than it should be."""
        said = f"but {found!r:.60} was found" if key in self.config else "but it is not there"
        return CheckpointError(
            f"{key} of {self.owner} must be {expected}, {said}; correct it in its configuration, "
            "or download it again."
        )

    def _found(self, key: str, default: Any, null: Any) -> Any:
        found = self.config.get(key, None if default is _ABSENT else default)
        return null if found is None and null is not _REFUSED and key in self.config else found


def _within(number: float, least: float | None, most: float | None) -> bool:
    return (least is None or number >= least) and (most is None or number <= most)


def _range(least: float | None, most: float | None) -> str:
    if least is None:
        return "" if most is None else f" up to {most:,}"
    return f" from {least:,} up" if most is None else f" from {least:,} to {most:,}"
