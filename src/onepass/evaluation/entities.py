"""Scoring of entities: exact spans and labels, nearly right ones, per label, honest scores.

It knows nothing about models; only labels that were asked count, on both sides.
"""

from __future__ import annotations

from onepass.corpus.example import Example
from onepass.evaluation.counts import Counts, macro_f1
from onepass.evaluation.overlaps import Overlaps
from onepass.evaluation.reliability import Reliability
from onepass.results.types import Extraction


class EntityScorer:
    """Counts mentions; a mention is right if its start, end and label are.

    The same mention twice counts once.

    >>> from onepass.corpus.example import Mention
    >>> from onepass.results.types import Entity
    >>> scorer = EntityScorer()
    >>> gold = Example("Bo met Al", (Mention(0, 2, "dog"), Mention(7, 9, "cat")), ("dog", "cat"))
    >>> found = Entity("dog", "Bo", 0, 2, 0.9), Entity("dog", "Al", 7, 9, 0.6)
    >>> scorer.add(Extraction("Bo met Al", found), gold)
    >>> scorer.scores()["f1"], scorer.scores()["span_f1"]
    (0.5, 1.0)
    """

    def __init__(self) -> None:
        self.texts = 0
        self._exact = Counts()
        self._spans = Counts()
        self._overlaps = Overlaps()
        self.reliability = Reliability()
        self._labels: dict[str, Counts] = {}

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Count one text."""
        asked = set(gold.asked)
        if not asked:
            return
        self.texts += 1
        wanted = {(m.start, m.end, m.label) for m in gold.entities}
        found = {(e.start, e.end, e.label) for e in prediction.entities if e.label in asked}
        self._exact.add(found, wanted)
        self._spans.add({item[:2] for item in found}, {item[:2] for item in wanted})
        self._overlaps.add(found, wanted)
        scores = {(e.start, e.end, e.label): e.score for e in prediction.entities}
        self.reliability.add((scores[item], item in wanted) for item in found)
        for item in wanted | found:
            counts = self._labels.setdefault(item[2], Counts())
            counts.add_counts(item in wanted and item in found, item in found, item in wanted)

    def merge(self, other: EntityScorer) -> None:
        """Add what was counted on another part of the data."""
        self.texts += other.texts
        self._exact.merge(other._exact)
        self._spans.merge(other._spans)
        self._overlaps.merge(other._overlaps)
        self.reliability.merge(other.reliability)
        for label, counts in other._labels.items():
            self._labels.setdefault(label, Counts()).merge(counts)

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return the right, predicted and gold items behind the score ``f1``."""
        return {"f1": self._exact.triple()}

    def scores(self) -> dict[str, float]:
        """Return micro precision, recall and F1, macro F1 over labels, and how near the rest is.

        - ``span_f1``: boundaries are equal, labels left aside;
        - ``partial_f1``: of mentions rather than spans; boundaries that only overlap count half;
        - ``type_f1``: labels are equal, boundaries overlap;
        - ``ece``: expected calibration error of what was found.
        """
        return {
            **self._exact.scores(),
            "macro_f1": macro_f1(self._labels.values()),
            "span_f1": self._spans.f1,
            "partial_f1": self._overlaps.partial_f1,
            "type_f1": self._overlaps.type_f1,
            "ece": self.reliability.error,
        }

    def table(self) -> dict[str, dict[str, float]]:
        """Return the scores and counts of each label that is gold or was predicted."""
        return {label: counts.row() for label, counts in sorted(self._labels.items())}
