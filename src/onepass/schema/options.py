"""The options of a call: their types, and one record of them that checks itself.

What they do is said in `onepass.Extractor.extract`. It knows nothing of schemas: whether a
threshold is for a name that is asked for is looked at where both are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from numbers import Real
from typing import Any, Literal, get_args

from onepass.errors import InputError
from onepass.schema.shown import shown

Threshold = float | Mapping[str, float] | None  # for everything, or by kind or name
Overlap = Literal["all", "nested", "label", "flat"]
OnLong = Literal["window", "error", "truncate"]
Solver = Literal["greedy", "exact"]
KNOWN: Mapping[str, tuple[str, ...]] = {
    "overlap": get_args(Overlap),
    "on_long": get_args(OnLong),
    "solver": get_args(Solver),
}


@dataclass(frozen=True, slots=True)
class CallOptions:
    """How a model is asked, whatever is asked of it.

    Attributes:
        threshold: least scores, as floats of Python; None for those of the checkpoint.
        overlap: which entities may share words.
        on_long: what happens to a text that is longer than the window.
        solver: how findings are chosen that rules join.

    Raises:
        InputError: for a threshold that is no number from 0 to 1, nor a mapping to such numbers,
            or a word that is not known.

    >>> CallOptions(1, "nested")
    CallOptions(threshold=1.0, overlap='nested', on_long='window', solver='greedy')
    >>> CallOptions(overlap="none")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: overlap 'none' is not known; all, nested, label, flat are.
    """

    threshold: Threshold = None
    overlap: Overlap = "flat"
    on_long: OnLong = "window"
    solver: Solver = "greedy"

    def __post_init__(self) -> None:
        object.__setattr__(self, "threshold", _threshold(self.threshold))
        words: Mapping[str, object] = {
            "overlap": self.overlap, "on_long": self.on_long, "solver": self.solver,
        }  # fmt: skip
        for name, word in words.items():
            known = KNOWN[name]
            if word not in known:
                raise InputError(f"{name} {shown(word)} is not known; {', '.join(known)} are.")

    def to_dict(self) -> dict[str, Any]:
        """Return them as plain values, by the names that a call has for them.

        >>> CallOptions(0.5).to_dict()
        {'threshold': 0.5, 'overlap': 'flat', 'on_long': 'window', 'solver': 'greedy'}
        """
        return asdict(self)


def _threshold(given: object) -> Threshold:
    if given is None:
        return None
    if not isinstance(given, Mapping):
        return unit_number(given, "threshold")
    for name in given:
        if not isinstance(name, str):
            raise InputError(
                f"threshold must be a number or numbers by name, but {shown(name)} was given as a "
                "name."
            )
    return {name: unit_number(one, f"threshold of {shown(name)}") for name, one in given.items()}


def unit_number(given: object, what: str) -> float:
    """Return a number of any library as one of Python.

    Raises:
        InputError: for what is no number from 0 to 1, by the name of what it is.

    >>> unit_number(1, "floor")
    1.0
    """
    # compared before it is converted: no float holds every whole number
    if isinstance(given, Real) and not isinstance(given, bool) and given <= 1 and not given < 0:
        return float(given)
    raise InputError(f"The {what} must be a number from 0 to 1, but {shown(given)} was given.")


DEFAULTS = CallOptions()
