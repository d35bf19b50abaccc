"""The batcher: one thread that reads the texts of many requests together.

Texts wait in one line. Whoever is first decides which question is read next; others with an equal
question are read with it, up to a budget of characters. Texts of other questions keep their places.
It knows nothing about HTTP.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import partial
from threading import Condition, Thread
from time import perf_counter

from onepass.errors import OnepassError, SchemaError
from onepass.models.cancelling import Unwanted, while_wanted
from onepass.results.types import Extraction
from onepass.serving.metrics import Metrics
from onepass.serving.question import Question
from onepass.serving.settings import Settings, with_flag
from onepass.serving.traces import where

__all__ = ["Batcher", "Closed", "Failed", "Full", "Outcome"]

_WINDOW = 2000  # characters of a text that are read with one copy of the schema, about
_SMOOTHING = 0.2  # share of the newest batch in what is known of the speed

log = logging.getLogger("onepass.serving")


class Full(Exception):
    """The line is too long.

    Args:
        reason: the limit that is reached, as half a sentence.
        wait: seconds after which it is expected to be short enough.
    """

    def __init__(self, reason: str, wait: float) -> None:
        super().__init__(reason)
        self.wait = wait


class Closed(Exception):
    """Nothing is taken any more."""


class Failed(Exception):
    """A text could not be read, for a reason that is not its own."""


_GIVEN_UP = Failed()  # nobody waits for it
Outcome = Extraction | OnepassError | Failed  # of one text
Read = Callable[[Sequence[str], Question], Sequence[Outcome]]


@dataclass(slots=True, eq=False)
class _Ticket:
    """The texts of a request."""

    question: Question
    texts: Sequence[str]
    arrived: float
    left: int
    counted: bool
    future: Future[list[Outcome]] = field(default_factory=Future)
    outcomes: dict[int, Outcome] = field(default_factory=dict)

    def settle(self, number: int, outcome: Outcome) -> None:
        self.outcomes[number] = outcome
        self.left -= 1
        # From the second on, nobody can cancel it between the question and the answer.
        if not self.left and self.future.set_running_or_notify_cancel():
            self.future.set_result([self.outcomes[n] for n in range(len(self.texts))])


@dataclass(frozen=True, slots=True, eq=False)
class _Item:
    """One text of a ticket."""

    ticket: _Ticket
    number: int
    cost: int  # characters that a model reads for it: the schema is read with each text

    @property
    def text(self) -> str:
        return self.ticket.texts[self.number]


def _is_wanted(batch: Sequence[_Item]) -> bool:
    """Say whether anybody waits for one of these texts."""
    return not all(item.ticket.future.cancelled() for item in batch)


@dataclass(frozen=True, slots=True)
class _Speed:
    """What batches cost and took; both are means in which the newest counts most.

    Two means, not one of the ratio: a long batch says more than a short one.
    """

    seconds: float
    cost: float

    @classmethod
    def after(cls, before: _Speed | None, seconds: float, cost: int) -> _Speed:
        """Return the speed after another batch."""
        if before is None:
            return cls(seconds, cost)
        return cls(
            before.seconds + _SMOOTHING * (seconds - before.seconds),
            before.cost + _SMOOTHING * (cost - before.cost),
        )


class Batcher:
    """Takes texts, reads them in batches, and keeps its line short.

    Args:
        read: returns an outcome of each text; called from one thread at a time.
        settings: the limits of the line and of a batch.
        metrics: that count what happens.

    >>> from onepass import Extractor
    >>> from onepass.serving.question import question_of
    >>> model = Extractor()
    >>> batcher = Batcher(lambda texts, asked: asked.request.many(model, texts), Settings(),
    ...                   Metrics())
    >>> asked = question_of({"entities": ["person"]})
    >>> [doc.entities[0].text for doc in batcher.submit(["Tim Cook runs Apple."], asked).result()]
    ['Tim Cook']
    >>> batcher.close()
    """

    def __init__(self, read: Read, settings: Settings, metrics: Metrics) -> None:
        self._read = read
        self._settings = settings
        self._delay = settings.batch_delay_ms / 1000  # seconds
        self._metrics = metrics
        self._line: deque[_Item] = deque()
        self._changed = Condition()
        self._closing = False
        self._running = 0  # cost of the batch that is being read
        self._speed: _Speed | None = None  # unknown until the second batch is done
        self._warm = False  # the first batch also pays for what happens only once
        self._thread = Thread(target=self._work, name="onepass-batcher", daemon=True)
        self._thread.start()

    # -- the side of the requests ----------------------------------------------------------------

    @property
    def alive(self) -> bool:
        """Whether texts are taken."""
        return self._thread.is_alive() and not self._closing

    @property
    def waiting(self) -> int:
        """How many texts wait."""
        return len(self._line)

    def submit(
        self, texts: Sequence[str], question: Question, *, counted: bool = True
    ) -> Future[list[Outcome]]:
        """Put texts at the end of the line.

        Args:
            texts: of one request, at least one.
            question: what is asked of them.
            counted: whether metrics count them; not those that nobody sent.

        Returns:
            A future of one outcome a text, in their order. If it is canceled, those of the texts
            that still wait are not read, and a batch that nobody waits for is given up.

        Raises:
            Full: if the line is too long; an empty line takes any request.
            Closed: after `close`.
        """
        ticket = _Ticket(question, texts, perf_counter(), len(texts), counted)
        with self._changed:
            if self._closing or not self._thread.is_alive():
                raise Closed
            self._forget_canceled()
            if self._line:
                self._check_room(len(texts))
            self._line.extend(
                _Item(ticket, number, len(text) + question.chars * (1 + len(text) // _WINDOW))
                for number, text in enumerate(texts)
            )
            self._changed.notify()
        return ticket.future

    def close(self) -> None:
        """Take nothing more, read what was taken, and return when that is done."""
        with self._changed:
            self._closing = True
            self._changed.notify()
        self._thread.join()

    def _check_room(self, texts: int) -> None:
        """Refuse texts for which there is no room in the line."""
        waiting, wait, most = len(self._line), self._expected_wait(), self._settings
        if waiting + texts > most.queue_texts:
            raise Full(
                f"With those of this request {waiting + texts} texts would wait, but "
                f"{with_flag('queue_texts')} of this service is {most.queue_texts}",
                wait,
            )
        if wait > most.queue_seconds:
            raise Full(
                f"The texts that wait take about {wait:.1f} seconds, but "
                f"{with_flag('queue_seconds')} of this service is {most.queue_seconds:g}",
                wait,
            )

    def _expected_wait(self) -> float:
        """Return the seconds until all that was taken is read."""
        if self._speed is None:
            return 0.0
        cost = sum(item.cost for item in self._line) + self._running
        return cost * self._speed.seconds / self._speed.cost

    def _forget_canceled(self) -> None:
        """Drop texts that nobody waits for."""
        kept = [item for item in self._line if not item.ticket.future.cancelled()]
        if len(kept) < len(self._line):
            self._metrics.count_dropped(len(self._line) - len(kept))
            self._line = deque(kept)

    # -- the side of the model -------------------------------------------------------------------

    def _work(self) -> None:
        try:
            self._read_all()
        except BaseException as error:  # noqa: BLE001  the texts that wait get no answer
            log.error("the thread that reads ended: %s", where(error))

    def _read_all(self) -> None:
        while batch := self._next():
            began = perf_counter()
            for item in batch:
                if item.ticket.counted:
                    self._metrics.observe_wait(began - item.ticket.arrived)
            outcomes = self._outcomes(batch)
            seconds = perf_counter() - began
            self._count(batch, outcomes, seconds)
            for item, outcome in zip(batch, outcomes, strict=True):
                item.ticket.settle(item.number, outcome)

    def _next(self) -> list[_Item]:
        """Wait for texts and return those that are read now; none after the last one."""
        with self._changed:
            while True:
                self._forget_canceled()
                if not self._line:
                    if self._closing:
                        return []
                    self._changed.wait()
                    continue
                batch, full = self._batch()
                age = perf_counter() - self._line[0].ticket.arrived
                if full or self._closing or age >= self._delay:
                    taken = set(map(id, batch))
                    self._line = deque(item for item in self._line if id(item) not in taken)
                    self._running = sum(item.cost for item in batch)
                    return batch
                self._changed.wait(self._delay - age)

    def _batch(self) -> tuple[list[_Item], bool]:
        """Return what the first text is read with, and whether no more would fit."""
        question = self._line[0].ticket.question
        batch: list[_Item] = []
        cost = 0
        for item in self._line:
            if item.ticket.question != question:
                continue
            cost += item.cost
            if batch and cost > self._settings.batch_chars:
                return batch, True
            batch.append(item)
            if len(batch) == self._settings.batch_texts:
                return batch, True
        return batch, cost >= self._settings.batch_chars

    def _outcomes(self, batch: Sequence[_Item]) -> list[Outcome]:
        """Read texts together; if that fails because of one of them, read each by itself."""
        question = batch[0].ticket.question
        try:
            with while_wanted(partial(_is_wanted, batch)):
                return list(self._read([item.text for item in batch], question))
        except Unwanted:
            self._metrics.count_dropped(len(batch))
            return [_GIVEN_UP] * len(batch)
        except SchemaError as error:  # it is the question's fault
            return [error] * len(batch)
        except OnepassError as error:  # it may be that of one of them
            if len(batch) == 1:
                # Its traceback would hold all that was found in the text, for long: the frames
                # know the future that holds the error, a cycle.
                return [error.with_traceback(None)]
        except BaseException as error:  # noqa: BLE001  one text must not end the service
            log.error("a batch of %d failed: %s", len(batch), where(error))
            if len(batch) == 1:
                return [Failed()]
        return list(self._each(batch))

    def _each(self, batch: Sequence[_Item]) -> Iterator[Outcome]:
        for item in batch:
            yield from self._outcomes([item])

    def _count(self, batch: Sequence[_Item], outcomes: Sequence[Outcome], seconds: float) -> None:
        read = [
            (item, one)
            for item, one in zip(batch, outcomes, strict=True)
            if isinstance(one, Extraction)
        ]
        counted = [one for item, one in read if item.ticket.counted]
        if counted:
            self._metrics.observe_batch(
                texts=len(counted),
                chars=sum(doc.coverage.chars_read for doc in counted),
                windows=sum(doc.coverage.windows for doc in counted),
                seconds=seconds,
            )
        given_up = any(one is _GIVEN_UP for one in outcomes)
        with self._changed:
            # What was given up or refused says nothing of the speed.
            if self._warm and read and not given_up:
                self._speed = _Speed.after(self._speed, seconds, self._running)
            self._warm = True
            self._running = 0
