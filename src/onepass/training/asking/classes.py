"""Which classification tasks are asked of an example, among which labels.

It knows nothing about the other kinds of question.
"""

from __future__ import annotations

import random

from onepass.corpus.example import Example, GoldTask
from onepass.schema import Schema
from onepass.training.asking.means import Means, SamplingOptions

_MOST_TASKS = 4
_OWN_NAME = 0.8
_DESCRIBE = 0.3
_PROMPT = 0.3
_EXAMPLES = 0.5
_ANY_NAME = "class"


def ask_classes(
    example: Example, schema: Schema, means: Means, rng: random.Random
) -> tuple[tuple[int, ...], ...]:
    """Add classification tasks to a schema and return, for each, the indices of its true labels.

    Args:
        example: what was annotated.
        schema: is added to; it has no tasks yet.
        means: probabilities and limits.
        rng: decides.
    """
    tasks = list(example.classifications)
    rng.shuffle(tasks)
    return tuple(_ask_task(task, schema, means, rng) for task in tasks[:_MOST_TASKS])


def _ask_task(gold: GoldTask, schema: Schema, means: Means, rng: random.Random) -> tuple[int, ...]:
    labels = _labels(gold, means.options, rng)
    names = means.asked_as(labels, means.style(rng), rng, means.bank.classes, also=gold.labels)
    described = rng.random() < _DESCRIBE
    taken = {task.name for task in schema.classification_tasks}
    name = gold.name if rng.random() < _OWN_NAME or _ANY_NAME in taken else _ANY_NAME
    while name in taken:
        name += " again"
    written = dict(zip(labels, names, strict=True))
    prompt = gold.prompt if gold.prompt and rng.random() < _PROMPT else None
    shown = gold.examples if gold.examples and rng.random() < _EXAMPLES else ()
    schema.classification(
        name,
        {written[label]: (gold.descriptions.get(label) if described else None) for label in labels},
        multi_label=gold.multi_label,
        prompt=prompt,
        examples=[
            (text, own)
            for text, answers in shown
            if (own := [written[label] for label in answers if label in written])
        ],
    )
    return tuple(i for i, label in enumerate(labels) if label in gold.true)


def _labels(gold: GoldTask, options: SamplingOptions, rng: random.Random) -> list[str]:
    """Return the true labels and some of the others, in any order."""
    dense = bool(options.density) and rng.random() < options.density
    true, false = fitting(gold, options.max_classes, rng, spread=dense)
    if not dense and len(false) > 3 and rng.random() < options.fewer_classes:
        false = false[: rng.randint(2, len(false))]
    labels = [*true, *false]
    rng.shuffle(labels)
    return labels


def fitting(
    gold: GoldTask, most: int, rng: random.Random, *, spread: bool = False
) -> tuple[list[str], list[str]]:
    """Return true and false labels of a task, in any order, as many as may be asked at once.

    One false label is among them if there is one, but never in place of the only true one.

    Args:
        gold: the task.
        most: labels that may be asked.
        rng: decides which are left out.
        spread: whether their numbers are spread evenly over orders of magnitude, but for the true
            ones of a single-label task, which has one.
    """
    true = list(gold.true)
    false = [label for label in gold.labels if label not in gold.true]
    rng.shuffle(true)
    rng.shuffle(false)
    true = true[: max(1, most - bool(false))]
    if spread and gold.multi_label:
        true = true[: _spread(len(true), rng)]
    false = false[: max(1, most - len(true))]
    return true, false[: _spread(len(false), rng)] if spread else false


def _spread(most: int, rng: random.Random) -> int:
    """Return a whole number from 1 to ``most``, small ones as often as large ones; 0 of 0."""
    return min(most, int(most ** rng.random() + 0.5))
