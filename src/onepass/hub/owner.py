"""Whose a file is: what others put into a shared cache is not taken for ours."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def is_ours(*paths: Path) -> bool:
    """Say whether all of these files and directories belong to this user or to root.

    Systems without owners say yes; of a link it is the owner of the link.

    Raises:
        OSError: if one is not there, or may not be looked at.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     is_ours(Path(folder))
    True
    """
    if sys.platform == "win32":
        return True
    return all(path.lstat().st_uid in (0, os.geteuid()) for path in paths)
