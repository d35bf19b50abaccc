"""Redaction of files: every row without what is found in it, past bad rows, resumable after a kill.

It says what is done with a row; how rows are read and kept is the business of `onepass.batch`. The
state of an unfinished job is told from its input and its results again, so that nothing of what was
replaced is written down.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from onepass.batch.answering import Answer, Read, Refused, open_model, past_refused
from onepass.batch.columns import check_starts
from onepass.batch.engines import Answered, Engine
from onepass.batch.job import Counts, RowsJob
from onepass.batch.journal import Done
from onepass.batch.keeping import SILENT, Route, Watch, keep, pass_on
from onepass.batch.packing import ending, opened, packed, packing
from onepass.batch.places import place_of
from onepass.batch.reading import read_chunks
from onepass.batch.rows import BadRow, Chunk, Position, Row
from onepass.batch.sources import Source
from onepass.batch.states import as_begun, as_opened, model_identity
from onepass.batch.writing import error_line, json_line
from onepass.errors import InputError
from onepass.redact.checks import libraries
from onepass.redact.redactor import Options, Redactor
from onepass.redact.report import Report
from onepass.results.redacted import Found, Redacted

if TYPE_CHECKING:
    from onepass.extractor import Extractor

Load = Callable[[], "Extractor"]
FOUND = "redacted"  # the field of a result that says what was found
_STALE = ("extraction", FOUND)  # what commands add: it holds the old text, or places in it
_LINES = ("", ".jsonl", ".ndjson")
DEFAULTS = Options()
STDOUT = "-"


@dataclass(frozen=True, kw_only=True, slots=True)
class RedactJob(RowsJob):
    """A job from files to a file of the same rows without what is found in them.

    Args:
        input: a file, a pattern, a directory, or a list of them, as in `onepass.batch.Job`.
        output: the file of results, as JSONL; its name says the packing (.gz, .zst). "-" is for
            `redact_stream`, which needs none.
        options: labels to look for, and the text to put in their place.
        format: "jsonl", if the name of the output says something else.
        text_field: the key or column that holds the text; other fields stay as they are.
        text_unit: as in `onepass.batch.Job`.
        max_line: the most bytes that one row may have; longer ones are bad rows.
        model: the model that runs.
        resume: whether to go on with a job that was stopped, if there is one.

    Raises:
        InputError: for an output whose name is not that of JSONL, another format, or a value of
            another kind than is meant.

    >>> RedactJob(input="mails.csv", output="clean.csv")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: Redacted rows are written as JSONL, but the output clean.csv ends in
    .csv; give one that ends in .jsonl.
    """

    output: str | Path = STDOUT
    options: Options = DEFAULTS
    format: Literal["jsonl"] | None = None

    def __post_init__(self) -> None:
        RowsJob.__post_init__(self)  # a class with slots has no super() without arguments
        if not isinstance(self.options, Options):
            raise InputError(f"options must be Options, but {self.options!r:.60} was given.")
        if self.format not in (None, "jsonl"):
            raise InputError(
                f"Redacted rows are written as JSONL, but the format {self.format!r:.60} was given."
            )
        suffix = ending(Path(self.output))
        if self.format is None and suffix not in _LINES:
            raise InputError(
                f"Redacted rows are written as JSONL, but the output {self.output} ends in "
                f"{suffix}; give one that ends in .jsonl."
            )

    def sources(self) -> tuple[Source, ...]:
        """Return what is read; no message about it tells the names of its fields."""
        return tuple(replace(source, named=False) for source in RowsJob.sources(self))


def redact_files(
    job: RedactJob,
    *,
    report: Report | None = None,
    watch: Watch = SILENT,
    load: Load | None = None,
) -> Counts:
    r"""Run a redaction job, or go on with one that was stopped, as `onepass.batch.run` does.

    Args:
        job: the job to run.
        report: a report to which everything that is replaced is added, also by earlier runs of the
            job.
        watch: functions that are told how the job goes.
        load: a function that opens the model, in place of what the job says.

    Returns:
        How many rows were done, and how many of them failed.

    Raises:
        InputError: for a file that cannot be read or written, or a job that cannot go on.
        OnepassError: for options or a model that cannot be used.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     texts, out = Path(place, "texts.txt"), Path(place, "clean.jsonl")
    ...     _ = texts.write_text("Write to anna@example.com.\n")
    ...     counts = redact_files(RedactJob(input=texts, output=out))
    ...     print(json.loads(out.read_text())["text"], counts.failed)
    Write to [email address]. 0
    """
    if str(job.output) == STDOUT:
        raise InputError(
            "redact_files writes a file, but the output is '-'; give a path, or take the lines "
            "from redact_stream."
        )
    place = place_of(Path(job.output))
    if job.resume:
        job = replace(job, model=as_begun(job.model, place))
    route = _route(job, place)
    return keep(_opened(job, route, report, load), route, watch)


def redact_stream(
    job: RedactJob,
    write: Callable[[str], None],
    *,
    report: Report | None = None,
    watch: Watch = SILENT,
    load: Load | None = None,
) -> Counts:
    r"""Run a redaction job whose results are taken as they come; it cannot be resumed.

    Args:
        job: the job to run; its output is not used.
        write: a function that gets the lines of some rows.
        report: as in `redact_files`.
        watch: as in `redact_files`.
        load: as in `redact_files`.

    Returns:
        How many rows were done, and how many of them failed.

    Raises:
        OnepassError: as `redact_files` does.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as place:
    ...     texts = Path(place, "texts.txt")
    ...     _ = texts.write_text("Write to anna@example.com.\n")
    ...     lines = []
    ...     counts = redact_stream(RedactJob(input=texts), lines.append)
    >>> json.loads(lines[0])["text"]
    'Write to [email address].'
    """
    job.refuse_resume()
    job = replace(job, output=STDOUT)  # whose name says no packing
    route = _route(job, Path(job.output))
    return pass_on(_opened(job, route, report, load), route, write, watch)


def redacted_rows(
    redactor: Redactor, sources: Sequence[Source], text_field: str
) -> Iterator[list[tuple[Row | BadRow, Redacted | Refused]]]:
    """Yield the rows of files with their texts after redaction, some at a time.

    Args:
        redactor: that finds and replaces; its pseudonyms stay apart from numbers in the texts.
        sources: what is read.
        text_field: the key or column of the text.

    Raises:
        InputError: if a file as a whole cannot be read.
    """
    _avoid(redactor, sources, text_field)
    for chunk in read_chunks(sources, text_field):
        yield list(_answered(redactor, chunk))


def _route(job: RedactJob, place: Path) -> Route:
    if job.text_field == FOUND:
        raise InputError(
            f"The texts stand in {FOUND!r}, where a result says what was found; give that field "
            "another name in the input."
        )
    return Route(job.sources(), job.text_field, place, job.resume)


def _opened(job: RedactJob, route: Route, report: Report | None, load: Load | None) -> _Redaction:
    check_starts(route.sources, job.text_field)  # a wrong column is told before a model is loaded
    model = load() if load is not None else open_model(job.model)
    job = replace(job, model=as_opened(job.model, model))
    redactor = Redactor(model, job.options)
    _avoid(redactor, route.sources, job.text_field)
    return _Redaction(redactor, job, route.sources, Report() if report is None else report)


def _avoid(redactor: Redactor, sources: Sequence[Source], text_field: str) -> None:
    """Keep pseudonyms apart from those in any row; of a stream, which is read once, from earlier.

    A job that goes on reads all rows here again, so that its numbers are the same.
    """
    counted = "pseudonym" in redactor.options.actions.values()
    if counted and not any(source.is_stream for source in sources):
        for chunk in read_chunks(sources, text_field):
            redactor.avoid(chunk.texts)


def _answered(
    redactor: Redactor, chunk: Chunk
) -> Iterator[tuple[Row | BadRow, Redacted | Refused]]:
    """Yield the rows of a chunk with their texts after redaction."""
    texts = chunk.texts
    done = past_refused(texts, redactor.stream(texts), redactor.one)
    for row in chunk.rows:
        yield row, Refused(row.error) if isinstance(row, BadRow) else next(done)


@dataclass(frozen=True, slots=True)
class _Redaction:
    """What is done with every row."""

    redactor: Redactor
    job: RedactJob
    sources: Sequence[Source]
    counts: Report

    def identity(self) -> Mapping[str, Any]:
        options = self.redactor.options
        labels = options.labels
        return {
            "label": list(labels.items()) if isinstance(labels, Mapping) else list(labels),
            "action": options.actions,
            "key": None if options.key is None else _fingerprint(options.key),
            "locale of Faker": options.faker,
            "threshold": options.threshold,
            "choice of patterns": options.patterns,
            "region": options.region,
            "model": model_identity(self.job.model),
            "set of checks": libraries(),
            "packing": packing(Path(self.job.output)),
        }

    def writer(self) -> _Lines:
        return _Lines(packing(Path(self.job.output)))

    def resumed(self, done: Done, rows: Path) -> None:
        """Remember pseudonyms and counts of the rows that are done."""
        chunks = read_chunks(self.sources, self.job.text_field)
        given = islice((row for chunk in chunks for row in chunk.rows), done.rows)
        with opened(rows, named=Path(self.job.output)) as file:
            try:
                for row, line in zip(given, file.file, strict=True):
                    self._resume(row, json.loads(line))
            except ValueError as error:  # no JSON, or another number of lines
                raise InputError(
                    f"{rows} is not what the job wrote any more; begin the job again."
                ) from error

    def _resume(self, row: Row | BadRow, values: Mapping[str, Any]) -> None:
        if isinstance(row, BadRow) or FOUND not in values:
            return
        found = tuple(Found.from_dict(one, row.text) for one in values[FOUND])
        self.redactor.remember(found)
        self.counts.add_found(found)

    def engine(self, start: Position) -> Engine:
        def run(chunks: Iterable[Chunk]) -> Answered:
            for chunk in chunks:
                yield chunk, list(self._answers(chunk))

        return run

    def _answers(self, chunk: Chunk) -> Iterator[Answer]:
        for row, done in _answered(self.redactor, chunk):
            if isinstance(row, BadRow):
                continue
            if isinstance(done, Refused):
                yield done
                continue
            self.counts.add(done)
            found = [one.to_dict() for one in done.found]
            kept = {name: value for name, value in row.values.items() if name not in _STALE}
            line = json_line({**kept, self.job.text_field: done.text, FOUND: found})
            yield Read(line, done.coverage.truncated)


class _Lines:
    """A line for each row: what was read with its text replaced, or its number and "error"."""

    def __init__(self, how: str | None) -> None:
        self._how = how

    def head(self) -> bytes:
        return b""

    def chunk(self, results: Sequence[tuple[Row, str] | BadRow]) -> bytes:
        lines = (error_line(one) if isinstance(one, BadRow) else one[1] for one in results)
        # A lone surrogate is legal in a Python string but not in UTF-8; in JSON this escape is.
        return packed("".join(lines).encode("utf-8", "backslashreplace"), self._how)

    def converted(self, rows: Path, result: Path) -> Path:
        return rows


def _fingerprint(key: bytes) -> str:
    """Return what tells keys apart and does not tell the key."""
    return hmac.new(key, b"the key of a job of onepass redact", hashlib.sha256).hexdigest()
