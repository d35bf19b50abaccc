"""The run of any work on rows: sources, chunks, answers, bytes on disk, from where it stopped.

It does not know what is asked of the rows, nor what an answer is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from onepass import __version__
from onepass.batch.answering import Read
from onepass.batch.columns import check_starts
from onepass.batch.engines import Engine
from onepass.batch.folder import RESULT, folder_of
from onepass.batch.job import Counts
from onepass.batch.journal import INPUT, STREAM, Done, Journal
from onepass.batch.places import check_apart, read_from
from onepass.batch.reading import Stop, read_chunks
from onepass.batch.rows import BadRow, Chunk, Position
from onepass.batch.sources import Source
from onepass.batch.states import InputStates
from onepass.batch.writing import Writer, joined_results
from onepass.errors import InputError


@dataclass(frozen=True, slots=True)
class Watch:
    """Functions that are told how a job goes.

    Args:
        progress: a function that gets the counts after each chunk.
        failure: a function that gets the place of each row that failed, and the reason.
        left: a function that gets the number of rows of a stream that were answered before it was
            stopped or failed, and the file of what was found in them.

    >>> failed = []
    >>> watch = Watch(failure=lambda row, error: failed.append(row))
    >>> watch.failure("mails.jsonl:7", "The row has no field 'text'."), failed
    (None, ['mails.jsonl:7'])
    """

    progress: Callable[[Counts], None] = lambda _: None
    failure: Callable[[str, str], None] = lambda _row, _error: None
    left: Callable[[int, Path], None] = lambda _rows, _file: None


SILENT = Watch()


@dataclass(frozen=True, slots=True)
class Tally:
    """How many rows a chunk has, how many failed, and of how many the text was not read whole."""

    rows: int
    failed: int
    truncated: int


Take = Callable[[bytes, Chunk, Tally], None]  # results, and of which rows


@dataclass(frozen=True, slots=True)
class Route:
    """From where to where a job goes.

    Args:
        sources: what is read.
        text_field: the key or column of the text.
        place: of the output, see `place_of`.
        resume: whether to go on with a job that was stopped, if there is one.
    """

    sources: Sequence[Source]
    text_field: str
    place: Path
    resume: bool = False


class Work(Protocol):
    """What is done with the rows of a job."""

    def identity(self) -> Mapping[str, Any]:
        """Return what has to be the same for the job to go on, besides its input."""

    def writer(self) -> Writer:
        """Return how results are written."""

    def resumed(self, done: Done, rows: Path) -> None:
        """Take notice of the results of earlier runs, which are at the start of a file."""

    def engine(self, start: Position) -> Engine:
        """Return who answers, from a place in the input on."""


def keep(work: Work, route: Route, watch: Watch = SILENT) -> Counts:
    """Do work on all rows, or go on with it, so that it may be killed at any moment.

    Args:
        work: what is done.
        route: from where to where.
        watch: is told how it goes.

    Returns:
        How many rows were done, and how many of them failed.

    Raises:
        InputError: for a file that cannot be read or written, or that changed while it was read,
            an output that is read, or work that cannot go on.
        KeyboardInterrupt: when it comes; of a stream, which nobody can read again, what is done is
            put in its place before.
    """
    place = route.place
    streamed = any(source.is_stream for source in route.sources)
    if streamed and route.resume:
        raise InputError(
            "A stream cannot be read again; give a file, or leave resume=True (--resume) out."
        )
    check_apart(place, "output", read_from(route.sources))
    check_starts(route.sources, route.text_field)
    folder = folder_of(place)
    advice = f"what was found is kept in {folder}. Delete that folder and "
    states = InputStates(route.sources, advice)
    identity = _identity(work, route, STREAM if streamed else states.begun)
    journal = Journal(folder, identity, resume=route.resume)
    stays, filling = True, _Filling(work, route, watch, states)
    try:
        if journal.is_moved and not place.exists():
            raise InputError(
                f"The job in {folder} is finished, but its output {place} is not there any more; "
                "bring it back, or delete that folder to begin again."
            )
        writer = work.writer()
        counts = _counts_of(journal.done)
        if journal.done.rows:
            watch.progress(counts)  # nothing may be left to do, but rows may have failed
            rows = journal.rows_file
            work.resumed(journal.done, rows if rows.exists() else place)
        if not journal.is_finished:
            counts = _fill(journal, writer, filling)
            states.check()
            journal.finish()
        _put_in_place(journal, writer, place, folder)
        stays = False
    except BaseException:
        if streamed and journal.done.rows:
            watch.left(journal.done.rows, journal.rows_file)
        raise
    finally:
        journal.close(remove=not (stays and journal.done.rows))
    if filling.stopped:
        watch.left(journal.done.rows, place)
        raise KeyboardInterrupt
    return counts


def _counts_of(done: Done) -> Counts:
    """Return the counts of a run that goes on from what is done, before it has begun."""
    return Counts(done.rows, done.failed, done.truncated, resumed=done.rows)


def _identity(work: Work, route: Route, given: str) -> dict[str, Any]:
    """Return what has to be the same for a job to go on, the state of its input among it."""
    return {
        "version of onepass": __version__,
        INPUT: given,
        "text field": route.text_field,
        "limit of a line": max(source.most for source in route.sources),
        **work.identity(),
    }


def _fill(journal: Journal, writer: Writer, filling: _Filling) -> Counts:
    """Keep the results of all chunks that are still to do."""
    if journal.done == Done():
        journal.add(writer.head())

    def take(data: bytes, chunk: Chunk, own: Tally) -> None:
        journal.add(
            data,
            chunk.end,
            rows=own.rows,
            failed=own.failed,
            truncated=own.truncated,
            bytes_read=chunk.bytes_read,
        )

    counts = filling.run(writer, journal.done, take)
    if filling.stopped and not journal.done.rows:
        raise KeyboardInterrupt
    return counts


def _put_in_place(journal: Journal, writer: Writer, place: Path, folder: Path) -> None:
    if journal.rows_file.exists():  # else it was put there before the job was killed
        try:
            whole = writer.converted(journal.rows_file, folder / RESULT)
        except OSError as error:
            raise InputError(f"{folder} cannot be written: {error}; {journal.advice}.") from error
        journal.move(whole, place)


def pass_on(
    work: Work, route: Route, write: Callable[[str], None], watch: Watch = SILENT
) -> Counts:
    """Do work on all rows whose results are taken as they come; nothing is kept.

    Args:
        work: what is done.
        route: from where; its place is not used.
        write: takes the results of some rows.
        watch: is told how it goes.

    Returns:
        How many rows were done, and how many of them failed.

    Raises:
        OnepassError: as `keep` does; what was written until then stays so.
    """
    check_starts(route.sources, route.text_field)
    states = InputStates(route.sources)
    writer, filling = work.writer(), _Filling(work, route, watch, states)
    head = writer.head()

    def take(data: bytes, _chunk: Chunk, _own: Tally) -> None:
        nonlocal head
        write((head + data).decode())
        head = b""

    counts = filling.run(writer, Done(), take)
    if filling.stopped:
        raise KeyboardInterrupt
    write(head.decode())  # of an input without rows
    states.check()
    return counts


class _Filling:
    """Asks for all rows that are left, or for those of a stream until it is stopped.

    Args:
        work: what is done.
        route: from where.
        watch: is told how it goes.
        states: of the input, which are checked from time to time.
    """

    def __init__(self, work: Work, route: Route, watch: Watch, states: InputStates) -> None:
        self._work, self._route = work, route
        self._watch, self._states = watch, states
        self._stop = Stop()

    @property
    def stopped(self) -> bool:
        """Whether the stream was stopped; what was read of it, but not ahead, is answered."""
        return self._stop.came

    def run(self, writer: Writer, begun: Done, take: Take) -> Counts:
        """Hand over the results of all chunks that are still to do.

        Args:
            writer: says how results are written.
            begun: what is done already.
            take: gets the results of each chunk.

        Returns:
            How many rows are done, and how many of them failed.
        """
        sources, begin = self._route.sources, time.monotonic()
        total = sum(source.size() for source in sources)
        engine = self._work.engine(begun.position)
        counts = _counts_of(begun)
        chunks = read_chunks(sources, self._route.text_field, begun.position, stop=self._stop)
        try:
            with closing(engine(chunks)) as answered:
                for chunk, answers in answered:
                    results = joined_results(chunk, answers)
                    bad = [row for row in results if isinstance(row, BadRow)]
                    cut = sum(isinstance(one, Read) and one.truncated for one in answers)
                    own = Tally(len(results), len(bad), cut)
                    take(writer.chunk(results), chunk, own)
                    counts = Counts(
                        rows=counts.rows + own.rows,
                        failed=counts.failed + own.failed,
                        truncated=counts.truncated + own.truncated,
                        resumed=begun.rows,
                        bytes_read=chunk.bytes_read,
                        bytes_begun=begun.bytes_read,
                        bytes_total=total,
                        seconds=time.monotonic() - begin,
                    )
                    self._tell(bad, counts)
                    self._states.check_if_due()
        except KeyboardInterrupt:
            if not any(source.is_stream for source in sources):
                raise
            self._stop.came = True
        return counts

    def _tell(self, bad: Sequence[BadRow], counts: Counts) -> None:
        for row in bad:
            self._watch.failure(row.place, row.error)
        self._watch.progress(counts)
