"""All that a model says of annotated texts, and how it would choose among it at any threshold.

It knows nothing about what is fitted on it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from onepass.corpus.example import Example
from onepass.decoding.overlap import Ties
from onepass.evaluation.predict import Extracts, is_gliner, predict_all
from onepass.evaluation.thresholds import between_kept
from onepass.models.gliner.family import GLINER
from onepass.results.types import Extraction

LOWEST = 0.02  # scores below it are never looked at

Pairs = Sequence[tuple[Extraction, Example]]


@dataclass(frozen=True, slots=True)
class Answered:
    """All that a model finds in each example, down to the lowest scores, and how it would choose.

    Attributes:
        pairs: each prediction with its gold.
        ties: which of two entities with one score is kept, as in `onepass.decoding.overlap.select`;
            with "first", as in GLiNER, it plays no part how general a label is.
        of_entities: whether relations are chosen by their own scores among those between entities
            that are kept, as in GLiNER.
    """

    pairs: Pairs
    ties: Ties = "longest"
    of_entities: bool = False

    def halves(self) -> tuple[Answered, Answered]:
        """Return every other example, and those between."""
        return replace(self, pairs=self.pairs[::2]), replace(self, pairs=self.pairs[1::2])

    def between(self, threshold: float, own: Mapping[str, float]) -> Pairs:
        """Return the pairs with relations as they are at a threshold of entities.

        Args:
            threshold: of entities. Relations that are not chosen among them stay as they are.
            own: of the entity labels that have one of their own.
        """
        if not self.of_entities:
            return self.pairs
        return [
            (between_kept(found, threshold, own, labels=gold.asked, ties=self.ties), gold)
            for found, gold in self.pairs
        ]


def answer(model: Extracts, examples: Iterable[Example]) -> Answered:
    """Return all that a model finds in each example, down to the lowest scores, beside the gold.

    Args:
        model: without a calibration of its own.
        examples: annotated texts.
    """
    batches = predict_all(
        model, examples, lowest=LOWEST, overlap="flat", abstain=0.0, by_label=True
    )
    pairs = [pair for batch in batches for pair in batch.pairs()]
    if is_gliner(model):
        return Answered(pairs, GLINER.ties, of_entities=True)
    return Answered(pairs)
