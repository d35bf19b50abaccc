"""``onepass redact --input``: the rows of a file without what is found in them.

It says what is done with a row; how rows are read and kept is the business of `onepass.batch`. The
state of an unfinished job is told from its input and its results again, so that nothing of what was
replaced is written down.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from onepass.batch import Watch
from onepass.batch.answering import Answer, Refused
from onepass.batch.engines import Answered, Engine
from onepass.batch.job import BUILTIN, ModelChoice
from onepass.batch.journal import Done
from onepass.batch.keeping import Route, keep, pass_on, place_of
from onepass.batch.packing import opened as opened_packed
from onepass.batch.packing import packed, packing
from onepass.batch.reading import read_chunks
from onepass.batch.rows import BadRow, Chunk, Position, Row
from onepass.batch.sources import Source
from onepass.batch.states import model_digest
from onepass.cli.bulk import is_stream, kept, watch_of
from onepass.cli.output import json_line, opened
from onepass.cli.progress import Progress
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.redact import Redacted, Redactor, Report

FOUND = "redacted"  # the field of a result that says what was found
_STALE = ("extraction", FOUND)  # what commands add: it holds the old text, or places in it


@dataclass(frozen=True, slots=True)
class RowFile:
    """The rows of a file, and where they go.

    Args:
        source: what is read.
        field: the key or column of the text.
        output: a file, or None for standard output.
        resume: whether to go on with a job that was stopped.
        model: what the redactor's model is, for a job that goes on.
    """

    source: Source
    field: str
    output: Path | None
    resume: bool = False
    model: ModelChoice = BUILTIN


def redact_lines(redactor: Redactor, file: RowFile, counts: Report) -> int:
    """Write every row of a file without what was found in it, as JSONL; return how many failed.

    Args:
        redactor: that finds and replaces.
        file: from where to where.
        counts: takes what was replaced.

    Raises:
        InputError: if a file cannot be read or written, or the job cannot go on.
    """
    _avoid(redactor, file)
    work = _Redaction(redactor, file, counts)
    if is_stream(file.output):
        if file.resume:
            raise InputError("--resume needs a file to go on with; name it with --output.")
        if file.output is not None and packing(file.output):
            raise InputError("Packed results need a file; name it with --output.")
        route = Route((file.source,), file.field, Path("-"))
        with opened(file.output) as write, Progress() as progress:
            return pass_on(work, route, write, watch_of(progress)).failed
    assert file.output is not None
    route = Route((file.source,), file.field, place_of(file.output), file.resume)

    def go(watch: Watch) -> int:
        return keep(work, route, watch).failed

    return kept(file.output, go)


def redact_page(redactor: Redactor, file: RowFile, counts: Report) -> int:
    """Write one page of all rows that did not fail, built in memory; return how many failed.

    Raises:
        InputError: if a file cannot be read or written, or the page is to go on.
    """
    from onepass.results.render import to_html

    if file.resume:
        raise InputError("A page is made in one go; leave --resume out.")
    _avoid(redactor, file)
    pages = []
    with opened(file.output) as write, Progress() as progress:
        for chunk in read_chunks((file.source,), file.field):
            for row, done in _answered(redactor, chunk):
                if isinstance(done, Refused):
                    progress.fail(row.place, done.error)
                else:
                    counts.add(done)
                    pages.append(done.to_extraction())
            progress.add(len(chunk.rows))
        write(to_html(pages, title="onepass redact"))
    return progress.failed


def _avoid(redactor: Redactor, file: RowFile) -> None:
    """Keep pseudonyms apart from those in any row; of a stream, which is read once, from earlier.

    A job that goes on reads all rows here again, so that its numbers are the same.
    """
    if "pseudonym" in redactor.options.actions.values() and not file.source.is_stream:
        for chunk in read_chunks((file.source,), file.field):
            redactor.avoid(chunk.texts)


def _answered(
    redactor: Redactor, chunk: Chunk
) -> Iterator[tuple[Row | BadRow, Redacted | Refused]]:
    """Yield the rows of a chunk with their texts after redaction."""
    done = _found(redactor, chunk.texts)
    for row in chunk.rows:
        yield row, Refused(row.error) if isinstance(row, BadRow) else next(done)


def _found(redactor: Redactor, texts: Sequence[str]) -> Iterator[Redacted | Refused]:
    """Yield texts after redaction; if the model refuses one, go on text by text."""
    count = 0
    answers = redactor.stream(texts)  # refuses what is wrong with the whole request
    try:
        for done in answers:
            yield done
            count += 1
    except InputError:
        for text in texts[count:]:
            try:
                yield redactor.one(text)
            except InputError as error:
                yield Refused(str(error))


@dataclass(frozen=True, slots=True)
class _Redaction:
    """What is done with every row."""

    redactor: Redactor
    file: RowFile
    counts: Report

    def identity(self) -> Mapping[str, Any]:
        from onepass.redact.checks import libraries

        options = self.redactor.options
        labels = options.labels
        model = asdict(self.file.model) | {"files": model_digest(self.file.model.name)}
        model.pop("threads")  # they change no result
        return {
            "label": list(labels.items()) if isinstance(labels, Mapping) else list(labels),
            "action": options.actions,
            "key": None if options.key is None else _fingerprint(options.key),
            "locale of Faker": options.faker,
            "threshold": options.threshold,
            "choice of patterns": options.patterns,
            "region": options.region,
            "model": model,
            "set of checks": libraries(),
            "packing": packing(self.file.output) if self.file.output else None,
        }

    def writer(self) -> _Lines:
        return _Lines(packing(self.file.output) if self.file.output else None)

    def resumed(self, done: Done, rows: Path) -> None:
        """Remember pseudonyms and counts of the rows that are done."""
        from onepass.redact import Redacted
        from onepass.redact.result import Found
        from onepass.results.types import Coverage

        chunks = read_chunks((self.file.source,), self.file.field)
        given = (row for chunk in chunks for row in chunk.rows)
        with opened_packed(rows, named=self.file.output) as file:
            for row, line in zip(islice(given, done.rows), file.file, strict=False):
                values = json.loads(line)
                if isinstance(row, BadRow) or FOUND not in values:
                    continue
                text = row.text
                found = tuple(Found.from_dict(one, text) for one in values[FOUND])
                self.redactor.remember(found)
                read = Coverage(len(text), len(text), 1, False)
                self.counts.add(Redacted(values[self.file.field], found, read))

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
            yield json_line({**kept, self.file.field: done.text, FOUND: found})


def _error_line(row: BadRow) -> str:
    file = {} if row.file is None else {"file": row.file}
    return json_line({**file, "row": row.number, "error": row.error})


class _Lines:
    """A line for each row: what was read with its text replaced, or its number and "error"."""

    def __init__(self, how: str | None) -> None:
        self._how = how

    def head(self) -> bytes:
        return b""

    def chunk(self, results: Sequence[tuple[Row, str] | BadRow]) -> bytes:
        lines = (_error_line(one) if isinstance(one, BadRow) else one[1] for one in results)
        # A lone surrogate is legal in a Python string but not in UTF-8; in JSON this escape is.
        return packed("".join(lines).encode("utf-8", "backslashreplace"), self._how)

    def converted(self, rows: Path, result: Path) -> Path:
        return rows


def _fingerprint(key: bytes) -> str:
    """Return what tells keys apart and does not tell the key."""
    return hmac.new(key, b"the key of a job of onepass redact", hashlib.sha256).hexdigest()
