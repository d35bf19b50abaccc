"""A directory of kept things that does not grow for good: what was not used for longest goes first.

A thing is a directory; when it was used is the time of access of one of its files, which is set
when it is opened, so that it does not depend on how the disk is mounted. Where a library of others
keeps single files, which it does not name, the time is what the disk says: of the last access, or
of the last change where a disk does not tell. Several processes may use and prune one cache: a
thing is moved aside in one step before it is removed, and what a process has mapped into memory
stays until it lets go. It does not know what is kept.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

IN_USE = 3600.0  # seconds after which a thing is taken to be out of use
_LEFT = 86400.0  # seconds after which what a killed process left half-made is removed
_ASIDE = "."  # what names begin with that are no things (any more)


@dataclass(frozen=True, slots=True)
class _Kept:
    """A thing with its bytes, and the time when it was last used in seconds."""

    place: Path
    size: int
    used: float


def mark_used(file: Path) -> None:
    """Say that a thing is used now, by a file of it; nothing if that cannot be written.

    Args:
        file: always the same one of a thing.
    """
    with suppress(OSError):
        os.utime(file, ns=(time.time_ns(), file.stat().st_mtime_ns))


def prune(cache: Path, marked: str, most: int) -> None:
    """Remove what was not used for longest until the rest is small enough.

    What was used within the last hour stays, even if that alone is larger.

    Args:
        cache: directory of things; others may use and prune it at the same time.
        marked: the name of the file whose access says when a thing was used.
        most: bytes that all of them may take.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for number, name in enumerate("ab"):
    ...         Path(folder, name).mkdir()
    ...         _ = Path(folder, name, "file").write_bytes(bytes(100))
    ...         os.utime(Path(folder, name, "file"), (number, number))
    ...     prune(Path(folder), "file", most=150)
    ...     os.listdir(folder)
    ['b']
    """
    now = time.time()
    for one in _superfluous(_kept(cache, marked, now), most, now):
        _remove(one.place)


def prune_files(cache: Path, pattern: str, most: int) -> None:
    """Remove the files that were not used for longest until the rest is small enough.

    What was used within the last hour stays, even if that alone is larger.

    Args:
        cache: directory of files that a library keeps; others may use it at the same time.
        pattern: of the names of those files; others are left alone.
        most: bytes that all of them may take.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     for number, name in enumerate(("a.blob", "b.blob", "note")):
    ...         _ = Path(folder, name).write_bytes(bytes(100))
    ...         os.utime(Path(folder, name), (number, number))
    ...     prune_files(Path(folder), "*.blob", most=150)
    ...     sorted(os.listdir(folder))
    ['b.blob', 'note']
    """
    now = time.time()
    for one in _superfluous(_files(cache, pattern), most, now):
        with suppress(OSError):  # another process did, or (on Windows) uses it
            one.place.unlink()


def _superfluous(kept: Iterator[_Kept], most: int, now: float) -> Iterator[_Kept]:
    """Yield what has to go, that which was not used for longest first."""
    things = sorted(kept, key=lambda one: one.used)
    total = sum(one.size for one in things)
    for one in things:
        if total <= most or now - one.used < IN_USE:
            break
        yield one
        total -= one.size


def _files(cache: Path, pattern: str) -> Iterator[_Kept]:
    with suppress(OSError):  # the cache, or a file in it, may be gone meanwhile
        for place in list(cache.glob(pattern)):
            with suppress(OSError):
                state = place.stat()
                yield _Kept(place, state.st_size, max(state.st_atime, state.st_mtime))


def _kept(cache: Path, marked: str, now: float) -> Iterator[_Kept]:
    """Yield what is kept; what was left half-made long ago goes."""
    with suppress(OSError):  # the cache, or a thing in it, may be gone meanwhile
        for place in list(cache.iterdir()):
            with suppress(OSError):
                if not place.is_dir():
                    continue
                if place.name.startswith(_ASIDE):
                    if now - place.stat().st_mtime > _LEFT:
                        shutil.rmtree(place, ignore_errors=True)
                    continue
                size = sum(file.stat().st_size for file in place.iterdir())
                yield _Kept(place, size, (place / marked).stat().st_atime)


def _remove(place: Path) -> None:
    """Remove a thing, in one step for those who look for it."""
    aside = place.with_name(f"{_ASIDE}{place.name}-{uuid4().hex}")
    with suppress(OSError):  # another process did, or (on Windows) uses it
        place.rename(aside)
    shutil.rmtree(aside, ignore_errors=True)
