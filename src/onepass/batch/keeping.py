"""The run of any work on rows: sources, chunks, answers, bytes on disk, from where it stopped.

It does not know what is asked of the rows, nor what an answer is.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from onepass import __version__
from onepass.batch.columns import check_starts
from onepass.batch.engines import Engine
from onepass.batch.folder import RESULT, folder_of
from onepass.batch.job import Counts
from onepass.batch.journal import INPUT, STREAM, Done, Journal
from onepass.batch.reading import Stop, read_chunks
from onepass.batch.rows import START, BadRow, Position
from onepass.batch.sources import Source, is_one_file
from onepass.batch.states import digest, state
from onepass.batch.streams import names_stream
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
_LOOK = 5.0  # seconds between two looks at the state of the input
_SHARE = 50  # of the time of a job, at most one in so many goes into looks at many files


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
            or work that cannot go on.
        KeyboardInterrupt: when it comes; of a stream, which nobody can read again, what is done is
            put in its place before.
    """
    place = route.place
    streamed = any(source.is_stream for source in route.sources)
    if streamed and route.resume:
        raise InputError(
            "A stream cannot be read again; give a file, or leave resume=True (--resume) out."
        )
    _check_apart(route)
    check_starts(route.sources, route.text_field)
    folder = folder_of(place)
    states = _States(route.sources, f"what was found is kept in {folder}. Delete that folder and ")
    identity = _identity(work, route, STREAM if streamed else states.begun)
    in_place = any(is_one_file(place, path) for path in _paths(route))
    journal = Journal(folder, identity, resume=route.resume, in_place=in_place)
    stays, stop = True, Stop()
    try:
        if journal.is_moved and not place.exists():
            raise InputError(
                f"The job in {folder} is finished, but its output {place} is not there any more; "
                "bring it back, or delete that folder to begin again."
            )
        writer = work.writer()
        counts = Counts(journal.done.rows, journal.done.failed, journal.done.rows)
        if journal.done.rows:
            watch.progress(counts)  # nothing may be left to do, but rows may have failed
            rows = journal.rows_file
            work.resumed(journal.done, rows if rows.exists() else place)
        if not journal.is_finished:
            counts = _fill(journal, writer, work, (route, watch, states, stop))
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
    if stop.came:
        watch.left(journal.done.rows, place)
        raise KeyboardInterrupt
    return counts


def _identity(work: Work, route: Route, given: str) -> dict[str, Any]:
    """Return what has to be the same for a job to go on, the state of its input among it."""
    return {
        "version of onepass": __version__,
        INPUT: given,
        "text field": route.text_field,
        "limit of a line": max(source.most for source in route.sources),
        **work.identity(),
    }


def _fill(
    journal: Journal, writer: Writer, work: Work, how: tuple[Route, Watch, _States, Stop]
) -> Counts:
    """Add the results of all chunks that are still to do, or of a stream until it is stopped."""
    route, watch, states, stop = how
    begun, start, total = journal.done, time.monotonic(), _bytes_of(route.sources)
    engine = work.engine(begun.position)
    if begun == Done():
        journal.add(writer.head())
    counts = Counts(begun.rows, begun.failed, begun.rows)
    chunks = read_chunks(route.sources, route.text_field, begun.position, stop=stop)
    try:
        with closing(engine(chunks)) as answered:
            for chunk, answers in answered:
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
                states.check_if_due()
    except KeyboardInterrupt:
        if not any(source.is_stream for source in route.sources):
            raise
        stop.came = True
    if stop.came and not journal.done.rows:
        raise KeyboardInterrupt
    return counts


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
    states = _States(route.sources)
    writer, engine = work.writer(), work.engine(START)
    start, total, head = time.monotonic(), _bytes_of(route.sources), writer.head().decode()
    done, counts = Done(), Counts()
    stop = Stop()
    with closing(engine(read_chunks(route.sources, route.text_field, stop=stop))) as answered:
        for chunk, answers in answered:
            results = joined_results(chunk, answers)
            bad = [row for row in results if isinstance(row, BadRow)]
            write(head + writer.chunk(results).decode())
            head = ""
            rows, failed = done.rows + len(results), done.failed + len(bad)
            done = Done(rows=rows, failed=failed, bytes_read=chunk.bytes_read)
            counts = _counted(done, Done(), total, start)
            _tell(watch, bad, counts)
            states.check_if_due()
    if stop.came:
        raise KeyboardInterrupt
    write(head)  # of an input without rows
    states.check()
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
            raise InputError(f"{folder} cannot be written: {error}; {journal.advice}.") from error
        journal.move(whole, place)


def place_of(output: Path) -> Path:
    """Return where a file will be written, through links.

    Raises:
        InputError: if no file can be written there.
    """
    place = Path(os.path.realpath(output))  # through links
    try:
        is_dir, has_parent = place.is_dir(), place.parent.is_dir()
        is_other = names_stream(output) or (place.exists() and not place.is_file())
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


def _paths(route: Route) -> list[Path]:
    return [path for source in route.sources for path in source.paths]


def _check_apart(route: Route) -> None:
    """Refuse an output that is one of several files of the input, which would change with it."""
    others = _paths(route)
    if len(others) > 1 and any(is_one_file(route.place, path) for path in others):
        raise InputError(
            f"The output {route.place} is one of the input files; write it elsewhere, or move it "
            "away."
        )


class _States:
    """Whether the files of an input are as they were when the job began; streams have no state.

    Args:
        sources: the input.
        advice: what to do once it changed, before the words "begin again".
    """

    def __init__(self, sources: Sequence[Source], advice: str = "") -> None:
        self._sources = () if any(source.is_stream for source in sources) else sources
        self._advice = advice
        self.begun = _input_digest(self._sources)
        self._due = time.monotonic() + _LOOK

    def check_if_due(self) -> None:
        """Check from time to time, so that a change is told soon, and not for each chunk."""
        if time.monotonic() >= self._due:
            self.check()

    def check(self) -> None:
        """Refuse an input that was written to, or removed, while it was read."""
        start = time.monotonic()
        try:
            now = _input_digest(self._sources)
        except OSError:
            now = ""
        if now != self.begun:
            raise InputError(
                "The input changed while it was read, so that rows may be missing, cut or there "
                f"twice; {self._advice}begin again, with an input that nobody writes to."
            )
        end = time.monotonic()
        self._due = end + max(_LOOK, (end - start) * _SHARE)


def _input_digest(sources: Sequence[Source]) -> str:
    """Return a digest of names, sizes and times of change."""

    def states() -> Iterator[str]:
        for source in sources:
            yield source.kind
            for path in source.paths:
                yield state(path, os.path.realpath(path))

    return digest(states())
