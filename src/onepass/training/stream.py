"""Questions drawn from a mixture, in batches of about equal length, forever and reproducibly.

A pool of examples is drawn and asked, sorted by length, cut into batches, and the batches are
shuffled. It knows the tokenizer and prompts of GLiNER2, not its network.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from onepass.corpus.question import Question
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import InputError
from onepass.models.gliner2.targets import Asked, ask
from onepass.training.data import Mixture
from onepass.training.sampling import Sampler


@dataclass(frozen=True, slots=True)
class BatchOptions:
    """How large batches are.

    Attributes:
        batch_pieces: padded pieces of one batch; one example is always enough for a batch.
        max_batch: largest number of examples in a batch.
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
        tokenizer: of the checkpoint.
        options: how large batches are.
        seed: of the questions and of the order of batches.

    Attributes:
        seen: examples that were used or skipped so far.
        skipped: examples among them that could not be asked: nothing was annotated in them, or
            their prompt left no room for a word of the text.
    """

    def __init__(
        self,
        mixture: Mixture,
        sampler: Sampler,
        tokenizer: PieceTokenizer,
        options: BatchOptions,
        *,
        seed: int = 0,
    ) -> None:
        self.seen = self.skipped = 0
        self._mixture, self._sampler, self._tokenizer = mixture, sampler, tokenizer
        self._options, self._seed = options, seed
        self._pool = 0  # number of the pool that is being consumed
        self._taken = 0  # batches of it that were handed out
        self._at_pool = mixture.state()

    def batches(self) -> Iterator[list[Asked]]:
        """Yield batches forever.

        Raises:
            InputError: if not one example of a pool can be asked.
        """
        while True:
            for batch in self._open_pool()[self._taken :]:
                self._taken += 1
                self.seen += len(batch)
                yield batch
            self._pool += 1
            self._taken = 0

    def _open_pool(self) -> list[list[Asked]]:
        """Draw, ask and batch the next pool; the same again if it was begun before."""
        options = self._options
        self._at_pool = self._mixture.state()
        rng = random.Random(f"{self._seed}/{self._pool}")
        examples = self._mixture.draw(options.pool, rng)
        questions = [self._sampler.question(example, rng) for example in examples]
        asked = fitting(questions, self._tokenizer, options.max_pieces)
        if not asked:
            raise InputError(
                f"None of {len(examples)} examples drawn could be asked: either nothing is "
                f"annotated in them, or their labels alone fill the {options.max_pieces} pieces "
                "of max_pieces."
            )
        if not self._taken:
            self.seen += len(examples) - len(asked)
            self.skipped += len(examples) - len(asked)
        batches = split_by_length(asked, options)
        rng.shuffle(batches)
        return batches

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


def fitting(questions: list[Question], tokenizer: PieceTokenizer, max_pieces: int) -> list[Asked]:
    """Return the questions that ask something and leave room for some of their text, encoded.

    Args:
        questions: any.
        tokenizer: of the checkpoint.
        max_pieces: longest sequence; texts are cut there.
    """
    asked = [
        ask(question, tokenizer, max_pieces=max_pieces)
        for question in questions
        if not question.schema.is_empty
    ]
    return [one for one in asked if len(one.words) and one.reading.pieces <= max_pieces]


def split_by_length(asked: list[Asked], options: BatchOptions) -> list[list[Asked]]:
    """Return batches of similar length, shortest first.

    Args:
        asked: the questions; they are sorted in place.
        options: how large batches may be.
    """
    asked.sort(key=lambda one: one.reading.pieces)
    batches: list[list[Asked]] = []
    for one in asked:
        longest = one.reading.pieces  # sorted: the newest is the longest
        if (
            not batches
            or (len(batches[-1]) + 1) * longest > options.batch_pieces
            or len(batches[-1]) >= options.max_batch
        ):
            batches.append([])
        batches[-1].append(one)
    return batches
