"""Files that several processes and users meet at: one at a time, and with the usual rights."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

if sys.platform != "win32":
    import fcntl


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[bool]:
    """Let only one process at a time do what follows; nobody waits where nothing can be locked.

    The lock ends with its process, however that ends. Threads of one process wait, too.

    Args:
        lock: a file that is made if it is not there, and stays; its directory is there.

    Returns:
        A context that says whether there is a lock.
    """
    if sys.platform == "win32":
        yield False
        return
    try:
        file = lock.open("ab")
    except OSError:
        yield False
        return
    with file:
        is_locked = False
        with suppress(OSError):  # of file systems without locks
            fcntl.flock(file, fcntl.LOCK_EX)
            is_locked = True
        yield is_locked


@contextmanager
def usual_rights(path: Path) -> Iterator[None]:
    """Give a file that is written meanwhile the rights that a new one has, or those it had.

    For libraries that write a temporary file, which its owner alone may read, and rename it.

    Args:
        path: of the file.

    Raises:
        OSError: if it cannot be written.
    """
    is_new = not path.exists()
    path.touch()
    mode = stat.S_IMODE(path.stat().st_mode)
    try:
        yield
    except BaseException:
        if is_new:
            path.unlink(missing_ok=True)
        raise
    path.chmod(mode)
