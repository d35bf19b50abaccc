"""Few-shot runs: a few examples of each label to learn from, and what they bring on the others.

It knows neither the loop nor the family of the checkpoint.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from onepass.corpus.example import Example
from onepass.errors import InputError, SchemaError
from onepass.evaluation.gold_schema import schema_of
from onepass.evaluation.predict import Extracts
from onepass.evaluation.run import evaluate
from onepass.schema import Schema
from onepass.training.data import LineFile
from onepass.training.sources import Sources, weights_of, write_at_once

MOST_TESTED = 1000  # of the examples that were not chosen, where no dev file is given
DIRECTORY = "few-shot"  # in the data directory of a run: a file for each source

_Label = tuple[str, str, str]  # kind, task or structure, name


def choose(examples: Sequence[Example], count: int, *, seed: int) -> list[int]:
    """Return which examples to learn from, so that each label has ``count`` of them.

    A label with fewer examples gets all of them; one that often stands beside others may get more.
    Labels are the true labels of tasks ("none" is one more), entity labels, structures and relation
    types, where they occur.

    Args:
        examples: all that there are.
        count: for each label.
        seed: of the choice.

    Returns:
        Indices, in order.

    >>> from onepass.corpus.example import GoldTask
    >>> tone = [GoldTask("tone", ("good", "bad"), (true,)) for true in ("good", "good", "bad")]
    >>> len(choose([Example("x", classifications=(task,)) for task in tone], 1, seed=0))
    2
    """
    order = list(range(len(examples)))
    random.Random(seed).shuffle(order)
    held: Counter[_Label] = Counter()
    chosen = []
    for index in order:
        labels = set(_labels(examples[index]))
        if any(held[label] < count for label in labels):
            chosen.append(index)
            held.update(labels)
    return sorted(chosen)


def _labels(example: Example) -> Iterator[_Label]:
    for task in example.classifications:
        for label in task.true or ("",):
            yield "class", task.name, label
    for mention in example.entities:
        yield "entity", "", mention.label
    for structure in example.structures:
        yield "record", structure.name, "some" if structure.records else "none"
    for relation in example.relations:
        yield "relation", "", relation.type


def few_of(
    sources: Sources,
    count: int,
    *,
    seed: int,
    into: Path,
    report: Callable[[str], None],
    answered: Callable[[Example], Example] = lambda example: example,
    whole: Collection[str] = (),
) -> Sources:
    """Return sources with a few examples of each label; some of the others are held out.

    Sources keep their names, and weights among each other; see `onepass.training.sources`.

    Args:
        sources: everything that there is.
        count: examples of each label.
        seed: of the choice.
        into: directory that receives the chosen examples.
        report: is told how many they are.
        answered: returns what is asked of an example.
        whole: names of sources that are learned from whole.

    Raises:
        InputError: if no label occurs.
    """
    every = sources.files
    names = [name for name, file in every.items() if name not in whole for _ in range(len(file))]
    files = [file for name, file in every.items() if name not in whole]
    examples = [answered(file.example(i)) for file in files for i in range(len(file))]
    chosen = choose(examples, count, seed=seed)
    if not chosen:
        raise InputError("No label occurs in the data, so there is nothing to take a few of.")
    taken = set(chosen)
    rest = [one for i, one in enumerate(examples) if i not in taken and is_asked(one)]
    random.Random(seed).shuffle(rest)
    report(f"{len(chosen)} of {len(examples)} examples chosen, {count} of each label")
    kept = {name: file for name, file in every.items() if name in whole}
    (into / DIRECTORY).mkdir(parents=True, exist_ok=True)
    for name in {names[i]: None for i in chosen}:
        path = into / DIRECTORY / f"{name}.jsonl"
        write_at_once(path, (examples[i] for i in chosen if names[i] == name))
        kept[name] = LineFile(path)
    weights = weights_of(kept, sources.mixes)
    return replace(sources, files=kept, weights=weights, held_out=tuple(rest[:MOST_TESTED]))


def is_asked(example: Example) -> bool:
    """Return whether an example asks anything."""
    asked = (example.asked, example.classifications, example.structures, example.asked_relations)
    return any(asked)


def gain(before: Extracts, after: Extracts, examples: Iterable[Example]) -> dict[str, Any]:
    """Return the scores of two models on the same examples, and the differences.

    Args:
        before: an `Extractor` with the model that a run started from.
        after: with the model that it ended with.
        examples: none of them was learned from.

    Returns:
        ``texts``, ``left_out`` (examples that the models cannot read), and ``before``, ``after``
        and ``gain``: section to scores.
    """
    every = list(examples)
    tested = _readable(after, every)
    first, last = evaluate(before, tested), evaluate(after, tested)
    return {
        "texts": last.texts,
        "left_out": len(every) - len(tested),
        "before": _plain(first.scores),
        "after": _plain(last.scores),
        "gain": {
            section: {name: value - first.scores[section][name] for name, value in scores.items()}
            for section, scores in last.scores.items()
        },
    }


def _readable(model: Extracts, examples: Sequence[Example]) -> list[Example]:
    """Return the examples that a model can be asked: a label may be too long for it."""
    known: dict[Schema, bool] = {}
    readable = []
    for example in examples:
        try:
            schema = schema_of(example)
            if schema not in known:
                known[schema] = False
                model.extract(
                    [""], schema, threshold=None, overlap="flat", on_long="window", solver="greedy"
                )
                known[schema] = True
        except SchemaError:
            continue
        if known[schema]:
            readable.append(example)
    return readable


def _plain(scores: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {section: dict(values) for section, values in scores.items()}
