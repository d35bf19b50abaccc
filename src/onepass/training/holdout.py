"""Held-out scores while training: what a network says of known questions, answer by answer.

Quick and rough: no thresholds, overlap or windows. `onepass.evaluation` scores a finished
checkpoint as it is used. It knows nothing of the model; the trainee counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch

from onepass.corpus.example import Example, GoldTask
from onepass.corpus.question import Question
from onepass.evaluation.gold_schema import schema_of
from onepass.schema import Schema
from onepass.training.asking.records import pairs_by_type, record_answers
from onepass.training.stream import BatchOptions, split_by_length
from onepass.training.tally import Tally
from onepass.training.trainee import Trainee

MOST_LABELS = 48  # asked of one task or one text: more would leave short windows no room


class Holdout:
    """Questions that a network is scored on.

    Args:
        examples: everything that was annotated in them is asked, up to `MOST_LABELS` labels.
        trainee: the checkpoint.
        options: how large batches are; the part of a text behind ``max_pieces`` is not read, and
            what was annotated there counts as missed.

    Attributes:
        asked: how many examples are asked; those without annotations that the checkpoint can
            answer, or without room for their text, are not.
    """

    def __init__(
        self, examples: Sequence[Example], trainee: Trainee, options: BatchOptions
    ) -> None:
        self._trainee = trainee
        passes = [trainee.ask(whole_question(one), options.max_pieces) for one in examples]
        self.asked = sum(bool(own) for own in passes)
        self._batches = split_by_length([one for own in passes for one in own], options)

    def score(self, network: Any) -> dict[str, float]:
        """Return the scores of a network in evaluation mode, in fp32.

        Returns:
            Micro F1 over exact spans of ``entities``, ``records`` and ``relations`` at a score of
            0.5; ``classes``, the share of tasks that are answered exactly; and ``score``, their
            mean. What no question asks is left out.
        """
        tally = Tally()
        with torch.no_grad():
            for asked in self._batches:
                self._trainee.tally(network, asked, tally)
        return tally.scores()


def whole_question(example: Example, most: int = MOST_LABELS) -> Question:
    """Return the question that asks everything that was annotated, under the annotated names.

    Args:
        example: what was annotated.
        most: labels of one kind or task; those that hold and the first others are asked.

    >>> from onepass.corpus.example import Mention
    >>> whole_question(Example("Bo barks.", (Mention(0, 2, "dog"),), asked=("cat",))).entities
    ((1, 0, 2),)
    """
    example = _trimmed(example, most)
    schema: Schema = schema_of(example)
    labels = {label.name: i for i, label in enumerate(schema.entity_labels)}
    pairs = pairs_by_type(example)
    return Question(
        example.text,
        schema,
        entities=tuple((labels[m.label], m.start, m.end) for m in example.entities),
        records=tuple(
            record_answers(gold, asked.fields)
            for gold, asked in zip(example.structures, schema.structures, strict=True)
        ),
        pairs=tuple(pairs.get(kind.name, ()) for kind in schema.relation_types),
        classes=tuple(
            tuple(i for i, label in enumerate(task.labels) if label in task.true)
            for task in example.classifications
        ),
    )


def _trimmed(example: Example, most: int) -> Example:
    """Return the example with few labels."""
    present = {mention.label for mention in example.entities}
    return replace(
        example,
        asked=_first(example.asked, present, most),
        asked_relations=_first(example.asked_relations, {r.type for r in example.relations}, most),
        classifications=tuple(_trimmed_task(task, most) for task in example.classifications),
    )


def _trimmed_task(task: GoldTask, most: int) -> GoldTask:
    labels = _first(task.labels, set(task.true), most)
    examples = tuple(
        (text, own)
        for text, answers in task.examples
        if (own := tuple(label for label in answers if label in labels))
    )
    return replace(task, labels=labels, examples=examples)


def _first(labels: Sequence[str], needed: set[str], most: int) -> tuple[str, ...]:
    """Return the needed labels and the first of the others, in their order."""
    others = [label for label in labels if label not in needed]
    chosen = needed | set(others[: max(0, most - len(needed))])
    return tuple(label for label in labels if label in chosen)
