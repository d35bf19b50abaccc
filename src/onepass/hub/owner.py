"""Whose a file is: what others put, or may put, into a shared cache is not taken for ours."""

from __future__ import annotations

import os
import stat
import sys
from pathlib import Path

OWNER = 0o700  # rights of a directory that nobody else may look into


def is_ours(*paths: Path) -> bool:
    """Say whether all of these files and directories belong to this user or to root.

    Nor may others write to a directory; a group may, which often is that of one user alone. Systems
    without owners say yes; of a link it is the owner of the link.

    Raises:
        OSError: if one is not there, or may not be looked at.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     is_ours(Path(folder))
    True
    """
    if sys.platform == "win32":
        return True
    states = [path.lstat() for path in paths]
    return all(one.st_uid in (0, os.geteuid()) for one in states) and not any(
        stat.S_ISDIR(one.st_mode) and one.st_mode & stat.S_IWOTH for one in states
    )
