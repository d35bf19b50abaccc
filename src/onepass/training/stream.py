"""Questions drawn from a mixture, in batches of about equal length, forever and reproducibly.

A pool of examples is drawn and asked, sorted by length, cut into batches, and the batches are
shuffled. It knows nothing of the model: a function turns a question into passes over its text.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from onepass.corpus.question import Question
from onepass.errors import InputError, OnepassError
from onepass.training.data import Mixture
from onepass.training.sampling import Sampler
from onepass.training.trainee import Ask, Asked

One = TypeVar("One", bound=Asked)


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How large batches are.

    Attributes:
        batch_pieces: padded pieces of one batch; one pass is always enough for a batch.
        max_batch: largest number of passes in a batch.
        max_pieces: longest sequence, prompt included; the text is cut there.
        pool: examples that are sorted by length together.
    """

    batch_pieces: int = 4096
    max_batch: int = 64
    max_pieces: int = 512
    pool: int = 768


class QuestionStream:
    """Batches of questions.

    Args:
        mixture: where examples come from.
        sampler: what is asked of them.
        ask: turns a question into passes, such as `Trainee.ask`.
        options: how large batches are.
        seed: of the questions and of the order of batches.
        share: number of this reader, and of how many; each takes its turn at a pool.

    Attributes:
        seen: examples that were used or skipped so far; one counts with its first pass.
        skipped: examples among them that could not be asked: nothing was annotated in them that
            this checkpoint answers, or their prompt left no room for a word of the text.
    """

    def __init__(
        self,
        mixture: Mixture,
        sampler: Sampler,
        ask: Ask,
        options: BatchOptions,
        *,
        seed: int = 0,
        share: tuple[int, int] = (0, 1),
    ) -> None:
        self.seen = self.skipped = 0
        self._mixture, self._sampler, self._ask = mixture, sampler, ask
        self._options, self._seed, self._share = options, seed, share
        self._pool = 0  # number of the pool that is being consumed
        self._taken = 0  # batches of it that were handed out
        self._at_pool = mixture.state()
        self._places: dict[int, str] = {}  # of the passes of the present pool, by identity

    def batches(self) -> Iterator[list[Any]]:
        """Yield batches forever.

        Raises:
            InputError: if not one example of a pool can be asked.
        """
        while True:
            self._skip_pools()
            batches, firsts = self._open_pool()
            for batch in batches[self._taken :]:
                self._taken += 1
                self.seen += sum(id(one) in firsts for one in batch)
                yield batch
            self._pool += 1
            self._taken = 0

    def _skip_pools(self) -> None:
        """Go on to the next pool of this reader."""
        own, readers = self._share
        while self._pool % readers != own:
            self._mixture.skip(self._options.pool, random.Random(f"{self._seed}/{self._pool}"))
            self._pool += 1

    def _open_pool(self) -> tuple[list[list[Any]], set[int]]:
        """Draw, ask and batch the next pool; the same again if it was begun before.

        Returns:
            The batches, and the identity of the first pass of every example.
        """
        options = self._options
        self._at_pool = self._mixture.state()
        rng = random.Random(f"{self._seed}/{self._pool}")
        examples = self._mixture.draw(options.pool, rng)
        questions = [self._sampler.question(one.example, rng, one.source) for one in examples]
        passes = [
            passes_of(question, self._ask, options.max_pieces, drawn.place)
            for question, drawn in zip(questions, examples, strict=True)
        ]
        asked = [own for own in passes if own]
        if not asked:
            raise InputError(
                f"None of {len(examples)} examples drawn could be asked: either nothing is "
                "annotated in them that this checkpoint answers (one that relates entities needs "
                "entity labels beside relations), or their labels are longer than its spans or "
                f"than the {options.max_pieces} pieces of max_pieces leave room for."
            )
        if not self._taken:
            self.seen += len(examples) - len(asked)
            self.skipped += len(examples) - len(asked)
        self._places = {
            id(one): drawn.place for own, drawn in zip(passes, examples, strict=True) for one in own
        }
        batches = split_by_length([one for own in asked for one in own], options)
        rng.shuffle(batches)
        return batches, {id(own[0]) for own in asked}

    def places(self, batch: Sequence[Any]) -> list[str]:
        """Return where the examples of the batch that was handed out last stand."""
        return sorted({self._places[id(one)] for one in batch})

    def state(self) -> dict[str, Any]:
        """Return the position, as JSON."""
        return {
            "pool": self._pool,
            "taken": self._taken,
            "seen": self.seen,
            "skipped": self.skipped,
            "mixture": self._at_pool,
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue where a `state` was taken; `batches` must not have been called yet."""
        self._mixture.restore(state["mixture"])
        self._pool, self._taken = int(state["pool"]), int(state["taken"])
        self.seen, self.skipped = int(state["seen"]), int(state["skipped"])


def passes_of(question: Question, ask: Ask, max_pieces: int, place: str) -> Sequence[Any]:
    """Return the passes that ask a question of an example.

    Args:
        question: what is asked.
        ask: turns it into passes.
        max_pieces: longest sequence, prompt included.
        place: where the example stands.

    Raises:
        InputError: naming the place, if it cannot be asked.
    """
    try:
        return ask(question, max_pieces)
    except OnepassError as error:
        raise InputError(f"{place}: {error}") from error


def split_by_length(asked: Sequence[One], options: BatchOptions) -> list[list[One]]:
    """Return batches of similar length, shortest first.

    Args:
        asked: passes.
        options: how large batches may be.
    """
    batches: list[list[One]] = []
    for one in sorted(asked, key=lambda one: one.reading.pieces):
        longest = one.reading.pieces  # sorted: the newest is the longest
        if (
            not batches
            or (len(batches[-1]) + 1) * longest > options.batch_pieces
            or len(batches[-1]) >= options.max_batch
        ):
            batches.append([])
        batches[-1].append(one)
    return batches
