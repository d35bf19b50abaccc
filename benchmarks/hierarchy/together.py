"""What tasks do to each other in one prompt, and what the order of labels does.

Both are asked of the hand-written texts, which hold all four tasks. It knows nothing about the sets
of records.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import fmean, pstdev
from typing import Any, TypeVar

from benchmarks.hierarchy.systems import Extracts

from onepass.corpus.example import Example, GoldStructure, GoldTask
from onepass.evaluation import Scorers
from onepass.evaluation.gold_schema import schema_of

TASKS = ("entities", "classifications", "records", "relations")
SCORES = {"entities": "f1", "classifications": "accuracy", "records": "f1", "relations": "f1"}
SEEDS = 5
TEXTS = 60  # of each task

_EMPTY: dict[str, dict[str, Any]] = {
    "entities": {"entities": (), "asked": (), "descriptions": {}},
    "classifications": {"classifications": ()},
    "records": {"structures": ()},
    "relations": {"relations": (), "asked_relations": (), "relation_descriptions": {}},
}
Item = TypeVar("Item")


def single_label(examples: Sequence[Example]) -> list[Example]:
    """Return examples with their single-label tasks alone, so that accuracy says it all."""
    return [
        replace(one, classifications=tuple(t for t in one.classifications if not t.multi_label))
        for one in examples
    ]


def has(example: Example, task: str) -> bool:
    """Say whether a task was annotated."""
    asked: dict[str, tuple[object, ...]] = {
        "entities": example.asked,
        "classifications": example.classifications,
        "records": example.structures,
        "relations": example.asked_relations,
    }
    return bool(asked[task])


def only(example: Example, task: str) -> Example:
    """Return an example without its other tasks."""
    gone = {k: v for name, parts in _EMPTY.items() if name != task for k, v in parts.items()}
    return replace(example, **gone)


def borrowed(examples: Sequence[Example], place: int, task: str) -> Example:
    """Return an example with a task: the one at a place, or the next one that has it.

    Raises:
        StopIteration: if none has it.
    """
    around = [*examples[place:], *examples[:place]]
    return next(one for one in around if has(one, task))


def interference(model: Extracts, examples: Sequence[Example]) -> dict[str, Any]:
    """Return, for each task, its score when asked alone, beside one other task, and beside all.

    A text without a task gets the question of the next text that has it.

    Returns:
        task to ``texts`` and to the score of each ``beside``: "nothing", a task, "all".
    """
    examples = single_label(examples)
    present = [task for task in TASKS if any(has(one, task) for one in examples)]
    table: dict[str, Any] = {}
    for task in present:
        places = [i for i, one in enumerate(examples) if has(one, task)][:TEXTS]
        beside: dict[str, tuple[str, ...]] = {"nothing": ()}
        beside |= {other: (other,) for other in present if other != task}
        beside["all"] = tuple(other for other in present if other != task)
        scores = {}
        for name, others in beside.items():
            scorers = Scorers()
            for i in places:
                gold = only(examples[i], task)
                schema = schema_of(gold)
                for other in others:
                    schema = schema.merged(schema_of(only(borrowed(examples, i, other), other)))
                scorers.add(model.extract(gold.text, schema), gold)
            scores[name] = round(_main(scorers)[task], 4)
        table[task] = {"texts": len(places), "beside": scores}
    return table


def _main(scorers: Scorers) -> dict[str, float]:
    asked = scorers.asked()
    return {task: asked[task].scores().get(SCORES[task], 0.0) for task in TASKS if task in asked}


def permuted(example: Example, seed: int) -> Example:
    """Return an example that asks the same in another order."""
    rng = random.Random(f"{seed} {example.text}")

    def mixed(items: Sequence[Item]) -> tuple[Item, ...]:
        return tuple(rng.sample(list(items), len(items)))

    def task(one: GoldTask) -> GoldTask:
        return replace(one, labels=mixed(one.labels))

    def structure(one: GoldStructure) -> GoldStructure:
        fields = (replace(field, choices=mixed(field.choices)) for field in one.fields)
        return replace(one, fields=mixed(list(fields)))

    return replace(
        example,
        asked=mixed(example.asked),
        classifications=mixed([task(one) for one in example.classifications]),
        structures=mixed([structure(one) for one in example.structures]),
        asked_relations=mixed(example.asked_relations),
    )


def order(model: Extracts, examples: Sequence[Example]) -> dict[str, Any]:
    """Return, for each task, its score as annotated and in other orders, and their spread.

    All tasks of a text are asked at once.
    """
    examples = single_label(examples)
    runs: list[Mapping[str, float]] = []
    for seed in range(SEEDS + 1):  # 0 is the order of the annotation
        scorers = Scorers()
        for one in examples:
            asked = permuted(one, seed) if seed else one
            schema = schema_of(asked)
            if not schema.is_empty:
                scorers.add(model.extract(one.text, schema), asked)
        runs.append(_main(scorers))
    table = {}
    for task in (task for task in TASKS if task in runs[0]):
        scores = [run[task] for run in runs]
        table[task] = {
            "annotated": round(scores[0], 4),
            "permuted": [round(score, 4) for score in scores[1:]],
            "mean": round(fmean(scores[1:]), 4),
            "deviation": round(pstdev(scores[1:]), 4),
            "range": round(max(scores) - min(scores), 4),
        }
    return {"texts": len(examples), "tasks": table}
