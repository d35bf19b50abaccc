"""What training needs to know of a checkpoint: the one seam between the loop and the families.

Everything else in this package works with these names only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import torch

from onepass.corpus.question import Question
from onepass.training.tally import Tally

Ask = Callable[[Question, int], Sequence[Any]]  # the second is the longest sequence, in pieces


class Sized(Protocol):
    """One sequence that a network reads."""

    @property
    def pieces(self) -> int:
        """Return its length, prompt included."""


class Asked(Protocol):
    """One pass over a text that asks a question, or a part of one, with its gold answers."""

    @property
    def reading(self) -> Sized:
        """Return what is read."""


class Reach(NamedTuple):
    """How many gold answers of a kind a pass asks for, and how many of them it cannot give.

    Attributes:
        section: "entities", "records" or "relations".
        answers: all of them.
        behind: those that stand behind the part of the text that is read.
        wide: those that are wider than any span that is scored.
    """

    section: str
    answers: int
    behind: int = 0
    wide: int = 0


class Trainee(Protocol):
    """A checkpoint that is trained."""

    @property
    def network(self) -> torch.nn.Module:
        """Return the module that is trained, in fp32."""

    @property
    def longest(self) -> int | None:
        """Return the most pieces that it reads at once, None where there is no limit."""

    @property
    def parts(self) -> Mapping[str, str]:
        """Return the parts that it has, with the prefix of their parameters' names.

        They are those of `onepass.training.parts`; parameters without any of the prefixes are
        ``HEADS``, which every network has.
        """

    def ask(self, question: Question, max_pieces: int) -> Sequence[Any]:
        """Return the passes (`Asked`) that ask a question, with the text cut where it must be.

        There are none where nothing in it can be asked of this checkpoint, or its prompt leaves no
        room for a word of the text.
        """

    def reach(self, asked: Any) -> Iterable[Reach]:
        """Return how many gold answers of a pass can be learned; classes are not among them."""

    def build(self, asked: Sequence[Any]) -> Any:
        """Return the batch of several passes, with what the loss compares with."""

    def loss(self, network: Any, batch: Any) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the loss of a batch under ``network`` (ours or a copy of it) and its terms."""

    def tally(self, network: Any, asked: Sequence[Any], tally: Tally) -> None:
        """Count what a network in evaluation mode answers to a batch of held-out passes.

        Gold answers out of `reach` count as missed.
        """

    def save(self, directory: Path) -> None:
        """Write a checkpoint that the library can load."""
