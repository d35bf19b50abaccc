"""Mentions that are nearly right: boundaries that overlap, labels that differ.

The four ways of SemEval-2013 task 9.1, as ``nervaluate`` counts them, except that a gold mention is
matched with one prediction at most. It knows nothing about texts or models.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from onepass.evaluation.touching import Touching

Span = tuple[int, int, str]  # start, end, label


@dataclass(slots=True)
class Overlaps:
    """How many predicted mentions touch a gold mention, and how.

    Attributes:
        exact: pairs with equal boundaries, whatever the labels.
        partial: pairs whose boundaries overlap but differ, whatever the labels.
        typed: pairs with equal labels, equal boundaries or not.
        predicted: mentions.
        gold: mentions.

    >>> overlaps = Overlaps()
    >>> overlaps.add({(0, 7, "person"), (12, 15, "place")}, {(4, 7, "person"), (12, 15, "person")})
    >>> overlaps.partial_f1, overlaps.type_f1
    (0.75, 0.5)
    """

    exact: int = 0
    partial: int = 0
    typed: int = 0
    predicted: int = 0
    gold: int = 0

    def add(self, found: Collection[Span], wanted: Collection[Span]) -> None:
        """Match the mentions of one text: the best pairs first, each mention once.

        Args:
            found: predicted mentions.
            wanted: gold mentions.
        """
        self.predicted += len(found)
        self.gold += len(wanted)
        gold = Touching(wanted)
        pairs = sorted(
            (
                (one[:2] == other[:2], one[2] == other[2], _common(one, other), one, other)
                for one in found
                for other in gold.of(one[0], one[1])
                if _common(one, other) > 0
            ),
            key=lambda pair: (not pair[0], not pair[1], -pair[2], pair[3], pair[4]),
        )
        taken: set[Span] = set()
        matched: set[Span] = set()
        for same_place, same_label, _, one, other in pairs:
            if one in taken or other in matched:
                continue
            taken.add(one)
            matched.add(other)
            self.exact += same_place
            self.partial += not same_place
            self.typed += same_label

    def merge(self, other: Overlaps) -> None:
        """Add what was counted on another part of the data."""
        self.exact += other.exact
        self.partial += other.partial
        self.typed += other.typed
        self.predicted += other.predicted
        self.gold += other.gold

    @property
    def partial_f1(self) -> float:
        """F1 of boundaries, labels left aside; boundaries that only overlap count half."""
        return self._f1(self.exact + self.partial / 2)

    @property
    def type_f1(self) -> float:
        """F1 of labels of mentions that overlap."""
        return self._f1(self.typed)

    def _f1(self, right: float) -> float:
        items = self.predicted + self.gold
        return 2 * right / items if items else 0.0


def _common(one: Span, other: Span) -> int:
    return min(one[1], other[1]) - max(one[0], other[0])
