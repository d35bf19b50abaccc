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
    style = means.style(rng)
    names = [style(label) if style else label for label in labels]
    if len(set(names)) < len(names):
        names = labels
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
    false = [label for label in gold.labels if label not in gold.true]
    rng.shuffle(false)
    if options.density and rng.random() < options.density:
        return _any_number(gold, false, options.max_classes, rng)
    limit = max(2, options.max_classes - len(gold.true))
    if len(false) > 3 and rng.random() < options.fewer_classes:
        limit = rng.randint(2, min(limit, len(false)))
    labels = [*gold.true, *false[:limit]]
    rng.shuffle(labels)
    return labels


def _any_number(gold: GoldTask, false: list[str], most: int, rng: random.Random) -> list[str]:
    """Return labels whose number is spread evenly over orders of magnitude.

    Of a single-label task the true one stays, since a softmax needs an answer.
    """
    true = list(gold.true)
    rng.shuffle(true)
    if gold.multi_label and true:
        true = true[: _spread(len(true), rng)]
    room = min(len(false), most - len(true))
    others = _spread(room, rng) if room > 0 else 0
    if not true:
        others = max(others, min(len(false), 1))
    labels = [*true, *false[:others]]
    rng.shuffle(labels)
    return labels


def _spread(most: int, rng: random.Random) -> int:
    """Return a whole number from 1 to ``most``, small ones as often as large ones."""
    return min(most, int(most ** rng.random() + 0.5))
