"""The run of a job: sources to chunks to answers to bytes to disk, from wherever it stopped.

It puts the parts together; each has its own file.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass import __version__
from onepass.batch.answering import Request, open_model, request_of
from onepass.batch.columns import find_columns
from onepass.batch.engines import Engine, in_this_process
from onepass.batch.job import Counts, FileFormat, Job
from onepass.batch.journal import RESULT, Done, Journal
from onepass.batch.packing import packing
from onepass.batch.reading import read_chunks
from onepass.batch.rows import START, BadRow, Position
from onepass.batch.sources import Source, find_sources
from onepass.batch.writing import CsvLines, JsonLines, Writer, joined_results
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.extractor import Extractor

Load = Callable[[], "Extractor"]


@dataclass(frozen=True, slots=True)
class Watch:
    """Who is told how a job goes.

    Args:
        progress: takes the counts after each chunk.
        failure: takes which row failed, and why.
    """

    progress: Callable[[Counts], None] = lambda _: None
    failure: Callable[[str, str], None] = lambda _row, _error: None


def run(job: Job, *, watch: Watch = Watch(), load: Load | None = None) -> Counts:
    r"""Run a job, or go on with it.

    Until all is done, results are in the folder ``OUTPUT.job`` beside the output. A job that is
    killed leaves it there, and runs on from it with ``resume=True``; the output is then the same,
    byte for byte, as if nothing had happened.

    Args:
        job: what to do.
        watch: is told how it goes.
        load: opens the model of a job with one worker, in place of what the job says.

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
    place = _place_of(Path(job.output))
    sources = _sources_of(job, place)
    streamed = any(source.is_stream for source in sources)
    if streamed and job.resume:
        raise InputError("A stream cannot be read again; give a file, or leave --resume out.")
    folder = place.with_name(f"{place.name}.job")
    journal = Journal(folder, _identity(job, request, sources), resume=job.resume)
    keep = not streamed
    try:
        writer = _writer_of(job, request, sources)
        counts = Counts(journal.done.rows, journal.done.failed, journal.done.rows)
        if not journal.is_finished:
            engine = _engine_of(job, request, sources, journal.done.position, load)
            counts = _fill(journal, writer, engine, (sources, job.text_field), watch)
        _put_in_place(journal, writer, place, folder)
        keep = False
    finally:
        journal.close(remove=not (keep and journal.done.rows))
    return counts


def _fill(
    journal: Journal,
    writer: Writer,
    engine: Engine,
    what: tuple[Sequence[Source], str],
    watch: Watch,
) -> Counts:
    """Add the results of all chunks that are still to do."""
    sources, text_field = what
    begun, start, total = journal.done, time.monotonic(), _bytes_of(sources)
    if begun == Done():
        journal.add(writer.head())
    counts = Counts(begun.rows, begun.failed, begun.rows)
    for chunk, answers in engine(read_chunks(sources, text_field, begun.position)):
        results = joined_results(chunk, answers)
        bad = [row for row in results if isinstance(row, BadRow)]
        journal.add(
            writer.chunk(results),
            chunk.end,
            rows=len(results),
            failed=len(bad),
            bytes_read=chunk.bytes_read,
        )
        counts = _counted(journal.done, begun, total, start)
        _tell(watch, bad, counts)
    journal.finish()
    return counts


def _bytes_of(sources: Sequence[Source]) -> int:
    return sum(source.size() for source in sources)


def _counted(done: Done, begun: Done, total: int, start: float) -> Counts:
    return Counts(
        rows=done.rows,
        failed=done.failed,
        resumed=begun.rows,
        bytes_read=done.bytes_read,
        bytes_begun=begun.bytes_read,
        bytes_total=total,
        seconds=time.monotonic() - start,
    )


def _tell(watch: Watch, bad: Sequence[BadRow], counts: Counts) -> None:
    for row in bad:
        watch.failure(row.place, row.error)
    watch.progress(counts)


def _put_in_place(journal: Journal, writer: Writer, place: Path, folder: Path) -> None:
    if journal.rows_file.exists():  # else it was put there before the job was killed
        try:
            whole = writer.converted(journal.rows_file, folder / RESULT)
        except OSError as error:
            raise InputError(
                f"{folder} cannot be written: {error}; --resume goes on from there."
            ) from error
        journal.move(whole, place)


def stream(
    job: Job, write: Callable[[str], None], *, watch: Watch = Watch(), load: Load | None = None
) -> Counts:
    """Run a job whose results are taken as they come, as JSONL or CSV; it cannot be resumed.

    Args:
        job: what to do; its output is not used but for its format.
        write: takes the results of some rows.
        watch: as in `run`.
        load: as in `run`.

    Returns:
        How many rows were done, and how many of them failed.

    Raises:
        OnepassError: as `run` does.
    """
    if job.output_format is FileFormat.PARQUET or packing(Path(job.output)):
        raise InputError("Parquet and packed results need a file; name it with --output.")
    if job.resume:
        raise InputError("--resume needs a file to go on with; name it with --output.")
    request = request_of(job)
    sources = find_sources(job.input, text_unit=job.text_unit)
    _check_text_field(job, sources)
    writer = _writer_of(job, request, sources)
    engine = _engine_of(job, request, sources, START, load)
    start, total, head = time.monotonic(), _bytes_of(sources), writer.head().decode()
    done, counts = Done(), Counts()
    for chunk, answers in engine(read_chunks(sources, job.text_field)):
        results = joined_results(chunk, answers)
        bad = [row for row in results if isinstance(row, BadRow)]
        write(head + writer.chunk(results).decode())
        head = ""
        rows, failed = done.rows + len(results), done.failed + len(bad)
        done = Done(rows=rows, failed=failed, bytes_read=chunk.bytes_read)
        counts = _counted(done, Done(), total, start)
        _tell(watch, bad, counts)
    write(head)  # of an input without rows
    return counts


def _place_of(output: Path) -> Path:
    place = Path(os.path.realpath(output))  # through links
    try:
        is_dir, has_parent = place.is_dir(), place.parent.is_dir()
        is_other = place.exists() and not place.is_file()
    except OSError as error:  # a name too long, a directory that is closed
        raise InputError(
            f"The output {output!s:.80} cannot be written: {error.strerror}."
        ) from error
    if is_dir:
        raise InputError(f"The output {output} is a directory; give the name of a file.")
    if not has_parent:
        raise InputError(f"There is no directory {place.parent} for the output; make it first.")
    if is_other:
        raise InputError(f"The output {output} is no file; results can be streamed to it only.")
    return place


def _sources_of(job: Job, place: Path) -> tuple[Source, ...]:
    sources = find_sources(job.input, text_unit=job.text_unit)
    _check_text_field(job, sources)
    others = [path for source in sources for path in source.paths]
    if len(others) > 1 and any(os.path.realpath(path) == str(place) for path in others):
        raise InputError(
            f"The output {place} is one of the input files; write it elsewhere, or move it away."
        )
    return sources


def _check_text_field(job: Job, sources: Sequence[Source]) -> None:
    if job.text_field != "text" and not any(source.has_fields for source in sources):
        raise InputError("Text files have no fields; leave --text-field out.")


def _writer_of(job: Job, request: Request, sources: Sequence[Source]) -> Writer:
    form, how = job.output_format, packing(Path(job.output))
    if form is FileFormat.JSONL:
        return JsonLines(how)
    columns = find_columns(sources, job.text_field)
    if form is FileFormat.CSV:
        return CsvLines(columns, how)
    from onepass.batch.parquet_writing import ArrowStream

    return ArrowStream(columns, request.schema)


def _engine_of(
    job: Job, request: Request, sources: Sequence[Source], start: Position, load: Load | None
) -> Engine:
    if job.engine == "ray":
        from onepass.batch.ray import on_cluster

        return on_cluster(job, request, sources, start)
    if job.workers > 1:
        from onepass.batch.processes import in_processes  # multiprocessing takes time to import

        return in_processes(job.model, request, job.workers)
    return in_this_process(load or (lambda: open_model(job.model)), request)


def _identity(job: Job, request: Request, sources: Sequence[Source]) -> dict[str, Any]:
    """Return what has to be the same for a job to go on: all that its results depend on."""
    model = asdict(job.model)
    model.pop("threads")
    return {
        "version of onepass": __version__,
        "input": _input_digest(sources),
        "text field": job.text_field,
        "request": request.to_dict(),
        "model": model,
        "format": [job.output_format.value, packing(Path(job.output))],
    }


def _input_digest(sources: Sequence[Source]) -> str:
    """Return a digest of names, sizes and times of change."""
    digest = hashlib.sha256()
    for source in sources:
        digest.update(source.kind.encode())
        for path in () if source.is_stream else source.paths:
            state = path.stat()
            line = f"{os.path.realpath(path)}\0{state.st_size}\0{state.st_mtime_ns}\n"
            digest.update(line.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
