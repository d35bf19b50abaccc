"""What is asked of every system, and the facts of an answer in one form, so that they compare."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.speed.wording import make_labels  # noqa: E402

from onepass import Schema  # noqa: E402

TASKS = ("entities", "classes", "records", "relations")
# Thresholds of the runs from which that of a cell is chosen: the first that finds enough.
LOW = (0.25, 0.02)
TASK, STRUCTURE = "topic", "record"
ITSELF = "itself"  # marks a relation type of which a span is head and tail
Facts = Mapping[tuple[Any, ...], float]  # what was found, to its score


@dataclass(frozen=True)
class Question:
    """One task with its labels.

    Attributes:
        task: one of `TASKS`.
        count: of labels: entity labels, classes, fields of a structure, or relation types.
        related: whether relations are asked between entities of labels, as gliner does.
        threshold: of scores; classes are all asked for.
    """

    task: str
    count: int
    related: bool = False
    threshold: float = LOW[0]

    @cached_property
    def labels(self) -> tuple[str, ...]:
        """Return the labels that are asked."""
        return make_labels(self.count)

    @cached_property
    def entity_labels(self) -> tuple[str, ...]:
        """Return the labels of entities, beside relations too."""
        if self.related:
            return make_labels(200)[-5:]
        return self.labels if self.task == "entities" else ()

    @cached_property
    def schema(self) -> Schema:
        """Return it as onepass asks it."""
        schema = Schema()
        if self.entity_labels:
            schema.entities(list(self.entity_labels))
        if self.task == "classes":
            schema.classification(TASK, list(self.labels), multi_label=True)
        if self.task == "records":
            schema.structure(STRUCTURE, list(self.labels))
        if self.task == "relations":
            schema.relations(list(self.labels))
        return schema

    @property
    def thresholds(self) -> dict[str, float]:
        """Return the threshold by kind."""
        return dict.fromkeys(("entities", "records", "relations"), self.threshold)


@dataclass(frozen=True)
class System:
    """Something that answers.

    Attributes:
        name: such as "onepass" or "gliner2".
        answer: of texts and a question; ours is also given a batch size, which it does not need.
        facts: of one text's answer.
        windows: reads a text of any length, in windows; None for libraries that cut it.
    """

    name: str
    answer: Callable[[Sequence[str], Question, int], list[Any]]
    facts: Callable[[Any, Question], Facts]
    windows: Callable[[str, Question], object] | None = None


def choose_threshold(scores: Sequence[float], wanted: int) -> float:
    """Return a threshold that about so many scores reach, and that none is near.

    It is in the middle of the widest gap around the wanted rank.

    >>> choose_threshold([0.9, 0.8, 0.5, 0.4], 2)
    0.65
    """
    ranked = sorted(scores, reverse=True)
    first, last = max(wanted // 2, 1), min(wanted * 2, len(ranked) - 1)
    if last < first:
        return LOW[-1]
    gaps = [(ranked[i - 1] - ranked[i], i) for i in range(first, last + 1)]
    _, at = max(gaps)
    return round((ranked[at - 1] + ranked[at]) / 2, 6)


def settle(system: System, question: Question, texts: Sequence[str]) -> Question:
    """Return a question with the threshold at which a text says something about every 20 words.

    Without it, random weights find thousands of spans with many labels, and decoding them would be
    most of the time of every library.
    """
    if question.task == "classes":
        return question
    wanted = max(sum(len(text.split()) for text in texts) // 20, 4)
    scores: list[float] = []
    for low in LOW:
        asked = replace(question, threshold=low)
        found = [system.facts(one, asked) for one in system.answer(texts, asked, 1)]
        scores = [score for facts in found for score in facts.values()]
        if len(scores) > 2 * wanted:
            break
    return replace(question, threshold=choose_threshold(scores, wanted))


def compare(
    ours: Sequence[Facts], theirs: Sequence[Facts], threshold: float, tolerance: float
) -> dict[str, Any]:
    """Return how many facts two systems found, and how much they differ.

    A fact that one of them has alone counts unless its score is at the threshold: there a
    difference in the last digit decides. Where gliner2 relates a span to itself, onepass, which
    never does (tests/parity names it), finds the next pair instead: such a pair is left out.
    """
    different, largest, number = 0, 0.0, 0
    for whole, their in zip(ours, theirs, strict=True):
        itself = {key[1] for key in their if key[0] == ITSELF}
        b = {key: score for key, score in their.items() if key[0] != ITSELF}
        a = {
            key: score
            for key, score in whole.items()
            if key in b or not (key[0] == "relation" and key[1] in itself)
        }
        alone = [a.get(key, b.get(key, 0.0)) for key in set(a) ^ set(b)]
        different += sum(abs(score - threshold) > tolerance for score in alone)
        number += len(b)
        largest = max([largest, *(abs(a[key] - b[key]) for key in set(a) & set(b))])
    equal = not different and largest <= tolerance
    return {"facts": number, "different": different, "largest_difference": largest, "equal": equal}


def equality(
    answers: Mapping[str, Sequence[Any]],
    ours: Mapping[str, System],
    peers: Mapping[str, System],
    question: Question,
    tolerance: float,
) -> dict[str, dict[str, Any]]:
    """Return how each system of ours compares with each run of a peer.

    Args:
        answers: of both sides, name to those of all texts.
        ours: name to what gave them.
        peers: likewise.
        question: that was asked.
        tolerance: of scores.
    """
    facts = {
        name: [system.facts(one, question) for one in answers[name]]
        for name, system in {**ours, **peers}.items()
    }
    return {
        f"{name} beside {peer}": {
            "system": name, **compare(facts[name], facts[peer], question.threshold, tolerance)
        }
        for peer in peers
        for name in ours
    }  # fmt: skip
