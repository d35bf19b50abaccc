"""Mappings that nobody can change.

It knows nothing about what they hold.
"""

from __future__ import annotations

from typing import Any, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that stays as it was made, so that it can be hashed, pickled and copied.

    >>> one, same = FrozenDict({"a": 1, "b": 2}), FrozenDict({"b": 2, "a": 1})
    >>> one == same, hash(one) == hash(same)
    (True, True)
    >>> one["a"] = 3
    Traceback (most recent call last):
    ...
    TypeError: A result cannot be changed; change what to_dict() returns, and read that back.
    """

    __slots__ = ()

    def _refuse(self, *_: object, **__: object) -> NoReturn:
        raise TypeError(
            "A result cannot be changed; change what to_dict() returns, and read that back."
        )

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(frozenset(self.items()))

    def __reduce__(self) -> tuple[Any, ...]:
        # A dict is filled item by item when it is unpickled, which this one refuses.
        return FrozenDict, (dict(self),)
