"""Directories in onepass's own cache that are made once: whole or not there.

Several processes may make the same one at a time, as those of a server that starts. This module
does not know what is in them.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub.atomic import replacing


def assembled(place: Path, write: Callable[[Path], None]) -> Path:
    """Return a directory, written first if it is not there.

    Args:
        place: where it is, or shall be.
        write: fills an empty directory.

    Raises:
        CheckpointError: if it cannot be written.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     place = assembled(Path(folder, "made"), lambda new: Path(new, "a").touch())
    ...     [path.name for path in place.iterdir()]
    ['a']
    """
    if place.is_dir():
        return place
    try:
        with replacing(place, stays=_always) as new:
            write(new)
    except OSError as error:
        raise CheckpointError(
            f"The directory {place} cannot be written ({error.strerror or error}); make room, or "
            "set ONEPASS_CACHE to another place."
        ) from error
    return place


def _always(_: Path) -> bool:
    return True  # another process was a moment faster


def link(source: Path, target: Path) -> None:
    """Make a file known under a second path: by a link, or by a copy where there are no links."""
    try:
        target.symlink_to(source.absolute())
    except (OSError, NotImplementedError):  # a file system or an account without them
        if os.path.lexists(target):
            raise
        shutil.copyfile(source, target)
