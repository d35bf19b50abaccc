"""Batches that other processes draw and build, so that the one that trains need not wait for them.

Each of these processes is a reader of the same data and takes its turn at a pool, as the processes
of a distributed run do; batches are handed out in turn, so the order does not depend on who is
faster. It knows neither the model nor the loop.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils.data import DataLoader, IterableDataset, get_worker_info

from onepass.errors import InputError, OnepassError
from onepass.training.stream import QuestionStream

_AHEAD = 4  # batches that each process holds ready
_WATCH = 2.0  # seconds between two looks at the process that trains

Build = Callable[[Sequence[Any]], Any]


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Passes that are trained on together.

    Attributes:
        asked: the passes; of a built batch none, which spares their way between processes.
        places: where their examples stand.
        built: what the trainee makes of them; None where that is still to be done.
    """

    asked: Sequence[Any]
    places: Sequence[str]
    built: Any = None


class Direct:
    """Batches of a stream that are drawn and built by the process that trains, when it wants them.

    Args:
        stream: what is asked.
    """

    def __init__(self, stream: QuestionStream) -> None:
        self._stream = stream

    @property
    def seen(self) -> int:
        """Return how many examples were used or skipped so far."""
        return self._stream.seen

    @property
    def skipped(self) -> int:
        """Return how many of them could not be asked."""
        return self._stream.skipped

    def batches(self) -> Iterator[Batch]:
        """Yield batches forever."""
        for asked in self._stream.batches():
            yield Batch(asked, self._stream.places(asked))

    def state(self) -> dict[str, Any]:
        """Return the position in the data, as JSON."""
        return self._stream.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a `state` was taken.

        Raises:
            InputError: if it is of a run with loaders.
        """
        _check_readers(state, 0)
        self._stream.restore(state)


@dataclass(frozen=True, slots=True, eq=False)
class _Loaded:
    """A batch and where its reader stands behind it; in place of the batch what went wrong."""

    batch: Batch | OnepassError
    seen: int
    skipped: int
    state: Mapping[str, Any]


class Loaders:
    """Batches of several streams, each drawn and built in a process of its own.

    Args:
        streams: one a process; each must be another reader of the same data.
        build: turns passes into what is trained on, such as `Trainee.build`; it computes on the
            CPU.

    Raises:
        InputError: if this system cannot start processes as they are needed here.
    """

    def __init__(self, streams: Sequence[QuestionStream], build: Build) -> None:
        if "fork" not in multiprocessing.get_all_start_methods():
            raise InputError("'loaders' needs a system that forks processes; give 0.")
        self._streams, self._build = streams, build
        self._states: list[Mapping[str, Any]] = [stream.state() for stream in streams]
        self._seen = [stream.seen for stream in streams]
        self._skipped = [stream.skipped for stream in streams]
        self._next = 0  # whose turn it is

    @property
    def seen(self) -> int:
        """Return how many examples were used or skipped so far."""
        return sum(self._seen)

    @property
    def skipped(self) -> int:
        """Return how many of them could not be asked."""
        return sum(self._skipped)

    def batches(self) -> Iterator[Batch]:
        """Yield batches forever.

        Raises:
            OnepassError: what a stream raises.
        """
        count, first = len(self._streams), self._next
        turns = [self._streams[(first + turn) % count] for turn in range(count)]
        loaded = DataLoader(
            _Readers(turns, self._build), batch_size=None, num_workers=count,
            prefetch_factor=_AHEAD, multiprocessing_context="fork",
            generator=torch.Generator(),  # its own: that of dropout goes on as without loaders
        )  # fmt: skip
        for one in loaded:
            if isinstance(one.batch, OnepassError):
                raise one.batch
            reader = self._next
            self._seen[reader], self._skipped[reader] = one.seen, one.skipped
            self._states[reader] = one.state
            self._next = (reader + 1) % count
            yield one.batch

    def state(self) -> dict[str, Any]:
        """Return the position in the data, as JSON."""
        return {"readers": list(self._states), "next": self._next}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a `state` was taken; `batches` must not have been called yet.

        Raises:
            InputError: if it is of another number of loaders.
        """
        _check_readers(state, len(self._streams))
        for reader, (stream, own) in enumerate(zip(self._streams, state["readers"], strict=True)):
            stream.restore(own)
            self._states[reader] = own
            self._seen[reader], self._skipped[reader] = stream.seen, stream.skipped
        self._next = int(state["next"])


class _Readers(IterableDataset[_Loaded]):
    """What the processes of `Loaders` run, each on the stream of its number."""

    def __init__(self, streams: Sequence[QuestionStream], build: Build) -> None:
        self._streams, self._build = streams, build

    def __iter__(self) -> Iterator[_Loaded]:
        worker = get_worker_info()
        assert worker is not None
        # The library would start as many threads as there are cores, in every loader.
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
        stream = self._streams[worker.id]
        try:
            for asked in stream.batches():
                yield self._loaded(stream, self._built(asked, stream.places(asked)))
        except OnepassError as error:  # raised by the process that trains, as one sentence
            yield self._loaded(stream, error)

    def _built(self, asked: Sequence[Any], places: Sequence[str]) -> Batch:
        try:
            return Batch((), places, self._build(asked))
        except Exception:  # noqa: BLE001  raised again where failed batches are counted
            return Batch(asked, places)

    def _loaded(self, stream: QuestionStream, batch: Batch | OnepassError) -> _Loaded:
        return _Loaded(batch, stream.seen, stream.skipped, stream.state())


def _end_with(parent: int) -> None:
    """End this process when the one that trains is gone.

    torch's own watch ends the loop of a loader, which then waits for good to hand over a batch that
    nobody reads.
    """
    while os.getppid() == parent:
        time.sleep(_WATCH)
    os._exit(1)


def _check_readers(state: Mapping[str, Any], loaders: int) -> None:
    """Refuse the position of a run with another number of loaders."""
    before = len(state["readers"]) if "readers" in state else 0
    if before != loaders:
        raise InputError(
            f"The run to resume had {before} loaders, but this one has {loaders}; give the same "
            "number, or start without resume."
        )
