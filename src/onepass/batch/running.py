"""The run of a job: sources to chunks to answers to bytes to disk, from wherever it stopped.

It puts the parts together; each has its own file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Request, open_model, request_of
from onepass.batch.columns import find_columns
from onepass.batch.engines import Engine, in_this_process
from onepass.batch.job import Counts, FileFormat, Job, ModelChoice
from onepass.batch.journal import Done
from onepass.batch.keeping import SILENT, Route, Watch, keep, pass_on
from onepass.batch.packing import packing
from onepass.batch.places import place_of
from onepass.batch.rows import Position
from onepass.batch.sources import Source
from onepass.batch.states import as_begun, as_opened, model_identity, settled
from onepass.batch.writing import CsvLines, JsonLines, Writer
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.extractor import Extractor

Load = Callable[[], "Extractor"]


def run(job: Job, *, watch: Watch = SILENT, load: Load | None = None) -> Counts:
    r"""Run a job, or go on with one that was stopped.

    Until all is done, results are in the folder ``OUTPUT.job`` beside the output. A job that is
    killed leaves it there, and runs on from it with ``resume=True``; the output is then the same,
    byte for byte, as if nothing had happened.

    Args:
        job: the job to run.
        watch: functions that are told how the job goes.
        load: a function that opens the model, in place of what the job says, if there is one
            worker.

    Returns:
        How many rows were done, and how many of them failed.

    Raises:
        InputError: for a file that cannot be read or written, or a job that cannot go on.
        OnepassError: for a schema or model that cannot be used.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     texts, out = Path(place, "texts.txt"), Path(place, "out.jsonl")
    ...     _ = texts.write_text("Marie Curie was born in Warsaw.\n")
    ...     counts = run(Job(input=texts, output=out, schema={"entities": ["city"]}))
    >>> counts.rows, counts.failed
    (1, 0)
    """
    request = request_of(job)
    place = place_of(Path(job.output))
    if job.resume:
        job = replace(job, model=as_begun(job.model, place))
    sources = job.sources()
    route = Route(sources, job.text_field, place, job.resume)
    return keep(_Extraction(job, request, sources, load), route, watch)


def stream(
    job: Job, write: Callable[[str], None], *, watch: Watch = SILENT, load: Load | None = None
) -> Counts:
    r"""Run a job whose results are taken as they come, as JSONL or CSV; it cannot be resumed.

    Args:
        job: the job to run; of its output only the format counts.
        write: a function that gets the results of some rows, as lines.
        watch: as in `run`.
        load: as in `run`.

    Returns:
        How many rows were done, and how many of them failed.

    Raises:
        OnepassError: as `run` does.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     texts = Path(place, "texts.txt")
    ...     _ = texts.write_text("Marie Curie was born in Warsaw.\n")
    ...     lines = []
    ...     counts = stream(
    ...         Job(input=texts, output="-", schema={"entities": ["city"]}, format="jsonl"),
    ...         lines.append,
    ...     )
    >>> counts.rows, "Warsaw" in lines[0]
    (1, True)
    """
    if job.output_format is FileFormat.PARQUET or packing(Path(job.output)):
        raise InputError(
            "Parquet and packed results need a file; name it with --output (in Python: use run)."
        )
    job.refuse_resume()
    request = request_of(job)
    sources = job.sources()
    route = Route(sources, job.text_field, Path(job.output))
    return pass_on(_Extraction(job, request, sources, load), route, write, watch)


@dataclass(frozen=True)
class _Extraction:
    """What a job asks of every row."""

    job: Job
    request: Request
    sources: Sequence[Source]
    load: Load | None

    @cached_property
    def _model(self) -> Extractor:
        """The model of a job with one worker."""
        return self.load() if self.load is not None else open_model(self.job.model)

    @cached_property
    def _choice(self) -> ModelChoice:
        """How the model runs: what is fastest is found out once, not by each of the workers."""
        chosen = self.job.model
        is_open_here = self.job.workers == 1 and self.job.engine == "local"
        if is_open_here and "auto" in (chosen.backend, chosen.precision):
            return as_opened(chosen, self._model)
        return settled(chosen)

    def identity(self) -> Mapping[str, Any]:
        return {
            "request": self.request.to_dict(),
            "model": model_identity(self._choice),
            "format": [self.job.output_format.value, packing(Path(self.job.output))],
        }

    def writer(self) -> Writer:
        return _writer_of(self.job, self.request, self.sources)

    def resumed(self, done: Done, rows: Path) -> None:
        """Nothing of them matters to the rows to come."""

    def engine(self, start: Position) -> Engine:
        job = self.job
        if job.engine == "ray":
            from onepass.batch.ray import on_cluster

            chosen = replace(job, model=self._choice)
            return on_cluster(chosen, self.request, self.sources, start)
        if job.workers > 1:
            from onepass.batch.processes import in_processes  # multiprocessing takes time to import

            return in_processes(self._choice, self.request, job.workers)
        return in_this_process(lambda: self._model, self.request)


def _writer_of(job: Job, request: Request, sources: Sequence[Source]) -> Writer:
    form, how = job.output_format, packing(Path(job.output))
    if form is FileFormat.JSONL:
        return JsonLines(how)
    columns = find_columns(sources, job.text_field)
    if form is FileFormat.CSV:
        return CsvLines(columns, how)
    from onepass.batch.parquet_writing import ArrowStream

    return ArrowStream(columns, request.schema)
