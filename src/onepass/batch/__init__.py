"""Jobs from files to a file: any size, in order, past bad rows, resumable after a kill.

`run` takes a `Job` and returns its `Counts`.
"""

from onepass.batch.job import Counts, FileFormat, Job, ModelChoice
from onepass.batch.keeping import Watch
from onepass.batch.running import run, stream

__all__ = ["Counts", "FileFormat", "Job", "ModelChoice", "Watch", "run", "stream"]
