"""Counts of right, predicted and gold items, and the scores that follow from them.

It knows nothing about what is counted.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Set
from dataclasses import dataclass
from math import fsum


@dataclass(slots=True)
class Counts:
    """How many items were predicted, how many are gold, and how many are both.

    A score whose denominator is zero is 0.

    >>> counts = Counts(right=2, predicted=4, gold=2)
    >>> counts.precision, counts.recall, round(counts.f1, 3)
    (0.5, 1.0, 0.667)
    """

    right: int = 0
    predicted: int = 0
    gold: int = 0

    def add(self, found: Set[object], wanted: Set[object]) -> None:
        """Count two sets of items, which are right where they are equal."""
        self.add_counts(len(found & wanted), len(found), len(wanted))

    def add_counts(self, right: int, predicted: int, gold: int) -> None:
        """Count items that were compared elsewhere."""
        self.right += right
        self.predicted += predicted
        self.gold += gold

    def merge(self, other: Counts) -> None:
        """Add the counts of another part of the data."""
        self.add_counts(other.right, other.predicted, other.gold)

    @property
    def precision(self) -> float:
        """The share of what was predicted that is right."""
        return self.right / self.predicted if self.predicted else 0.0

    @property
    def recall(self) -> float:
        """The share of what is gold that was found."""
        return self.right / self.gold if self.gold else 0.0

    @property
    def f1(self) -> float:
        """The harmonic mean of precision and recall."""
        items = self.predicted + self.gold
        return 2 * self.right / items if items else 0.0

    def triple(self) -> tuple[int, int, int]:
        """Return the three numbers."""
        return self.right, self.predicted, self.gold

    def scores(self) -> dict[str, float]:
        """Return precision, recall and F1 by name."""
        return {"precision": self.precision, "recall": self.recall, "f1": self.f1}

    def row(self) -> dict[str, float]:
        """Return the scores together with the numbers of gold and predicted items."""
        return {**self.scores(), "gold": self.gold, "predicted": self.predicted}


def mean(values: Collection[float]) -> float:
    """Return the unweighted mean, 0 of nothing; the order of the values does not matter.

    >>> mean([1.0, 0.5]), mean([])
    (0.75, 0.0)
    """
    return fsum(values) / len(values) if values else 0.0


def macro_f1(counts: Iterable[Counts]) -> float:
    """Return the unweighted mean F1 of those that have anything gold or predicted.

    >>> macro_f1([Counts(1, 1, 1), Counts(0, 1, 0), Counts()])
    0.5
    """
    return mean([one.f1 for one in counts if one.gold or one.predicted])
