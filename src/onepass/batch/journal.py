"""The journal of an unfinished job: what is done of it, so that it can be killed at any moment.

Results are added to one file, and a line in the journal says how long that file is after each
chunk. A line is written once the results before it are on disk, so what the last whole line says
holds; whatever else is in the file is cut off when the job goes on. It does not know what is in the
results, nor whose their folder is.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

from onepass.batch.folder import (
    JOURNAL,
    RESULT,
    ROWS,
    locked,
    opened,
    sync,
    sync_folder,
    writing,
)
from onepass.batch.rows import START, Position
from onepass.errors import InputError

_DIGEST = re.compile("[0-9a-f]{64}")
INPUT, STREAM = "input", "a stream"  # what tells the input in an identity; the one of all streams
_FINISHED = {"finished": True}


@dataclass(frozen=True, slots=True)
class Done:
    """What is done of a job.

    Args:
        source: see `Position`.
        number: see `Position`.
        rows: how many rows that is.
        failed: how many of them failed.
        truncated: how many texts of the others were not read whole.
        size: bytes of results.
        bytes_read: of the input, about.
    """

    source: int = 0
    number: int = 0
    rows: int = 0
    failed: int = 0
    truncated: int = 0
    size: int = 0
    bytes_read: int = 0

    @property
    def position(self) -> Position:
        """Return where reading goes on."""
        return Position(self.source, self.number)


def begun_as(folder: Path) -> Mapping[str, Any]:
    """Return the identity of an unfinished job; nothing if there is none that can be read.

    Whose the folder is, and whether the job may go on, is checked where it does.
    """
    journal = folder / JOURNAL
    if not os.path.isfile(journal):  # nor in a place that may not be entered
        return {}
    try:
        with journal.open("rb") as file:
            return dict(json.loads(file.readline()))
    except (OSError, TypeError, ValueError, RecursionError):
        return {}


class Journal:
    """The folder of an unfinished job, open for adding to it; use it as a context.

    Args:
        folder: beside the output.
        identity: what the job is; only the same one may go on.
        resume: whether to go on with what is there.

    Attributes:
        done: what is done of the job.
        is_finished: whether all of it is.
        advice: what to do once it could not be written.

    Raises:
        InputError: if there is an unfinished job that must not be lost or cannot go on, or one that
            runs now, or if the folder is something else, another user's, or cannot be written.
    """

    def __init__(self, folder: Path, identity: Mapping[str, Any], *, resume: bool) -> None:
        self._folder = folder
        self.done = Done()
        self.is_finished = False
        streamed = identity.get(INPUT) == STREAM
        self.advice = (
            "what was found stays there, but a stream cannot be read again: give another output"
            if streamed
            else "resume=True (--resume) goes on from there"
        )
        self._rows: BinaryIO | None = None
        self._journal = locked(folder)
        may_remove = False
        try:
            begun = self._read()
            may_remove = True  # it is of a job, and of no other process
            if begun is not None and not resume and self.done.rows:
                raise InputError(_unfinished(folder, self.done.rows, begun))
            if begun is not None and resume:
                _check_same(begun, identity, folder)
            with writing(folder, "give another output"):
                if begun is None or not resume:
                    self._begin(identity)
                if not self.is_finished:
                    self._rows = self._open_rows()
        except BaseException:
            self.close(remove=may_remove and not self.done.rows)
            raise

    def _read(self) -> Mapping[str, Any] | None:
        """Take over what the whole lines of the journal say, and return the identity."""
        raw = self._journal.read()
        whole = raw[: raw.rfind(b"\n") + 1]
        self._journal.seek(len(whole))
        self._journal.truncate()
        if not whole:
            return None
        try:
            identity, *lines = [dict(json.loads(line)) for line in whole.splitlines()]
            entries = [Done(**line) for line in lines if line != _FINISHED]
        except (TypeError, ValueError, RecursionError) as error:
            raise InputError(
                f"The journal in {self._folder} cannot be read; delete that folder to begin again."
            ) from error
        rows = self._folder / ROWS
        size = rows.stat().st_size if rows.exists() else 0
        self.is_finished = lines[-1:] == [_FINISHED]
        fits = [entry for entry in entries if self.is_finished or entry.size <= size]
        self.done = fits[-1] if fits else Done()
        return identity

    def _begin(self, identity: Mapping[str, Any]) -> None:
        self.done, self.is_finished = Done(), False
        self._journal.seek(0)
        self._journal.truncate()
        (self._folder / ROWS).unlink(missing_ok=True)
        self._write_line(identity)

    def _open_rows(self) -> BinaryIO:
        file = opened(self._folder / ROWS)
        file.truncate(self.done.size)
        file.seek(self.done.size)
        sync_folder(self._folder)
        return file

    def add(
        self,
        data: bytes,
        position: Position = START,
        *,
        rows: int = 0,
        failed: int = 0,
        truncated: int = 0,
        bytes_read: int = 0,
    ) -> None:
        """Add results; once this returns, they are kept whatever happens.

        Args:
            data: what to add.
            position: where reading goes on after them.
            rows: how many more rows are done.
            failed: how many of them failed.
            truncated: how many texts of the others were not read whole.
            bytes_read: of the whole input, about.

        Raises:
            InputError: if it cannot be written.
        """
        if self._rows is None:
            raise InputError(f"The job in {self._folder} is finished; nothing can be added.")
        with writing(self._folder, self.advice):
            self._rows.write(data)
            sync(self._rows)
            self.done = Done(
                position.source,
                position.number,
                self.done.rows + rows,
                self.done.failed + failed,
                self.done.truncated + truncated,
                self.done.size + len(data),
                bytes_read,
            )
            self._write_line(asdict(self.done))

    def finish(self) -> None:
        """Say that all is done; what follows may be repeated."""
        if self._rows is not None:
            with writing(self._folder, self.advice):
                self._rows.truncate(self.done.size)  # adding more may have been interrupted
                self._rows.close()
                self._rows = None
                self._write_line(_FINISHED)
            self.is_finished = True

    @property
    def rows_file(self) -> Path:
        """The file of results; it is not there if it was moved to its place."""
        return self._folder / ROWS

    @property
    def is_moved(self) -> bool:
        """Whether all of it is done and was moved to its place."""
        return self.is_finished and not self.rows_file.exists()

    def close(self, *, remove: bool) -> None:
        """Close the files, and remove the folder or leave it for another run."""
        if self._rows is not None:
            with suppress(OSError):  # it was said when it was written
                self._rows.close()
        if remove and sys.platform != "win32":
            self._remove_files()  # while the journal is open, and so locked
        with suppress(OSError):  # and so was this
            self._journal.close()
        if remove:
            if sys.platform == "win32":  # where what is open stays
                with suppress(PermissionError):  # another run has opened it meanwhile, and goes on
                    self._remove_files()
            with suppress(OSError):  # what else came into it is not ours
                self._folder.rmdir()

    def _remove_files(self) -> None:
        for name in (RESULT, ROWS, JOURNAL):  # the journal last: it says what is missing
            (self._folder / name).unlink(missing_ok=True)

    def move(self, file: Path, place: Path) -> None:
        """Move a finished file to its place, safe against a power cut.

        Who may read a file that is there may read this one.

        Raises:
            InputError: if it cannot be moved.
        """
        try:
            with file.open("r+b") as whole:  # Windows writes no file out that is open to read
                os.fsync(whole.fileno())
            if place.exists():
                shutil.copymode(place, file)
            file.replace(place)
        except OSError as error:
            raise InputError(f"The output {place} cannot be written: {error.strerror}.") from error
        sync_folder(place.parent)

    def _write_line(self, values: Mapping[str, Any]) -> None:
        self._journal.write(json.dumps(values).encode() + b"\n")
        sync(self._journal)


def _unfinished(folder: Path, rows: int, begun: Mapping[str, Any]) -> str:
    """Return why a job that was begun is not begun again."""
    if begun.get(INPUT) == STREAM:
        return (
            f"{folder} holds an unfinished job of {rows:,} rows from a stream, which cannot be "
            "read again; delete it to begin again."
        )
    return (
        f"{folder} holds an unfinished job of {rows:,} rows; give resume=True (--resume) to go on "
        "with it, or delete it to begin again."
    )


def _check_same(begun: Mapping[str, Any], now: Mapping[str, Any], folder: Path) -> None:
    # JSON has no tuples: compare what both are as JSON
    new = json.loads(json.dumps(now))
    other = [
        _difference(key, begun.get(key), new[key]) for key in new if begun.get(key) != new[key]
    ]
    if other:
        raise InputError(
            f"The unfinished job in {folder} was begun with another {', '.join(other)}; "
            "give what it was begun with, or delete it to begin again."
        )


def _difference(name: str, begun: object, now: object) -> str:
    """Name what differs, with the parts of it that do, and what they were if that can be read."""
    if not (isinstance(begun, dict) and isinstance(now, dict)):
        return name
    parts = []
    for key in sorted(begun.keys() | now.keys()):
        old, new = begun.get(key), now.get(key)
        if old != new:
            plain = all(_is_plain(one) for one in (old, new))
            parts.append(f"{key} {_shown(old)}, now {_shown(new)}" if plain else key)
    return f"{name} ({'; '.join(parts)})"


def _is_plain(value: object) -> bool:
    """Return whether a value says something to who reads it; digests do not."""
    if isinstance(value, str):
        return _DIGEST.fullmatch(value) is None
    return value is None or isinstance(value, bool | int | float)


def _shown(value: object) -> str:
    return "not given" if value is None else json.dumps(value, ensure_ascii=False)
