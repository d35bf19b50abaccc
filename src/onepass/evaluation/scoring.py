"""The scorers of all sections together.

A scorer is additive: `add` counts one text, `merge` adds the counts of another scorer, so that
parts of a data set may be scored apart. It knows nothing about models.
"""

from __future__ import annotations

from typing import Protocol

from onepass.corpus.example import Example
from onepass.evaluation.classes import ClassScorer
from onepass.evaluation.entities import EntityScorer
from onepass.evaluation.records import RecordScorer
from onepass.evaluation.relations import RelationScorer
from onepass.evaluation.reliability import Reliability
from onepass.results.types import Extraction


class Scorer(Protocol):
    """What the scorers of the four sections have in common.

    Attributes:
        texts: how many texts were asked for this section.
        reliability: scores of findings, and how often they were right.
    """

    texts: int
    reliability: Reliability

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Count one text."""

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return right, predicted and gold items behind the scores that are sums over texts."""

    def scores(self) -> dict[str, float]:
        """Return the scores by name."""

    def table(self) -> dict[str, dict[str, float]]:
        """Return scores by label, task, structure or relation type."""


class Scorers:
    """One scorer for each section, which see the same texts.

    Attributes:
        entities: mentions.
        classifications: answers to tasks.
        records: records and their values.
        relations: pairs.

    >>> scorers = Scorers()
    >>> scorers.add(Extraction("Bo"), Example("Bo", asked=("dog",)))
    >>> list(scorers.asked())
    ['entities']
    """

    def __init__(self) -> None:
        self.entities = EntityScorer()
        self.classifications = ClassScorer()
        self.records = RecordScorer()
        self.relations = RelationScorer()

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Count one text in every section that its example asks for."""
        for scorer in self._all().values():
            scorer.add(prediction, gold)

    def merge(self, other: Scorers) -> None:
        """Add what was counted on another part of the data."""
        self.entities.merge(other.entities)
        self.classifications.merge(other.classifications)
        self.records.merge(other.records)
        self.relations.merge(other.relations)

    def asked(self) -> dict[str, Scorer]:
        """Return the scorers of the sections that were asked of any text."""
        return {name: scorer for name, scorer in self._all().items() if scorer.texts}

    def counts(self) -> dict[tuple[str, str], tuple[int, int, int]]:
        """Return what was counted so far, by section and score."""
        return {
            (section, score): counted
            for section, scorer in self.asked().items()
            for score, counted in scorer.counts().items()
        }

    def _all(self) -> dict[str, Scorer]:
        return {
            "entities": self.entities,
            "classifications": self.classifications,
            "records": self.records,
            "relations": self.relations,
        }
