"""What is reinforced: a checkpoint that is trained, and how it decides which labels of a task hold.

The loop and the formulas work with these names only; they know no family.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch

from onepass.builtin import named
from onepass.corpus.question import Question
from onepass.errors import CheckpointError
from onepass.text.words import Splitter
from onepass.training.families import TRAINED, open_trainee
from onepass.training.rl.episode import Decisions
from onepass.training.tally import Tally
from onepass.training.trainee import Reach, Sized, Trainee


class Decides(Protocol):
    """How the networks of a family decide, given the passes and batches of its trainee."""

    def hidden(self, network: Any) -> int:
        """Return the size of the vectors that `vectors` returns."""

    def items(self, question: Question, asked: Any) -> Sequence[int]:
        """Return the places, in their task, of the labels that a pass asks, in its own order.

        Args:
            question: it has one task and nothing else.
            asked: a pass that asks it, or a part of its labels.
        """

    def logits(self, network: Any, batch: Any) -> torch.Tensor:
        """Return (passes, labels) logits of each label by itself; at padding they may be anything.

        Args:
            network: of the trainee, or a copy of it.
            batch: that the trainee built.
        """

    def vectors(self, network: Any, batch: Any) -> torch.Tensor:
        """Return (passes, hidden): what a network knows of each text.

        Args:
            network: of the trainee, or a copy of it.
            batch: that the trainee built.
        """


@dataclass(frozen=True, slots=True, eq=False)
class AskedTask:
    """One pass over a text that asks one classification task, or a part of its labels.

    Attributes:
        question: it has one task and nothing else.
        items: places in the task of the labels that are asked.
        own: the pass, as the trainee made it.
    """

    question: Question
    items: tuple[int, ...]
    own: Any

    @property
    def reading(self) -> Sized:
        """Return what is read."""
        reading: Sized = self.own.reading
        return reading

    @property
    def labels(self) -> tuple[str, ...]:
        """Return the names of the labels that are asked."""
        task = self.question.schema.classification_tasks[0]
        return tuple(task.labels[item].name for item in self.items)


class Policy:
    """A trainee (`onepass.training.trainee.Trainee`) whose answers to tasks can be judged.

    Args:
        trainee: the checkpoint.
        decides: how its networks decide.
    """

    def __init__(self, trainee: Trainee, decides: Decides) -> None:
        self._trainee, self._decides = trainee, decides

    @property
    def network(self) -> torch.nn.Module:
        """Return the module that is trained, in fp32."""
        return self._trainee.network

    @property
    def hidden(self) -> int:
        """Return the size of the vectors that `vectors` returns."""
        return self._decides.hidden(self.network)

    @property
    def longest(self) -> int | None:
        """Return the most pieces that it reads at once, None where there is no limit."""
        return self._trainee.longest

    @property
    def parts(self) -> Mapping[str, str]:
        """Return its parts, with the prefix of their parameters' names."""
        return self._trainee.parts

    def ask(self, question: Question, max_pieces: int) -> Sequence[AskedTask]:
        """Return the passes that ask the one task of a question; none where it has no task."""
        if not question.schema.classification_tasks:
            return ()
        return [
            AskedTask(question, tuple(self._decides.items(question, own)), own)
            for own in self._trainee.ask(question, max_pieces)
        ]

    def reach(self, asked: AskedTask) -> Iterable[Reach]:
        """Return how many gold answers of a pass can be learned."""
        return self._trainee.reach(asked.own)

    def build(self, asked: Sequence[AskedTask]) -> Any:
        """Return the batch of several passes."""
        return self._trainee.build([one.own for one in asked])

    def decisions(self, asked: Sequence[AskedTask]) -> Decisions:
        """Return what several passes are to decide, on the device of the network.

        Args:
            asked: one a row.
        """
        counts = np.array([len(one.items) for one in asked])
        mask = np.arange(counts.max()) < counts[:, None]  # (texts, labels)
        gold = np.zeros(mask.shape, dtype=np.float32)
        gold[mask] = np.concatenate([np.isin(one.items, one.question.classes[0]) for one in asked])
        device = next(self.network.parameters()).device
        return Decisions(
            tuple(one.question.text for one in asked),
            tuple(one.labels for one in asked),
            torch.from_numpy(mask).to(device),
            torch.from_numpy(gold).to(device),
        )

    def logits(self, network: Any, batch: Any, mask: torch.Tensor) -> torch.Tensor:
        """Return (texts, labels) logits in fp32, 0 at padding.

        Args:
            network: ours, or a copy of it.
            batch: that `build` made.
            mask: (texts, labels), true at real labels.
        """
        return torch.where(mask, self._decides.logits(network, batch).float(), 0.0)

    def vectors(self, network: Any, batch: Any) -> torch.Tensor:
        """Return (texts, hidden): what a network knows of each text.

        Args:
            network: ours, or a copy of it.
            batch: that `build` made.
        """
        return self._decides.vectors(network, batch)

    def loss(self, network: Any, batch: Any) -> tuple[torch.Tensor, Mapping[str, float]]:
        """Return the supervised loss of a batch under ``network`` and its terms."""
        return self._trainee.loss(network, batch)

    def tally(self, network: Any, asked: Sequence[AskedTask], tally: Tally) -> None:
        """Count what a network in evaluation mode answers to a batch of held-out passes."""
        self._trainee.tally(network, [one.own for one in asked], tally)

    def save(self, directory: Path) -> None:
        """Write a checkpoint that the library can load."""
        self._trainee.save(directory)


def open_policy(
    model: str | Path,
    *,
    device: str = "cpu",
    splitter: Splitter | None = None,
    revision: str | None = None,
) -> Policy:
    """Open a checkpoint to be reinforced.

    Args:
        model: a directory in the published layout of its family, or a hub id.
        device: where the network runs.
        splitter: of words, in place of the one that the checkpoint names.
        revision: branch, tag or commit on the hub.

    Raises:
        CheckpointError: if there is no such checkpoint, or it is broken or of another family.
    """
    kind = named(model, revision).kind
    decides = TRAINED[kind].decides if kind in TRAINED else None
    if decides is None:
        those = sorted(name for name, family in TRAINED.items() if family.decides is not None)
        raise CheckpointError(
            f"{model} is a {kind} checkpoint, which 'rl' cannot train; "
            f"those of {' and '.join(those)} it can."
        )
    return Policy(
        open_trainee(model, device=device, splitter=splitter, revision=revision), decides()
    )
