"""Which of many thresholds is the right one: the best F1, or a share that was asked for.

It knows nothing about what is counted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, cast

import numpy as np

from onepass.errors import InputError
from onepass.evaluation.counts import Counts

Measure = Literal["f1", "precision", "recall"]
LEAST_FOUND = 20  # findings below which a precision says nothing
_ERROR = 0.25  # of F1 with one annotation; it shrinks with the root of their number
_EDGE = 1e-6  # keeps logits of thresholds 0 and 1 finite


@dataclass(frozen=True, slots=True)
class Goal:
    """What a threshold is chosen for.

    Attributes:
        measure: "f1" for the best F1; "precision" for the lowest threshold at which as many of
            what is found are right as ``least``, "recall" for the highest at which as many of what
            is there are found.
        least: a share above 0, up to 1; nothing for F1.

    >>> Goal.parse("precision=0.9")
    Goal(measure='precision', least=0.9)
    """

    measure: Measure = "f1"
    least: float = 0.0

    @classmethod
    def parse(cls, text: str) -> Goal:
        """Read "f1", "precision=SHARE" or "recall=SHARE".

        Raises:
            InputError: for anything else.
        """
        measure, _, share = text.partition("=")
        if text == "f1":
            return cls()
        try:
            least = float(share)
        except ValueError:
            least = 0.0
        if measure not in ("precision", "recall") or not 0 < least <= 1:
            raise InputError(
                f"A goal is f1, precision=SHARE or recall=SHARE with a share above 0, up to 1 "
                f"(precision=0.9), but {text!r:.60} was given."
            )
        return cls(cast(Measure, measure), least)

    def threshold(self, curve: Mapping[float, Counts]) -> float:
        """Return the threshold for a goal; the one that comes closest where none reaches it.

        For F1 see `likely`. A precision counts from `LEAST_FOUND` findings.

        Args:
            curve: what was counted at each threshold.

        >>> curve = {0.2: Counts(80, 160, 99), 0.5: Counts(70, 80, 99), 0.8: Counts(40, 40, 99)}
        >>> [Goal.parse(goal).threshold(curve) for goal in ("f1", "precision=0.9", "recall=0.6")]
        [0.5, 0.8, 0.5]
        """
        if self.measure == "f1":
            return likely(curve)
        places = sorted(curve)
        if self.measure == "precision":
            told = [at for at in places if curve[at].predicted >= LEAST_FOUND] or places[:1]
            reached = [at for at in told if self.reached(curve[at])]
            if reached:
                return min(reached)
            return max(told, key=lambda at: (curve[at].precision, -at))
        reached = [at for at in places if self.reached(curve[at])]
        return max(reached) if reached else places[0]

    def reached(self, counts: Counts) -> bool:
        """Say whether counts are as good as was asked for."""
        return counts.scores()[self.measure] >= self.least


def likely(curve: Mapping[float, Counts]) -> float:
    """Return the threshold that has the best F1 on other texts, as far as these can tell.

    Which one is the best on few texts is chance. So each threshold counts by how near its F1 is to
    the best, measured by an error that shrinks with the number of annotations, and the mean of
    their logits decides.

    Args:
        curve: what was counted at each threshold; not empty.

    Returns:
        The threshold of the curve that is nearest to that mean.

    >>> few = {0.2: Counts(6, 10, 10), 0.4: Counts(6, 9, 10), 0.6: Counts(5, 6, 10)}
    >>> many = {at: Counts(*(100 * number for number in one.triple())) for at, one in few.items()}
    >>> few[0.8], many[0.8] = Counts(5, 5, 10), Counts(500, 500, 1000)
    >>> likely(few), likely(many)
    (0.6, 0.8)
    """
    places = np.array(sorted(curve))  # (thresholds,)
    counts = [curve[place] for place in places.tolist()]
    f1 = np.array([one.f1 for one in counts])
    clipped = np.clip(places, _EDGE, 1 - _EDGE)
    logits = np.log(clipped / (1 - clipped))
    # A threshold stands for as much of the line as lies around it: they are not evenly spread.
    around = np.gradient(logits) if len(places) > 1 else np.ones(1)
    error = _ERROR / np.sqrt(max(1, counts[0].gold))
    weights = around * np.exp((f1 - f1.max()) / error)
    nearest = np.abs(logits - np.average(logits, weights=weights)).argmin()
    return float(places[nearest])


def middle(curve: Mapping[float, float], within: float = 0.0) -> float:
    """Return the middle one of the thresholds around the best that are as good.

    Args:
        curve: threshold to F1.
        within: the loss of F1 up to which a threshold counts as well, if it lies in a row with the
            best: so small a difference is chance. Of two in the middle it is the higher one then,
            which finds less that is wrong; without it the lower one.
    """
    places = sorted(curve)
    scores = [curve[place] for place in places]
    least = max(scores) - within
    best = [place for place, score in enumerate(scores) if score == max(scores)]
    first = last = best[(len(best) - 1) // 2]
    while first and scores[first - 1] >= least:
        first -= 1
    while last + 1 < len(scores) and scores[last + 1] >= least:
        last += 1
    return places[(first + last + (within > 0)) // 2]
