"""Several processes that answer, with a model each; what they find comes back in order.

They know chunks and answers, not files.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache
from multiprocessing.connection import Connection, wait
from multiprocessing.context import SpawnContext, SpawnProcess
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Answer, Request, answers, open_model
from onepass.batch.engines import Answered, Engine
from onepass.batch.job import ModelChoice
from onepass.batch.rows import Chunk
from onepass.errors import BackendError, InputError

if TYPE_CHECKING:
    from onepass.extractor import Extractor

_AHEAD = 2  # chunks that wait for each process, so that none has to wait for this one
_MOST_ON_WINDOWS = 61  # processes that it waits for at once; Python's pool refuses more
_SAFE = "PYTHONSAFEPATH"
_asked: tuple[ModelChoice, Request] | None = None  # of a worker process
_hands_over = threading.Lock()  # held by a worker but while it computes
_starts = threading.RLock()  # held while a process starts: the environment is of all threads


def in_processes(choice: ModelChoice, request: Request, workers: int) -> Engine:
    """Return an engine of several processes; results come in the order of the chunks.

    Args:
        choice: the model that each of them opens once.
        request: what is asked.
        workers: how many.

    Raises:
        InputError: for more than Windows takes, there.
        BackendError: when a process dies, such as for want of memory.
    """
    if sys.platform == "win32" and workers > _MOST_ON_WINDOWS:
        raise InputError(
            f"Windows takes at most {_MOST_ON_WINDOWS} worker processes, but {workers} were asked "
            "for; give fewer workers (--workers)."
        )
    choice = choice.of_worker()

    def run(chunks: Iterable[Chunk]) -> Answered:
        context = _Context()  # a runtime's threads do not fork
        told, end = context.Pipe(duplex=False)
        with _out_of_hangup(), _out_of_this_directory():
            pool = ProcessPoolExecutor(
                workers,
                mp_context=context,
                initializer=_start,
                initargs=(choice, request.to_dict(), told),
            )
        try:
            yield from _ordered(pool, chunks, workers * _AHEAD)
        except BrokenProcessPool as error:
            raise BackendError(
                "A worker process died, perhaps for want of memory; "
                "give fewer workers (--workers), and resume=True (--resume) to go on."
            ) from error
        finally:
            end.close()  # what is computed now is of no use: nobody shall wait for it
            pool.shutdown(wait=True, cancel_futures=True)
            told.close()

    return run


@contextmanager
def _out_of_hangup() -> Iterator[None]:
    """Start what cleans up after a pool so that it outlives a terminal that is closed."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _out_of_this_directory() -> Iterator[None]:
    """Start Python so that a ``types.py`` beside the data is not run in place of Python's own.

    A new process looks for modules where this one does as soon as it was told; until then it would
    look into the current directory first.
    """
    with _starts:
        before = os.environ.get(_SAFE)
        os.environ[_SAFE] = "1"
        try:
            yield
        finally:
            os.environ.pop(_SAFE, None)
            if before is not None:
                os.environ[_SAFE] = before


class _Process(SpawnProcess):
    """A worker; the pool starts one when a chunk comes and all others are busy."""

    def start(self) -> None:
        with _out_of_this_directory():
            super().start()


class _Context(SpawnContext):
    Process = _Process


def _ordered(pool: ProcessPoolExecutor, chunks: Iterable[Chunk], ahead: int) -> Answered:
    waiting: deque[tuple[Chunk, Future[list[Answer]]]] = deque()
    for chunk in chunks:
        waiting.append((chunk, pool.submit(_answer, chunk.texts)))
        while waiting and (chunk.paused or len(waiting) >= ahead):
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


def _start(choice: ModelChoice, request: dict[str, Any], told: Connection) -> None:
    """Make a new process ready; it ends when the one that started it does, however that ends.

    Args:
        choice: the model.
        request: what is asked.
        told: is closed at its other end when no more answers are wanted.
    """
    global _asked
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    if sys.platform != "win32":
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # and so is a terminal that is closed
    _hands_over.acquire()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    threading.Thread(target=_end_if_told, args=(told,), daemon=True).start()
    _asked = choice, Request.from_dict(request)


def _end_if_told(told: Connection) -> None:
    """End in the middle of an answer, but never of a message, whose rest would be waited for."""
    wait([told])
    with _hands_over:
        os._exit(1)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(texts: list[str]) -> list[Answer]:
    if _asked is None:
        raise RuntimeError("This process was not started by in_processes().")
    choice, request = _asked
    _hands_over.release()
    try:
        return answers(_model(choice), request, texts)
    finally:
        _hands_over.acquire()


@cache
def _model(choice: ModelChoice) -> Extractor:
    return open_model(choice)
