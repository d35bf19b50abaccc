"""Counts of held-out answers: found, predicted and gold, by kind of answer.

It knows nothing about models.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """True positives, and what was predicted and gold."""

    right: int = 0
    predicted: int = 0
    gold: int = 0

    def f1(self) -> float:
        """Return F1; 1 where there was nothing to find and nothing was found."""
        total = self.predicted + self.gold
        return 2 * self.right / total if total else 1.0


@dataclass(slots=True)
class Tally:
    """What was counted so far.

    Attributes:
        spans: "entities", "records" and "relations" to their counts.
        tasks: for each classification, whether it was answered exactly.

    >>> tally = Tally()
    >>> tally.add("entities", right=1, predicted=2, gold=1)
    >>> tally.tasks.append(True)
    >>> tally.scores()
    {'entities': 0.6666666666666666, 'classes': 1.0, 'score': 0.8333333333333333}
    """

    spans: dict[str, Counts] = field(default_factory=dict)
    tasks: list[bool] = field(default_factory=list)

    def add(self, section: str, *, right: int, predicted: int, gold: int) -> None:
        """Count answers of one section."""
        counts = self.spans.setdefault(section, Counts())
        counts.right += right
        counts.predicted += predicted
        counts.gold += gold

    def scores(self) -> dict[str, float]:
        """Return micro F1 by section, ``classes`` and their mean; of nothing, nothing.

        ``classes`` is the share of tasks that were answered exactly.
        """
        scores = {name: counts.f1() for name, counts in sorted(self.spans.items())}
        if self.tasks:
            scores["classes"] = sum(self.tasks) / len(self.tasks)
        if scores:
            scores["score"] = sum(scores.values()) / len(scores)
        return scores
