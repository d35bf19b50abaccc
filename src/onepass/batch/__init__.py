"""Jobs from files to a file: any size, in order, past bad rows, resumable after a kill.

`run` takes a `Job` and returns its `Counts`. The command for one text needs the words of a job and
nothing of what runs one, so names are loaded when they are used.
"""

from typing import TYPE_CHECKING

from onepass.lazy import public

if TYPE_CHECKING:
    from onepass.batch.job import Counts, FileFormat, Job, ModelChoice
    from onepass.batch.keeping import Watch
    from onepass.batch.running import run, stream

_HOMES = {
    ".job": (
        "Counts",
        "FileFormat",
        "Job",
        "ModelChoice",
    ),
    ".keeping": ("Watch",),
    ".running": (
        "run",
        "stream",
    ),
}

__all__ = [
    "Counts",
    "FileFormat",
    "Job",
    "ModelChoice",
    "Watch",
    "run",
    "stream",
]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name
    __getattr__, __dir__ = public(__name__, _HOMES)
