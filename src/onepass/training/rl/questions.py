"""What is asked of an example in reinforcement: one classification task, under its own names.

Names stay as they are annotated, since rewards are told them. It knows nothing about models.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from onepass.corpus.example import Example, GoldTask
from onepass.corpus.question import Question
from onepass.schema import Schema
from onepass.training.asking.classes import fitting
from onepass.training.asking.means import SamplingOptions
from onepass.training.holdout import whole_question
from onepass.training.sampling import Sampler


class TaskSampler(Sampler):
    """Draws one task of an example, its labels in any order, and some of them if there are many.

    Args:
        options: of which ``max_classes`` counts.

    >>> task = GoldTask("tone", ("calm", "angry"), ("calm",))
    >>> example = Example("Hi.", classifications=(task,))
    >>> question = TaskSampler().question(example, random.Random(1))
    >>> [label.name for label in question.schema.classification_tasks[0].labels], question.classes
    (['angry', 'calm'], ((1,),))
    """

    def __init__(self, options: SamplingOptions | None = None) -> None:
        super().__init__(options=options)

    def question(self, example: Example, rng: random.Random, source: str = "") -> Question:
        """Return one question about the example; its schema is empty if it has no task."""
        tasks = example.classifications
        if not tasks:
            return Question(example.text, Schema())
        most = self.means.options.max_classes
        task = _drawn(rng.choice(tasks), most, rng)
        return whole_question(Example(example.text, classifications=(task,)), most)


def task_questions(example: Example) -> list[Question]:
    """Return one question for each task of an example, everything as it was annotated.

    >>> task = GoldTask("tone", ("calm", "angry"), ("angry",))
    >>> [one.classes for one in task_questions(Example("Hi.", classifications=(task,)))]
    [((1,),)]
    """
    return [
        whole_question(Example(example.text, classifications=(task,)))
        for task in example.classifications
    ]


def _drawn(task: GoldTask, most: int, rng: random.Random) -> GoldTask:
    """Return a task with its labels shuffled, some of them left out if there are many."""
    true, wrong = fitting(task, most, rng)
    labels = [*true, *wrong]
    rng.shuffle(labels)
    return replace(task, labels=tuple(labels), true=tuple(true), examples=_answerable(task, labels))


def _answerable(task: GoldTask, labels: Sequence[str]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return the examples of a task with those of their labels that are asked."""
    return tuple(
        (text, own)
        for text, answers in task.examples
        if (own := tuple(label for label in answers if label in labels))
    )
