"""Packages whose public names are loaded when they are used. It knows none of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module

Homes = Mapping[str, Sequence[str]]


def public(package: str, homes: Homes) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: its name.
        homes: the public names of each module that they come from; a module that begins with a dot
            is one of the package.

    >>> get, names = public("onepass.text", {".words": ["split_words"]})
    >>> get("split_words")("Tim Cook").forms(), names()
    (['Tim', 'Cook'], ['split_words'])
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        value = getattr(import_module(home_of[name], package), name)
        setattr(sys.modules[package], name, value)  # the next use finds it without coming here
        return value

    return get, lambda: sorted(home_of)
