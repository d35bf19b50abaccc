"""Several processes that answer, with a model each; what they find comes back in order.

They know chunks and answers, not files.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from functools import cache
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any

from onepass.batch.answering import Answer, Request, answers, open_model
from onepass.batch.engines import Answered, Engine
from onepass.batch.job import ModelChoice
from onepass.batch.rows import Chunk
from onepass.errors import BackendError

if TYPE_CHECKING:
    from onepass.extractor import Extractor

_AHEAD = 2  # chunks that wait for each process, so that none has to wait for this one
_asked: tuple[ModelChoice, Request] | None = None  # of a worker process


def in_processes(choice: ModelChoice, request: Request, workers: int) -> Engine:
    """Return an engine of several processes; results come in the order of the chunks.

    Args:
        choice: the model that each of them opens once.
        request: what is asked.
        workers: how many.

    Raises:
        BackendError: when a process dies, such as for want of memory.
    """
    choice = replace(choice, threads=choice.threads or 1)

    def run(chunks: Iterable[Chunk]) -> Answered:
        pool = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),  # a runtime's threads do not fork
            initializer=_start,
            initargs=(choice, request.to_dict()),
        )
        try:
            yield from _ordered(pool, chunks, workers * _AHEAD)
        except BrokenProcessPool as error:
            raise BackendError(
                "A worker process died, perhaps for want of memory; "
                "give fewer --workers, and --resume to go on."
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)

    return run


def _ordered(pool: ProcessPoolExecutor, chunks: Iterable[Chunk], ahead: int) -> Answered:
    waiting: deque[tuple[Chunk, Future[list[Answer]]]] = deque()
    for chunk in chunks:
        waiting.append((chunk, pool.submit(_answer, chunk.texts)))
        if len(waiting) >= ahead:
            first, future = waiting.popleft()
            yield first, future.result()
    while waiting:
        first, future = waiting.popleft()
        yield first, future.result()


def _start(choice: ModelChoice, request: dict[str, Any]) -> None:
    """Make a new process ready; it ends when the one that started it does, however that ends."""
    global _asked
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that started it
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _asked = choice, Request.from_dict(request)


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _answer(texts: list[str]) -> list[Answer]:
    if _asked is None:
        raise RuntimeError("This process was not started by in_processes().")
    choice, request = _asked
    return answers(_model(choice), request, texts)


@cache
def _model(choice: ModelChoice) -> Extractor:
    return open_model(choice)
