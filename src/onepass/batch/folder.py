"""The folder where a job is kept until it is done: made, ours alone, locked, and on disk.

It does not know what is in its files.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from onepass.errors import InputError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

ROWS = "rows"
JOURNAL = "journal"
RESULT = "result"  # the finished file, where results have to be converted
_NAMES = {ROWS, JOURNAL, RESULT}
_OWNER = 0o700  # results hold texts
_TRIES = 10  # to lock a journal that other jobs remove
_LOCKED = 2**31 - 2  # the byte that is locked on Windows, where none can read what is locked


def folder_of(output: Path) -> Path:
    """Return the folder of the job of an output, through links; it need not be there.

    >>> folder_of(Path("/data/found.jsonl")).name
    'found.jsonl.job'
    """
    place = os.path.realpath(output)
    return Path(f"{place}.job")


def locked(folder: Path) -> BinaryIO:
    """Open the journal of a job for this process alone; folder and file are made if need be.

    Raises:
        InputError: if the folder is something else, another user's, used by a job that runs now, or
            cannot be written.
    """
    is_new = not os.path.lexists(folder)
    try:
        return _locked(folder)
    except BaseException:
        if is_new:
            with suppress(OSError):  # what is in it stays
                folder.rmdir()
        raise


def _locked(folder: Path) -> BinaryIO:
    for _ in range(_TRIES):
        with writing(folder, "give another output"):
            _make(folder)
            file = opened(folder / JOURNAL)
        try:
            _lock(file, folder)
            if _is_at(file, folder / JOURNAL):
                return file
        except BaseException:
            file.close()
            raise
        file.close()  # the job that had it ended meanwhile, and removed it
    raise InputError(
        f"{folder / JOURNAL} was another file each of {_TRIES} times that it was opened, so that "
        "this job cannot have it alone; give another output, on another disk if no other job "
        "writes to this one."
    )


@contextmanager
def writing(folder: Path, advice: str) -> Iterator[None]:
    """Say in one sentence what the system says about a folder.

    Args:
        folder: that is written to meanwhile.
        advice: what to do if it cannot be.

    Raises:
        InputError: if it cannot be.
    """
    try:
        yield
    except OSError as error:
        raise InputError(f"{folder} cannot be written: {error.strerror}; {advice}.") from error


def opened(path: Path) -> BinaryIO:
    """Open a file for reading and writing, made if it is not there."""
    path.touch()
    return path.open("r+b")


def sync(file: BinaryIO) -> None:
    """Make sure that what was written to a file is on disk."""
    file.flush()
    os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make sure that names in a folder are on disk."""
    if sys.platform != "win32":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _make(folder: Path) -> None:
    """Make the folder of a job, or refuse one that is another user's or holds something else."""
    folder.mkdir(_OWNER, exist_ok=True)
    with tempfile.TemporaryFile(dir=folder.parent) as own:  # a network may give it another owner
        owner = os.fstat(own.fileno()).st_uid
    _check_own(folder, owner)
    others = {file.name for file in folder.iterdir()} - _NAMES
    other = min((name for name in others if not name.startswith(".")), default=None)
    if other is not None:
        raise InputError(
            f"{folder} is where the job would be kept until it is done, but it holds {other!r}; "
            "move it away, or give another output."
        )
    with suppress(OSError):  # of file systems without modes
        folder.chmod(_OWNER)
    for file in folder.iterdir():
        if file.name in _NAMES:
            _check_own(file, owner)


def _check_own(path: Path, owner: int) -> None:
    """Refuse what others put where texts are kept: they could read them, or lead them anywhere."""
    where = f"{path} is where the job would be kept until it is done"
    if path.is_symlink():
        raise InputError(f"{where}, but it is a link; delete it, or give another output.")
    if path.lstat().st_uid != owner:
        raise InputError(
            f"{where}, but another user made it; if the job is yours, make the user who runs this "
            "the owner of the folder (chown -R), otherwise delete it, or give another output."
        )


def _is_at(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _lock(file: BinaryIO, folder: Path) -> None:
    """Refuse a folder that another process writes to; the lock ends with its process."""
    try:
        if sys.platform == "win32":
            file.seek(_LOCKED)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            file.seek(0)
        else:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:  # the second on Windows
        raise InputError(
            f"The job in {folder} is running now; wait for it, or give another output."
        ) from error
