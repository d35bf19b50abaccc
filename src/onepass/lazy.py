"""Packages whose public names are loaded when they are used. It knows none of them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import NamedTuple

Homes = Mapping[str, Sequence[str]]


class Needs(NamedTuple):
    """What a package needs beside the base install.

    Attributes:
        feature: the beginning of the sentence that asks for it, such as "The service".
        extra: the name of the extra.
        packages: the names under which its packages are imported.
    """

    feature: str
    extra: str
    packages: tuple[str, ...]


def public(
    package: str, homes: Homes, needs: Needs | None = None
) -> tuple[Callable[[str], object], Callable[[], list[str]]]:
    """Return ``__getattr__`` and ``__dir__`` of a package.

    Args:
        package: the name of the package.
        homes: the public names of each module that they come from; a module that begins with a dot
            is one of the package.
        needs: the extra that some of the modules need, if there is one; where it is not installed,
            ``__getattr__`` raises `MissingExtra` for a name from them.

    >>> get, names = public("onepass.text", {".words": ["split_words"]})
    >>> get("split_words")("Tim Cook").forms(), names()
    (['Tim', 'Cook'], ['split_words'])
    """
    home_of = {name: module for module, names in homes.items() for name in names}

    def get(name: str) -> object:
        if name not in home_of:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        try:
            home = import_module(home_of[name], package)
        except ModuleNotFoundError as error:
            if needs is None or error.name not in needs.packages:
                raise
            from onepass.errors import MissingExtra  # importing onepass loads no errors

            raise MissingExtra(needs.feature, needs.extra) from error
        value = getattr(home, name)
        setattr(sys.modules[package], name, value)  # the next use finds it without coming here
        return value

    return get, lambda: sorted(home_of)
