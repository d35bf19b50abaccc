"""Whether scores are honest: of findings with a score near 0.8, are 80 % right?

Expected calibration error over bins of equal width (Naeini et al., 2015; Guo et al., 2017,
equation 3). It knows nothing about where scores come from.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

BINS = 10
_PARTS = 10**9  # scores are summed as whole numbers: their order then makes no difference


class Reliability:
    """Counts scores and how often what they stood for was right, by bins of scores.

    >>> scores = Reliability()
    >>> scores.add([(0.9, True), (0.9, True), (0.9, False), (0.2, False)])
    >>> round(scores.error, 3), scores.total
    (0.225, 4)
    """

    def __init__(self) -> None:
        self._counts = np.zeros(BINS, dtype=np.int64)
        self._right = np.zeros(BINS, dtype=np.int64)
        self._sums = np.zeros(BINS, dtype=np.int64)  # of scores, in parts

    def add(self, pairs: Iterable[tuple[float, bool]]) -> None:
        """Count findings: the score of each, and whether it was right."""
        for score, right in pairs:
            place = min(max(int(score * BINS), 0), BINS - 1)
            self._counts[place] += 1
            self._right[place] += right
            self._sums[place] += round(score * _PARTS)

    def merge(self, other: Reliability) -> None:
        """Add what was counted on another part of the data."""
        self._counts += other._counts
        self._right += other._right
        self._sums += other._sums

    @property
    def total(self) -> int:
        """The number of findings."""
        return int(self._counts.sum())

    @property
    def error(self) -> float:
        """Mean distance between score and share of right findings, weighted by findings; 0 to 1."""
        if not self.total:
            return 0.0
        return float(np.abs(self._sums - self._right * _PARTS).sum() / _PARTS / self.total)

    def curve(self) -> list[dict[str, float]]:
        """Return ``score`` (mean), ``right`` (share) and ``findings`` of each bin that has any."""
        return [
            {
                "score": float(total / count / _PARTS),
                "right": float(right / count),
                "findings": int(count),
            }
            for count, right, total in zip(self._counts, self._right, self._sums, strict=True)
            if count
        ]
