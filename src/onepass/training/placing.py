"""Directories that stand at their place whole or not at all, whenever a process is killed.

What is made, or has to go, has a hidden name. This module does not know what is in a directory.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

# Others may keep things of their own beside a run: the names are such as nobody gives.
_NEW, _OLD, _DROPPED = ".onepass-new-", ".onepass-old-", ".onepass-dropped-"
_HIDDEN = re.compile(r"(\.onepass-(?:new|old|dropped-[0-9]+)-)(.+)")


@contextmanager
def made(place: Path) -> Iterator[Path]:
    """Give a directory, yet to be made, that takes a place when the block ends well.

    What stands at the place goes once the new one is there. If the block fails, or the new one
    cannot be put there, nothing is left of it and the old one stays.
    """
    new, old = (place.with_name(f"{prefix}{place.name}") for prefix in (_NEW, _OLD))
    shutil.rmtree(new, ignore_errors=True)
    try:
        yield new
        if place.exists():
            if old.exists():
                dropped(old)
            place.rename(old)
        try:
            new.rename(place)
        except OSError:
            if old.exists():
                old.rename(place)
            raise
        if old.exists():
            dropped(old)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def dropped(place: Path) -> None:
    """Remove a directory; what somebody holds open stays, hidden, for `recovered` to remove."""
    name = place.name.removeprefix(_OLD)
    hidden = (place.with_name(f"{_DROPPED}{number}-{name}") for number in count())
    with suppress(OSError):  # a reader has it; whoever makes a directory shall not fail for that
        gone = place.rename(next(path for path in hidden if not path.exists()))
        shutil.rmtree(gone, ignore_errors=True)


def copied(source: Path, target: Path, *, without: Collection[str]) -> None:
    """Copy a directory but for files of some names; the first that cannot be copied is an error."""
    for path in sorted(source.rglob("*")):
        if path.is_file() and path.name not in without:
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def recovered(directory: Path, places: re.Pattern[str]) -> None:
    """Remove what a killed process left, but bring back what it was about to replace.

    Args:
        directory: where it worked.
        places: the names of the directories that it makes there; nothing else is touched.
    """
    for left in sorted(directory.iterdir()):
        match = _HIDDEN.fullmatch(left.name)
        is_ours = match is not None and places.fullmatch(match[2]) is not None
        if match is None or not is_ours or not left.is_dir() or left.is_symlink():
            continue
        place = left.with_name(match[2])
        if match[1] != _OLD:
            shutil.rmtree(left, ignore_errors=True)
        elif place.exists():
            dropped(left)  # in one step: what has the name of an old one is whole
        else:
            left.rename(place)
