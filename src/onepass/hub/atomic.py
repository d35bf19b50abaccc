"""Directories that stand at their place whole or not at all, whenever a process is killed.

What is made, what has to go, and what is about to be replaced has a hidden name beside its place,
such as nobody gives. Several processes, and users, may work at one place at a time. This module
does not know what is in a directory.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_OLD = "-old"  # ends the name of what stood at a place; others are half made or half removed
_HIDDEN = re.compile(rf"\.onepass-(.+)-[0-9a-f]{{32}}(?:{_OLD})?")
_TAKEN = (errno.ENOTEMPTY, errno.EEXIST)  # why a directory cannot be renamed to another one
_LEFT = 86400.0  # seconds after which nobody is at work any more on what is half made


@contextmanager
def staged(place: Path, *, inside: bool = False) -> Iterator[Path]:
    """Give an empty directory under a hidden name; what is in it at the end of the block goes.

    What processes left there that were killed goes, too.

    Args:
        place: where its content shall be.
        inside: whether it is made inside of the place, which may be a disk of its own, and not
            beside it.

    Raises:
        OSError: if it cannot be made.
    """
    place = place.absolute()
    named = place / place.name if inside else place
    new = _beside(named)
    with suppress(OSError):  # others may do the same; what is left now is there the next time
        recover(named.parent, re.compile(re.escape(named.name)), alone=False)
    try:
        new.mkdir(parents=True)
        yield new
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _never(_: Path) -> bool:
    return False


@contextmanager
def replacing(place: Path, *, stays: Callable[[Path], bool] = _never) -> Iterator[Path]:
    """Give an empty directory that takes a place when the block ends well.

    If the block fails, or the new one cannot be put there, nothing is left of it and what stands
    there stays.

    Args:
        place: of the directory.
        stays: says of the new directory whether what stands at the place is kept in its stead,
            such as what another process has put there in the meantime.

    Raises:
        OSError: if it cannot be made, or put there.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     with replacing(Path(folder, "made")) as new:
    ...         Path(new, "a").touch()
    ...     [path.relative_to(folder).as_posix() for path in Path(folder).rglob("*")]
    ['made', 'made/a']
    """
    with staged(place) as new:
        yield new
        _put(new, place, stays)


def put_files(new: Path, place: Path, *, last: str) -> None:
    """Move the files of a directory into another one, in place of those of the same names.

    Args:
        new: on the same disk; holds directories alone thereafter.
        place: is made if it is not there.
        last: name of the file without which the others are not taken for anything.

    Raises:
        OSError: if one of them cannot be moved.
    """
    files = [path for path in new.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == last):
        target = place / path.relative_to(new)
        target.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, target)


def drop(place: Path) -> None:
    """Remove a directory; what somebody holds open stays, hidden, for `recover` to remove."""
    _drop(place, _beside(place))


def recover(directory: Path, names: re.Pattern[str], *, alone: bool) -> None:
    """Remove what killed processes left, but bring back what they were about to replace.

    Args:
        directory: where they worked.
        names: the names of the places there; what belongs to others is not touched.
        alone: whether nobody else is at work there. Otherwise what is half made stays for a day.

    Raises:
        OSError: if it cannot be read, something cannot be brought back, or another process does
            the same.
    """
    for left, name in _left(directory):
        place = left.with_name(name)
        if names.fullmatch(name) is None or not left.is_dir() or left.is_symlink():
            continue
        if not left.name.endswith(_OLD):
            if alone or time.time() - _written(left) >= _LEFT:
                shutil.rmtree(left, ignore_errors=True)
        elif place.exists():
            _drop_old(left)
        else:
            left.rename(place)


def _put(new: Path, place: Path, stays: Callable[[Path], bool]) -> None:
    """Rename a directory to a place, and remove what stood there unless it ``stays``.

    A directory cannot be renamed to one that holds something. That one is renamed first, not
    emptied: at any moment there is a whole one there, or for the time of a call none. If the new
    one cannot take its place, it comes back.
    """
    old: list[Path] = []
    try:
        while True:
            try:
                new.rename(place)
                return
            except OSError as error:
                is_taken = place.is_dir()  # if not, another process may have moved it just now
                if place.is_file() or not (is_taken or error.errno in _TAKEN):
                    raise
            if is_taken and stays(new):
                return
            hidden = _beside(place)
            old.append(hidden.with_name(f"{hidden.name}{_OLD}"))
            with suppress(FileNotFoundError):  # another process has moved it
                place.rename(old[-1])
    finally:
        for one in reversed(old):
            if not place.exists():
                with suppress(OSError):  # another process was faster, or it is held: it stays
                    one.rename(place)
            if place.exists():
                _drop_old(one)


def _drop_old(old: Path) -> None:
    _drop(old, old.with_name(old.name.removesuffix(_OLD)))


def _drop(place: Path, hidden: Path) -> None:
    """Remove a directory in one step: what has the name of a place, or of an old one, is whole."""
    with suppress(OSError):  # a reader has it; whoever makes a directory shall not fail for that
        place.rename(hidden)
        shutil.rmtree(hidden, ignore_errors=True)


def _beside(place: Path) -> Path:
    """Return a new hidden name in the same directory."""
    return place.with_name(f".onepass-{place.name}-{uuid4().hex}")


def _left(directory: Path) -> list[tuple[Path, str]]:
    """Return what has a hidden name, with the name of its place.

    The newest is first: of several that stood at one place, that one comes back.
    """
    paths = ((path, _HIDDEN.fullmatch(path.name)) for path in directory.iterdir())
    left = [(path, match[1]) for path, match in paths if match]
    return sorted(left, key=lambda one: one[0].lstat().st_mtime_ns, reverse=True)


def _written(directory: Path) -> float:
    """Return when something in a directory was last written."""
    return max(path.lstat().st_mtime for path in (directory, *directory.rglob("*")))
