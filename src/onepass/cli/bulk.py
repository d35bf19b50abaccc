"""``onepass extract --input``: what the options ask for, as a job of `onepass.batch`.

It does not know how rows are read, answered or written.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from onepass.batch import Job, Watch, run, stream
from onepass.batch.answering import Refused, found, request_of
from onepass.batch.columns import check_starts
from onepass.batch.folder import folder_of
from onepass.batch.job import FileFormat, says_format
from onepass.batch.journal import INPUT, STREAM, begun_as
from onepass.batch.places import check_apart, read_from
from onepass.batch.reading import read_chunks
from onepass.batch.rows import BadRow
from onepass.batch.streams import is_device
from onepass.cli import ROWS_FAILED
from onepass.cli.file_options import ExtractFormat
from onepass.cli.inputs import say_left_out
from onepass.cli.loading import Load
from onepass.cli.output import Write, default_format, opened
from onepass.cli.progress import Progress
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.results.types import Extraction

_FILE_FORMATS = (ExtractFormat.JSONL, ExtractFormat.CSV, ExtractFormat.PARQUET)


def extract_files(job: Job, form: ExtractFormat | None, output: Path | None, load: Load) -> None:
    """Write what is found in every row of the input.

    Args:
        job: what to do; its output and format are filled in here.
        form: the format that was asked for.
        output: a file, or None for standard output.
        load: opens the model of a job with one worker.

    Raises:
        OnepassError: if the job cannot be done.
        Exit: with 1 if rows failed.
    """
    is_page = (form or default_format(output)) is ExtractFormat.HTML
    if form is not None and not is_page and form not in _FILE_FORMATS:
        raise InputError(
            f"--format {form} is for one text; with --input give jsonl, csv, parquet or html."
        )
    say_left_out(job.input)
    if is_page:
        failed = _page(job, output, load)
    else:
        piped = is_stream(output)
        if form is None and piped and (output is None or not says_format(output)):
            form = ExtractFormat.JSONL
        written = None if form is None else FileFormat(form.value)
        job = replace(job, format=written, output=output or "-")
        if piped:
            failed = passed_on(
                output, lambda write, watch: stream(job, write, watch=watch, load=load).failed
            )
        else:
            failed = kept(Path(job.output), lambda watch: run(job, watch=watch, load=load).failed)
    if failed:
        raise typer.Exit(ROWS_FAILED)


def is_stream(output: Path | None) -> bool:
    """Return whether results go to standard output, a device or a pipe."""
    return output is None or is_device(output)


def passed_on(output: Path | None, go: Callable[[Write, Watch], int]) -> int:
    """Run a job whose results are written as they come, and say how many if it is stopped.

    Args:
        output: a device or a pipe; None for standard output.
        go: runs the job, and returns how many rows failed.

    Raises:
        KeyboardInterrupt: after Ctrl-C, or what stops it in the same way.
    """
    with opened(output) as write, Progress() as progress:
        try:
            return go(write, watch_of(progress))
        except KeyboardInterrupt:
            progress.say(f"stopped; {progress.rows:,} rows were written")
            raise


def kept(output: Path, go: Callable[[Watch], int]) -> int:
    """Run a job that is kept beside its output, and say where if it is stopped.

    Args:
        output: a file.
        go: runs the job, and returns how many rows failed.

    Raises:
        KeyboardInterrupt: after Ctrl-C, or what stops it in the same way.
    """
    folder = folder_of(output)
    with Progress() as progress:
        try:
            return go(watch_of(progress))
        except KeyboardInterrupt:
            if begun_as(folder).get(INPUT, STREAM) != STREAM:  # else nothing can go on
                progress.say(f"what is done is kept in {folder}; --resume goes on from there")
            raise


def watch_of(progress: Progress) -> Watch:
    """Return who is told how a job goes: the line on standard error."""

    def left(rows: int, file: Path) -> None:
        progress.say(
            f"{file} holds the first {rows:,} rows; a stream cannot be read again, so that this "
            "job cannot be resumed"
        )

    return Watch(progress.show, progress.fail, left)


def _page(job: Job, output: Path | None, load: Load) -> int:
    """Write one page of all rows that did not fail; it is built in memory."""
    from onepass.results.render import to_html

    if job.workers > 1 or job.resume or job.engine != "local":
        raise InputError("A page is made in one go; leave --workers, --resume and --engine out.")
    request = request_of(job)
    docs: list[Extraction] = []
    sources = job.sources()
    check_apart(output, "output", read_from(sources))
    check_starts(sources, job.text_field)
    with opened(output) as write, Progress() as progress:
        model = load()
        for chunk in read_chunks(sources, job.text_field):
            results = found(model, request, chunk.texts)
            for row in chunk.rows:
                result = row if isinstance(row, BadRow) else next(results)
                if isinstance(result, BadRow):
                    progress.fail(result.place, result.error)
                elif isinstance(result, Refused):
                    progress.fail(row.place, result.error)
                else:
                    progress.truncated += result.coverage.truncated
                    docs.append(result)
            progress.add(len(chunk.rows))
        write(to_html(docs))
    return progress.failed
