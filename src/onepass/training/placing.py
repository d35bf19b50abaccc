"""Directories that stand at their place whole or not at all, whenever a process is killed.

What is made, or has to go, has a hidden name. This module does not know what is in a directory.
"""

from __future__ import annotations

import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

_NEW, _OLD, _DROPPED = ".new-", ".old-", ".dropped-"


@contextmanager
def made(place: Path) -> Iterator[Path]:
    """Give a directory, yet to be made, that takes a place when the block ends well.

    What stands at the place goes once the new one is there. If the block fails, nothing is left of
    the new one.
    """
    new = place.with_name(f"{_NEW}{place.name}")
    shutil.rmtree(new, ignore_errors=True)
    try:
        yield new
        old = _renamed(place, _OLD) if place.exists() else None
        new.rename(place)
        if old is not None:
            shutil.rmtree(old)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def dropped(place: Path) -> None:
    """Remove a directory."""
    shutil.rmtree(_renamed(place, _DROPPED))


def copied(source: Path, target: Path, *, without: Collection[str]) -> None:
    """Copy a directory but for files of some names; the first that cannot be copied is an error."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.name not in without:
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def recovered(directory: Path) -> None:
    """Remove what a killed process left, but bring back what it was about to replace."""
    for old in directory.glob(f"{_OLD}*"):
        place = old.with_name(old.name.removeprefix(_OLD))
        if not place.exists():
            old.rename(place)
    for prefix in (_NEW, _OLD, _DROPPED):
        for left in directory.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)


def _renamed(place: Path, prefix: str) -> Path:
    """Rename a directory to a hidden name beside it, and return that."""
    hidden = place.with_name(f"{prefix}{place.name}")
    shutil.rmtree(hidden, ignore_errors=True)
    place.rename(hidden)
    return hidden
