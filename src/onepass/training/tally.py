"""Counts of held-out answers: found, predicted and gold, by kind of answer.

It knows nothing about models.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onepass.arrays import Bools, Reals
from onepass.evaluation.counts import Counts


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
        self.spans.setdefault(section, Counts()).add_counts(right, predicted, gold)

    def add_task(self, scores: Reals, true: Bools, *, several: bool, at: float) -> None:
        """Note whether a task is answered exactly: with its whole set, or with its best label.

        Args:
            scores: of its labels, (labels,).
            true: booleans, (labels,); which of them hold.
            several: whether it may have several answers.
            at: the score from which one of several answers counts.

        >>> import numpy as np
        >>> tally = Tally()
        >>> tally.add_task(np.array([0.3, 0.2]), np.array([True, False]), several=False, at=0.5)
        >>> tally.add_task(np.array([0.3, 0.2]), np.array([True, False]), several=True, at=0.5)
        >>> tally.tasks
        [True, False]
        """
        if several:
            self.tasks.append(bool(((scores >= at) == true).all()))
        elif true.any():  # a task of one answer where no label is true has no right answer
            self.tasks.append(bool(true[scores.argmax()]))

    def scores(self) -> dict[str, float]:
        """Return micro F1 by section, ``classes`` and their mean; of nothing, nothing.

        F1 is 1 where there was nothing to find and nothing was found. ``classes`` is the share of
        tasks that were answered exactly.
        """
        scores = {
            name: counts.f1 if counts.predicted + counts.gold else 1.0
            for name, counts in sorted(self.spans.items())
        }
        if self.tasks:
            scores["classes"] = sum(self.tasks) / len(self.tasks)
        if scores:
            scores["score"] = sum(scores.values()) / len(scores)
        return scores
