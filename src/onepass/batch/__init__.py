"""Jobs from files to a file: any size, in order, past bad rows, resumable after a kill.

`run` takes a `Job` and returns its `Counts`.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from onepass.batch.job import Counts, FileFormat, Job, ModelChoice
    from onepass.batch.keeping import Watch
    from onepass.batch.running import run, stream

# The command for one text needs the words of a job and nothing of what runs one.
_HOME_OF = {
    "Counts": "job", "FileFormat": "job", "Job": "job", "ModelChoice": "job",
    "Watch": "keeping", "run": "running", "stream": "running",
}  # fmt: skip

__all__ = ["Counts", "FileFormat", "Job", "ModelChoice", "Watch", "run", "stream"]


if not TYPE_CHECKING:  # hidden from type checkers, so that they still report a misspelled name

    def __getattr__(name: str) -> object:
        if name not in _HOME_OF:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        value = getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
        globals()[name] = value  # the next use finds it without coming here
        return value
