"""F1 of many predictions at every threshold, from arrays of what each of them holds.

What holds at a threshold is told by scores alone, except for entities that overlap and for the
matching of records; of those each is decided again only where something changes. It knows nothing
about models.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import numpy as np

from onepass.arrays import Float64s, Int64s
from onepass.corpus.example import Example
from onepass.decoding.candidates import Candidates
from onepass.decoding.matching import best_total
from onepass.decoding.overlap import Policy, select
from onepass.decoding.specificity import label_rank
from onepass.evaluation.judged import Judged
from onepass.evaluation.records import (
    Row,
    asked_values,
    choice_fields,
    gold_choices,
    gold_row,
    judged_choices,
    normalize,
    standing,
)
from onepass.results.types import Extraction


def f1_curves(
    answered: Iterable[tuple[Extraction, Example]],
    grid: Sequence[float],
    overlap: Policy,
    judged: Iterable[Sequence[Judged]] | None = None,
) -> dict[str, dict[float, float]]:
    """Return F1 by section and threshold, as `onepass.evaluation.scoring` counts it.

    Args:
        answered: each prediction with its gold, as `onepass.evaluation.thresholds.sweep_answers`
            takes them.
        grid: thresholds in ascending order.
        overlap: the policy of entities.
        judged: the choices of each prediction, where `judged_choices` has judged them already.

    Returns:
        F1 of entities, of the labels of multi-label tasks (micro), of values of records, of the
        choices of those by themselves, and of relations; sections that no text was asked for are
        left out.
    """
    sections: dict[str, _Section] = {
        "entities": _Entities(overlap),
        "classifications": _Classes(),
        "records": _Records(grid),
        "choices": _Choices(judged),
        "relations": _Relations(),
    }
    for prediction, gold in answered:
        for section in sections.values():
            section.add(prediction, gold)
    curves = {}
    for name, section in sections.items():
        if section.asked:
            right, found = section.counts(np.array(grid))
            items = (found + section.gold).tolist()
            curves[name] = {
                at: 2 * hits / number if number else 0.0
                for at, hits, number in zip(grid, right.tolist(), items, strict=True)
            }
    return curves


class _Section(Protocol):
    """What is gathered of one section.

    Attributes:
        asked: whether any text was asked for it.
        gold: how many items are gold.
    """

    asked: bool
    gold: int

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the items of one text."""

    def counts(self, grid: Float64s) -> tuple[Int64s, Int64s]:
        """Return (thresholds,) items that are right, and that were found."""


class _Scored:
    """Items that hold from their score down, whatever else holds."""

    def __init__(self) -> None:
        self.asked = False
        self.gold = 0
        self.scores: list[float] = []
        self.right: list[bool] = []

    def counts(self, grid: Float64s) -> tuple[Int64s, Int64s]:
        """Return (thresholds,) items that are right, and that were found."""
        scores, right = np.array(self.scores), np.array(self.right, dtype=bool)
        return _reaching(scores[right], grid), _reaching(scores, grid)


class _Classes(_Scored):
    """Labels of multi-label tasks."""

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the labels of one text."""
        for task in gold.classifications:
            if task.multi_label:
                self.asked = True
                self.gold += len(task.true)
                answer = prediction.classifications.get(task.name)
                for label, score in () if answer is None else answer.scores.items():
                    self.scores.append(score)
                    self.right.append(label in task.true)


class _Relations(_Scored):
    """Facts: a type and the words of both ends; each is as sure as its surest relation."""

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the facts of one text."""
        types = gold.asked_relations
        if not types:
            return
        self.asked = True
        text = gold.text
        true = {(r.type, text[slice(*r.head)], text[slice(*r.tail)]) for r in gold.relations}
        facts: dict[tuple[str, str, str], float] = {}
        for r in prediction.relations:
            if r.type in types and r.head.start is not None and r.tail.start is not None:
                fact = r.type, r.head.text, r.tail.text
                sure = min(r.score, r.head.score, r.tail.score)
                facts[fact] = max(sure, facts.get(fact, sure))
        self.gold += len(true)
        self.scores += facts.values()
        self.right += [fact in true for fact in facts]


class _Choices(_Scored):
    """Choices of records, which have a threshold of their own."""

    def __init__(self, judged: Iterable[Sequence[Judged]] | None) -> None:
        super().__init__()
        self._judged = None if judged is None else iter(judged)  # of one text after the other

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the choices of one text."""
        self.asked |= any(map(choice_fields, gold.structures))
        self.gold += len(gold_choices(gold))
        known = self._judged
        for choice in judged_choices(prediction, gold) if known is None else next(known):
            self.scores.append(choice.score)
            self.right.append(choice.right)


class _Records(_Scored):
    """Values of records but for choices; which are right depends on how records are matched."""

    def __init__(self, grid: Sequence[float]) -> None:
        super().__init__()
        self._grid = np.array(grid)
        self._matched = np.zeros(len(grid), dtype=np.int64)

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the values of one text."""
        for structure in gold.structures:
            names = {one.name for one in structure.fields} - choice_fields(structure)
            if not names:
                continue
            self.asked = True
            wanted = [
                frozenset(key for key in gold_row(row, gold.text) if key[0] in names)
                for row in structure.records
            ]
            self.gold += sum(map(len, wanted))
            found = []
            for row in prediction.records.get(structure.name, ()):
                best: dict[tuple[str, str], float] = {}
                for name, value in asked_values(row, names):
                    key = name, normalize(value.text)
                    best[key] = max(value.score, best.get(key, value.score))
                found.append(best)
                self.scores += best.values()
            self._match(found, wanted)

    def _match(self, found: Sequence[dict[tuple[str, str], float]], wanted: Sequence[Row]) -> None:
        """Count the values that are right at each threshold, under its own best matching."""
        places = standing(wanted)
        known = [
            (score, number, places[key])
            for number, row in enumerate(found)
            for key, score in row.items()
            if key in places
        ]
        known.sort(key=lambda one: one[0])
        agreeing = np.zeros((len(found), len(wanted)))  # values, so far down
        right = 0
        for place in reversed(range(len(self._grid))):
            before = len(known)
            while known and known[-1][0] >= self._grid[place]:
                _, number, others = known.pop()
                agreeing[number, others] += 1
            if len(known) < before:
                right = best_total(agreeing)
            self._matched[place] += right

    def counts(self, grid: Float64s) -> tuple[Int64s, Int64s]:
        """Return (thresholds,) values that are right, and that were found."""
        return self._matched, _reaching(np.array(self.scores), grid)


class _Entities:
    """Mentions of all texts, each text on its own stretch of one line, with labels of its own."""

    def __init__(self, overlap: Policy) -> None:
        self.asked = False
        self.gold = 0
        self._overlap = overlap
        self._end = 0  # of the line
        self._places: list[tuple[int, int, int]] = []  # start, end and label of each mention
        self._scores: list[float] = []
        self._counts: list[tuple[bool, bool]] = []  # whether its label was asked, and it is right
        self._ranks: list[int] = []  # how general each label is

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the mentions of one text."""
        if not gold.asked:
            return
        self.asked = True
        true = {(m.start, m.end, m.label) for m in gold.entities}
        self.gold += len(true)
        asked = set(gold.asked)
        names = dict.fromkeys([*gold.asked, *(e.label for e in prediction.entities)])
        index = {name: number for number, name in enumerate(names, len(self._ranks))}
        self._ranks += map(label_rank, names)
        for e in prediction.entities:
            self._places.append((e.start + self._end, e.end + self._end, index[e.label]))
            self._scores.append(e.score)
            self._counts.append((e.label in asked, (e.start, e.end, e.label) in true))
        self._end += len(prediction.text) + 1

    def counts(self, grid: Float64s) -> tuple[Int64s, Int64s]:
        """Return (thresholds,) mentions that are right, and that were found."""
        places = np.array(self._places, dtype=np.int64).reshape(-1, 3)
        scores, ranks = np.array(self._scores), np.array(self._ranks, dtype=np.int64)
        counted = np.array(self._counts, dtype=np.int64).reshape(-1, 2)
        sums = []
        for at in grid:
            holds = np.flatnonzero(scores >= at)
            starts, ends, labels = places[holds].T
            table = Candidates(starts, ends, scores[holds], labels)
            kept = select(table, policy=self._overlap, ranks=ranks)
            sums.append(counted[holds[kept]].sum(axis=0))
        found, right = np.stack(sums).T
        return right, found


def _reaching(scores: Float64s, grid: Float64s) -> Int64s:
    """Return (thresholds,) how many scores reach each threshold."""
    number: Int64s = len(scores) - np.searchsorted(np.sort(scores), grid, side="left")
    return number
