"""What a batch asks and what was answered: the values that rewards are computed from.

It knows neither networks nor losses.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch


@dataclass(frozen=True, slots=True, eq=False)
class Decisions:
    """What is to be decided about the texts of a batch.

    Attributes:
        texts: the texts, one a row.
        labels: names of the labels that each text is asked.
        mask: (texts, labels), true at real labels, which come first in their row.
        gold: (texts, labels), 1 at labels that were annotated as true; all 0 where nothing was
            annotated.
    """

    texts: tuple[str, ...]
    labels: tuple[tuple[str, ...], ...]
    mask: torch.Tensor
    gold: torch.Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Episode:
    """Decisions with the answers to them.

    Attributes:
        decisions: the questions that were asked.
        actions: (texts, labels), 1 at labels that were chosen; 0 at padding.
        probabilities: (texts, labels), the probability that each label is chosen; 0 at padding.
    """

    decisions: Decisions
    actions: torch.Tensor
    probabilities: torch.Tensor

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts."""
        return self.decisions.texts

    @property
    def labels(self) -> tuple[tuple[str, ...], ...]:
        """The names of the labels that each text was asked."""
        return self.decisions.labels

    @property
    def mask(self) -> torch.Tensor:
        """Where labels are real, (texts, labels)."""
        return self.decisions.mask

    @property
    def gold(self) -> torch.Tensor:
        """Which labels were annotated as true, (texts, labels) of 0 and 1."""
        return self.decisions.gold

    def chosen(self) -> list[list[str]]:
        """Return the labels that were chosen for each text.

        >>> decisions = Decisions(("Hi",), (("a", "b"),), torch.ones(1, 2) > 0, torch.zeros(1, 2))
        >>> Episode(decisions, torch.tensor([[0.0, 1.0]]), torch.tensor([[0.2, 0.7]])).chosen()
        [['b']]
        """
        return [
            [name for name, picked in zip(names, row, strict=False) if picked]
            for names, row in zip(self.labels, self.actions.tolist(), strict=True)
        ]
