"""Findings of one text, kind by kind, each with its score and whether it was right.

It knows what is right, and nothing about what is fitted on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float64s
from onepass.corpus.example import Example, GoldValue
from onepass.decoding.overlap import Ties
from onepass.evaluation.judged import Judged
from onepass.evaluation.records import asked_values, choice_fields, normalize
from onepass.evaluation.thresholds import at_threshold
from onepass.models.thresholds import CHOICES
from onepass.results.types import Extraction

Scored = Iterator[tuple[float, bool]]  # score, whether it was right


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found in a text, beside the gold.

    Attributes:
        prediction: down to the lowest scores.
        gold: what is true.
        choices: of fields of records, judged by `onepass.evaluation.records.judged_choices`.
        ties: which of two entities with one score is kept, as in `at_threshold`.
    """

    prediction: Extraction
    gold: Example
    choices: Sequence[Judged]
    ties: Ties = "longest"


def single_answers(answer: Answer) -> Iterator[tuple[Float64s, int]]:
    """Yield the probabilities, (labels,), of single-label tasks, and the index of the true label.

    Tasks with no true label are left out.
    """
    for task in answer.gold.classifications:
        if not task.multi_label and len(task.true) == 1:
            scores = answer.prediction.classifications[task.name].scores
            probs = np.array(list(scores.values()))
            yield probs, list(scores).index(task.true[0])


def _entities(answer: Answer, least: float) -> Scored:
    gold = answer.gold
    if gold.asked:
        cut = at_threshold(
            answer.prediction, least, policy="flat", labels=gold.asked, ties=answer.ties
        )
        wanted = {(m.start, m.end, m.label) for m in gold.entities}
        for one in cut.entities:
            yield one.score, (one.start, one.end, one.label) in wanted


def _classes(answer: Answer, _least: float) -> Scored:
    """Yield every label of tasks that may have several, however low."""
    for task in answer.gold.classifications:
        if task.multi_label:
            scores = answer.prediction.classifications[task.name].scores
            for label, score in scores.items():
                yield score, label in task.true


def _choices(answer: Answer, least: float) -> Scored:
    for one in answer.choices:
        if one.score >= least:
            yield one.score, one.right


def _values(answer: Answer, least: float) -> Scored:
    """Yield values that are no choices; right is one that any gold record of the text has."""
    gold = answer.gold
    for structure in gold.structures:
        facts = {
            (name, normalize(_words(gold.text, value)))
            for record in structure.records
            for name, values in record.items()
            for value in values
        }
        chosen = choice_fields(structure)
        for row in answer.prediction.records.get(structure.name, ()):
            for name, value in asked_values(row, row.keys() - chosen):
                if value.score >= least:
                    yield value.score, (name, normalize(value.text)) in facts


def _relations(answer: Answer, least: float) -> Scored:
    text, gold = answer.gold.text, answer.gold.relations
    wanted = {(r.type, text[slice(*r.head)], text[slice(*r.tail)]) for r in gold}
    for one in answer.prediction.relations:
        if one.score >= least:
            yield one.score, (one.type, one.head.text, one.tail.text) in wanted


def _words(text: str, value: GoldValue) -> str:
    if value.choice is not None:
        return str(value.choice)
    return str(value.text) if value.start is None else text[value.start : value.end]


# What yields the findings of a kind that score at least so much.
FINDINGS: Mapping[str, Callable[[Answer, float], Scored]] = {
    "entities": _entities,
    "classifications": _classes,
    "records": _values,
    CHOICES: _choices,
    "relations": _relations,
}
