"""``onepass redact --input``: the job of `onepass.redact.files`, with a line on how it goes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from onepass.batch import Watch
from onepass.batch.answering import Refused
from onepass.cli.bulk import is_stream, kept, passed_on
from onepass.cli.loading import Load
from onepass.cli.output import Write, opened
from onepass.cli.progress import Progress
from onepass.errors import InputError
from onepass.redact import RedactJob, Redactor, Report, redact_files, redact_stream
from onepass.redact.files import redacted_rows

if TYPE_CHECKING:
    from onepass.results.types import Extraction


def redact_rows(job: RedactJob, output: Path | None, counts: Report, load: Load) -> int:
    """Write every row without what was found in it, as JSONL; return how many failed.

    Args:
        job: what to do.
        output: where; None for standard output.
        counts: takes what was replaced.
        load: opens the model.

    Raises:
        InputError: if a file cannot be read or written, or the job cannot go on.
    """

    def streamed(write: Write, watch: Watch) -> int:
        return redact_stream(job, write, report=counts, watch=watch, load=load).failed

    def filed(watch: Watch) -> int:
        return redact_files(job, report=counts, watch=watch, load=load).failed

    return passed_on(output, streamed) if is_stream(output) else kept(Path(job.output), filed)


def redact_page(job: RedactJob, output: Path | None, counts: Report, load: Load) -> int:
    """Write one page of all rows that did not fail, built in memory; return how many failed.

    Raises:
        InputError: if a file cannot be read or written, or the page is to go on.
    """
    from onepass.results.render import to_html

    if job.resume:
        raise InputError("A page is made in one go; leave --resume out.")
    sources = job.sources()
    pages: list[Extraction] = []
    with opened(output) as write, Progress() as progress:
        redactor = Redactor(load(), job.options)
        for rows in redacted_rows(redactor, sources, job.text_field):
            for row, done in rows:
                if isinstance(done, Refused):
                    progress.fail(row.place, done.error)
                else:
                    progress.truncated += done.coverage.truncated
                    counts.add(done)
                    pages.append(done.to_extraction())
            progress.add(len(rows))
        write(to_html(pages, title="onepass redact"))
    return progress.failed
