"""A model on annotated examples: predictions, scores and speed in one report.

It knows nothing about files or how scores are counted.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from onepass.corpus.example import Example
from onepass.evaluation.pertext import PerText, Tally
from onepass.evaluation.predict import Extracts, predict
from onepass.evaluation.scoring import Scorers
from onepass.evaluation.tables import (
    breakdown_tables,
    detail_tables,
    interval_lines,
    section_tables,
    speed_line,
)
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold

Progress = Callable[[int], None]  # called with the number of texts that are done


@dataclass(frozen=True, slots=True)
class Report:
    """Scores of a model on a set of examples.

    Attributes:
        scores: section ("entities", "classifications", "records", "relations") to its scores;
            sections that no text was asked for are left out.
        details: section to label, task, structure or relation type to its scores and counts.
        reliability: section to its curve, see `onepass.evaluation.reliability.Reliability.curve`.
        per_text: counts of each text.
        asked: section to the number of texts that were asked for it.
        texts: number of texts that the model read.
        skipped: number of examples in which nothing was annotated.
        seconds: time the model took, without reading files and counting.

    >>> from onepass import Extractor
    >>> from onepass.corpus import Example, Mention
    >>> text = "Marie Curie was born in Warsaw."
    >>> report = evaluate(Extractor(), [Example(text, (Mention(24, 30, "city"),))])
    >>> report.scores["entities"]["f1"], report.texts
    (1.0, 1)
    """

    scores: Mapping[str, Mapping[str, float]]
    details: Mapping[str, Mapping[str, Mapping[str, float]]]
    reliability: Mapping[str, list[dict[str, float]]]
    per_text: PerText
    asked: Mapping[str, int]
    texts: int
    skipped: int
    seconds: float

    @property
    def texts_per_second(self) -> float:
        """The speed of the model on these texts, with the schemas that they asked."""
        return self.texts / self.seconds if self.seconds else 0.0

    def to_dict(self) -> dict[str, Any]:
        """Return the report as plain dicts and numbers."""
        return {
            "scores": {section: dict(scores) for section, scores in self.scores.items()},
            "details": {
                section: {name: dict(row) for name, row in rows.items()}
                for section, rows in self.details.items()
            },
            "intervals": {
                section: {score: list(ends) for score, ends in rows.items()}
                for section, rows in self.per_text.intervals().items()
            },
            "breakdowns": self.per_text.breakdowns(),
            "reliability": {section: list(curve) for section, curve in self.reliability.items()},
            "asked": dict(self.asked),
            "texts": self.texts,
            "skipped": self.skipped,
            "seconds": self.seconds,
            "texts_per_second": self.texts_per_second,
        }

    def to_table(self) -> str:
        """Return the report as text: tables of scores, of details, by length and labels."""
        return "\n\n".join(
            [*section_tables({"all texts": self}), *self.more_tables(), self.speed()]
        )

    def more_tables(self) -> list[str]:
        """Return what there is beside the scores: details, intervals, breakdowns, reliability."""
        intervals = interval_lines(self.scores, self.per_text.intervals())
        tables = breakdown_tables(self.per_text.breakdowns(), self.reliability)
        return [*detail_tables(self.details), *([intervals] if intervals else []), *tables]

    def speed(self) -> str:
        """Return one line about texts and time."""
        return speed_line(self.texts, self.skipped, self.seconds)


def evaluate(
    model: Extracts,
    examples: Iterable[Example],
    *,
    threshold: Threshold = None,
    overlap: Overlap = "flat",
    on_long: OnLong = "window",
    solver: Solver = "greedy",
    progress: Progress | None = None,
) -> Report:
    """Ask a model everything that was annotated in each example, and score the answers.

    Args:
        model: an `onepass.Extractor`, or anything with its ``extract``.
        examples: annotated texts; they are read as needed, a few hundred at a time. Those with an
            equal schema go to the model together.
        threshold: as in `onepass.Extractor.extract`; None is what the checkpoint was calibrated to.
        overlap: as in `onepass.Extractor.extract`.
        on_long: as in `onepass.Extractor.extract`.
        solver: as in `onepass.Extractor.extract`.
        progress: a function that gets the number of examples that are done, after each batch.

    Returns:
        The report.

    Raises:
        SchemaError: if an example or the model cannot ask what was annotated.
        TextTooLong: for a long text if ``on_long`` is "error".

    >>> from onepass.corpus.example import Mention
    >>> from onepass.results.types import Entity, Extraction
    >>> class FirstWord:
    ...     def extract(self, texts, schema, **options):
    ...         return [Extraction(t, (Entity("dog", t[:2], 0, 2, 0.9),)) for t in texts]
    >>> examples = [Example("Bo ran", (Mention(0, 2, "dog"),)), Example("It ran", asked=("dog",))]
    >>> evaluate(FirstWord(), examples).scores["entities"]["precision"]
    0.5
    """
    scorers, tally = Scorers(), Tally()
    done = texts = 0
    seconds = 0.0
    options = CallOptions(threshold, overlap, on_long, solver)
    for batch in predict(model, examples, options):
        for prediction, gold in batch.pairs():
            one = Scorers()
            one.add(prediction, gold)
            tally.add(gold, one.counts())
            scorers.merge(one)
        done += batch.done
        texts += len(batch.examples)
        seconds += batch.seconds
        if progress is not None:
            progress(done)
    asked = scorers.asked()
    return Report(
        scores={name: scorer.scores() for name, scorer in asked.items()},
        details={name: scorer.table() for name, scorer in asked.items()},
        reliability={name: scorer.reliability.curve() for name, scorer in asked.items()},
        per_text=tally.done(),
        asked={name: scorer.texts for name, scorer in asked.items()},
        texts=texts,
        skipped=done - texts,
        seconds=seconds,
    )
