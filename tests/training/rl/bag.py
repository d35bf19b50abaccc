"""A tiny policy of no family: words and labels are vectors, and their products are logits.

It shows that reinforcement needs nothing of a family, and it is quick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.functional import binary_cross_entropy_with_logits

from onepass.corpus.question import Question
from onepass.training.rl.policy import Policy
from onepass.training.tally import Tally

WORDS = ("red", "news", "sports", "tim", "runs", "apple", "paris", "calm", "in", "great")
HIDDEN = 12


@dataclass(frozen=True)
class Read:
    """A text and its labels, as numbers of words."""

    text: tuple[int, ...]
    labels: tuple[int, ...]
    true: tuple[int, ...]

    @property
    def reading(self) -> Read:
        return self

    @property
    def pieces(self) -> int:
        return len(self.text)


class BagNetwork(nn.Module):
    """Vectors of words; the first is padding."""

    def __init__(self, seed: int, dropout: float) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        size = (len(WORDS) + 1, HIDDEN)
        self.words = nn.Parameter(0.3 * torch.randn(size, generator=generator))
        self.labels = nn.Parameter(0.3 * torch.randn(size, generator=generator))
        self.shift = nn.Parameter(torch.zeros(1))
        self.dropout = nn.Dropout(dropout)

    def pooled(self, texts: torch.Tensor) -> torch.Tensor:
        real = (texts > 0)[..., None]
        summed = (self.words[texts] * real).sum(1)  # (texts, hidden)
        return self.dropout(summed)


class BagTrainee:
    """See `onepass.training.trainee.Trainee`."""

    parts: Mapping[str, str] = {}
    longest = None

    def __init__(self, seed: int = 0, dropout: float = 0.0) -> None:
        self.network = BagNetwork(seed, dropout)

    def ask(self, question: Question, max_pieces: int) -> Sequence[Read]:
        labels = question.schema.classification_tasks[0].labels
        text = tuple(WORDS.index(word) + 1 for word in question.text.split())[:max_pieces]
        names = tuple(WORDS.index(label.name) + 1 for label in labels)
        return (Read(text, names, question.classes[0]),)

    def build(self, asked: Sequence[Read]) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        true = [[float(i in one.true) for i in range(len(one.labels))] for one in asked]
        return (
            torch.from_numpy(_padded([one.text for one in asked], 0)),
            torch.from_numpy(_padded([one.labels for one in asked], 0)),
            torch.from_numpy(_padded(true, 0.0)),
        )

    def loss(self, network: BagNetwork, batch: Any) -> tuple[torch.Tensor, Mapping[str, float]]:
        _, labels, true = batch
        logits = BagDecides().logits(network, batch)
        loss = binary_cross_entropy_with_logits(logits, true.float(), (labels > 0).float())
        return loss, {"classes": float(loss.detach())}

    def tally(self, network: BagNetwork, asked: Sequence[Read], tally: Tally) -> None:
        raise AssertionError("no test needs it")

    def save(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        torch.save(self.network.state_dict(), directory / "weights.pt")


class BagDecides:
    """See `onepass.training.rl.policy.Decides`."""

    def hidden(self, network: BagNetwork) -> int:
        return HIDDEN

    def items(self, question: Question, asked: Read) -> Sequence[int]:
        return range(len(asked.labels))

    def logits(self, network: BagNetwork, batch: Any) -> torch.Tensor:
        texts, labels, _ = batch
        found = torch.einsum("th,tlh->tl", network.pooled(texts), network.labels[labels])
        found = found + network.shift
        return torch.where(labels > 0, found, float("nan"))  # padding must never be looked at

    def vectors(self, network: BagNetwork, batch: Any) -> torch.Tensor:
        return network.pooled(batch[0])


def bag_policy(seed: int = 0, dropout: float = 0.0) -> Policy:
    """Return a policy with random weights."""
    return Policy(BagTrainee(seed, dropout), BagDecides())


def weights(directory: Path) -> dict[str, torch.Tensor]:
    """Return the weights that `BagTrainee.save` wrote."""
    found: dict[str, torch.Tensor] = torch.load(directory / "weights.pt", weights_only=True)
    return found


def _padded(rows: Sequence[Sequence[Any]], value: float) -> np.ndarray:
    out = np.full((len(rows), max(map(len, rows))), value)
    for row, values in zip(out, rows, strict=True):
        row[: len(values)] = values
    return out if isinstance(rows[0][0], float) else out.astype(np.int64)
