"""What many predictions hold at any threshold, from what each of them holds at the lowest.

What holds at a threshold is told by scores alone, except for entities that overlap and for the
matching of records; of those each is decided again only where something changes. It knows nothing
about models.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import numpy as np

from onepass.arrays import Bools, Float64s, Int64s
from onepass.corpus.example import Example
from onepass.decoding.candidates import Candidates
from onepass.decoding.matching import best_total
from onepass.decoding.overlap import Policy, Ties, select
from onepass.decoding.specificity import label_rank
from onepass.evaluation.counts import Counts
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

_NONE: Mapping[str, float] = MappingProxyType({})


class Section(Protocol):
    """What was gathered of one section of all texts.

    Attributes:
        asked: whether any text was asked for it.
    """

    asked: bool

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the items of one text."""

    def count(self, at: float, labels: Mapping[str, float] = _NONE) -> Counts:
        """Return what holds at a threshold.

        Args:
            at: the threshold, one of the grid.
            labels: of labels that have one of their own; without meaning for values of records.
        """

    def by_label(self, at: float) -> dict[str, Counts]:
        """Return what holds at a threshold by label; nothing of values of records."""


def gather_sections(
    answered: Iterable[tuple[Extraction, Example]],
    grid: Sequence[float],
    overlap: Policy,
    judged: Iterable[Sequence[Judged]] | None = None,
    ties: Ties = "longest",
) -> dict[str, Section]:
    """Return what a model found, by section, as `onepass.evaluation.scoring` counts it.

    Args:
        answered: each prediction with its gold, as `onepass.evaluation.thresholds.sweep_answers`
            takes them.
        grid: thresholds in ascending order.
        overlap: the policy of entities.
        judged: the choices of each prediction, where `judged_choices` has judged them already.
        ties: which of two entities with one score is kept, as in `onepass.decoding.overlap.select`;
            with "first", as in GLiNER, it plays no part how general a label is.

    Returns:
        Entities, labels of multi-label tasks, values of records, the choices of those by
        themselves, and relations; sections that no text was asked for are left out.
    """
    sections: dict[str, Section] = {
        "entities": _Entities(overlap, ties),
        "classifications": _Classes(),
        "records": _Records(grid),
        "choices": _Choices(judged),
        "relations": _Relations(),
    }
    for prediction, gold in answered:
        for section in sections.values():
            section.add(prediction, gold)
    return {name: section for name, section in sections.items() if section.asked}


def gather_relations(answered: Iterable[tuple[Extraction, Example]]) -> Section:
    """Return the relations that a model found, as `gather_sections` gathers them.

    Args:
        answered: each prediction with its gold.
    """
    section = _Relations()
    for prediction, gold in answered:
        section.add(prediction, gold)
    return section


def f1_curves(
    sections: Mapping[str, Section], grid: Sequence[float]
) -> dict[str, dict[float, float]]:
    """Return F1 (micro) by section and threshold.

    Args:
        sections: what was gathered.
        grid: thresholds in ascending order.
    """
    return {name: {at: section.count(at).f1 for at in grid} for name, section in sections.items()}


class _Scored:
    """Items that hold from their score down, whatever else holds."""

    def __init__(self) -> None:
        self.asked = False
        self._gold: Counter[str] = Counter()  # by label
        self._scores: list[float] = []
        self._right: list[bool] = []
        self._labels: list[str] = []

    def note(self, label: str, score: float, *, right: bool) -> None:
        """Gather an item that was found."""
        self._labels.append(label)
        self._scores.append(score)
        self._right.append(right)

    def count(self, at: float, labels: Mapping[str, float] = _NONE) -> Counts:
        """Return what holds at a threshold."""
        holds = self._holds(at, labels)
        right = np.array(self._right, dtype=bool)[holds]
        return Counts(int(right.sum()), int(holds.sum()), self._gold.total())

    def by_label(self, at: float) -> dict[str, Counts]:
        """Return what holds at a threshold by label."""
        holds = self._holds(at, _NONE)
        found = Counter(label for label, held in zip(self._labels, holds, strict=True) if held)
        right = Counter(
            label
            for label, held, true in zip(self._labels, holds, self._right, strict=True)
            if held and true
        )
        names = dict.fromkeys([*self._gold, *self._labels])
        return {name: Counts(right[name], found[name], self._gold[name]) for name in names}

    def _holds(self, at: float, labels: Mapping[str, float]) -> Bools:
        least = np.array([labels.get(label, at) for label in self._labels] if labels else at)
        return np.asarray(np.array(self._scores, dtype=np.float64) >= least)


class _Classes(_Scored):
    """Labels of multi-label tasks."""

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the labels of one text."""
        for task in gold.classifications:
            if task.multi_label:
                self.asked = True
                self._gold.update(task.true)
                answer = prediction.classifications.get(task.name)
                for label, score in () if answer is None else answer.scores.items():
                    self.note(label, score, right=label in task.true)


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
        self._gold.update(kind for kind, *_ in true)
        for fact, sure in facts.items():
            self.note(fact[0], sure, right=fact in true)


class _Choices(_Scored):
    """Choices of records, which have a threshold of their own."""

    def __init__(self, judged: Iterable[Sequence[Judged]] | None) -> None:
        super().__init__()
        self._judged = None if judged is None else iter(judged)  # of one text after the other

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the choices of one text."""
        self.asked |= any(map(choice_fields, gold.structures))
        self._gold[""] += len(gold_choices(gold))
        known = self._judged
        for choice in judged_choices(prediction, gold) if known is None else next(known):
            self.note("", choice.score, right=choice.right)

    def by_label(self, at: float) -> dict[str, Counts]:
        """Return nothing: choices have no thresholds of their own."""
        return {}


class _Records:
    """Values of records but for choices; which are right depends on how records are matched."""

    def __init__(self, grid: Sequence[float]) -> None:
        self.asked = False
        self._grid, self._gold = list(grid), 0
        self._scores: list[float] = []
        self._matched = [0] * len(grid)

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
            self._gold += sum(map(len, wanted))
            found = []
            for row in prediction.records.get(structure.name, ()):
                best: dict[tuple[str, str], float] = {}
                for name, value in asked_values(row, names):
                    key = name, normalize(value.text)
                    best[key] = max(value.score, best.get(key, value.score))
                found.append(best)
                self._scores += best.values()
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

    def count(self, at: float, labels: Mapping[str, float] = _NONE) -> Counts:
        """Return the values at a threshold of the grid."""
        found = sum(score >= at for score in self._scores)
        return Counts(self._matched[self._grid.index(at)], found, self._gold)

    def by_label(self, at: float) -> dict[str, Counts]:
        """Return nothing: fields have their own thresholds, by structure."""
        return {}


class _Entities:
    """Mentions of all texts, each text on its own stretch of one line, with labels of its own."""

    def __init__(self, overlap: Policy, ties: Ties) -> None:
        self.asked = False
        self._gold: Counter[str] = Counter()  # by label
        self._overlap, self._ties = overlap, ties
        self._end = 0  # of the line
        self._places: list[tuple[int, int, int]] = []  # start, end and label of each mention
        self._scores: list[float] = []
        self._counts: list[tuple[bool, bool]] = []  # whether its label was asked, and it is right
        self._names: list[str] = []  # of the labels of all texts, one text after the other
        self._ranks: list[int] = []  # how general each of these is

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Gather the mentions of one text."""
        if not gold.asked:
            return
        self.asked = True
        true = {(m.start, m.end, m.label) for m in gold.entities}
        self._gold.update(label for *_, label in true)
        asked = set(gold.asked)
        names = dict.fromkeys([*gold.asked, *(e.label for e in prediction.entities)])
        index = {name: number for number, name in enumerate(names, len(self._names))}
        self._names += names
        self._ranks += map(label_rank, names)
        for e in prediction.entities:
            self._places.append((e.start + self._end, e.end + self._end, index[e.label]))
            self._scores.append(e.score)
            self._counts.append((e.label in asked, (e.start, e.end, e.label) in true))
        self._end += len(prediction.text) + 1

    def count(self, at: float, labels: Mapping[str, float] = _NONE) -> Counts:
        """Return the mentions that are kept at a threshold."""
        least = np.array([labels.get(name, at) for name in self._names], dtype=np.float64)
        found, right = self._kept(least)[1].sum(axis=0).tolist()
        return Counts(right, found, self._gold.total())

    def by_label(self, at: float) -> dict[str, Counts]:
        """Return the mentions that are kept at a threshold by label."""
        numbers, counted = self._kept(np.full(len(self._names), at))
        sums = {name: Counts(gold=gold) for name, gold in self._gold.items()}
        for number, (found, right) in zip(numbers.tolist(), counted.tolist(), strict=True):
            own = sums.setdefault(self._names[number], Counts())
            own.add_counts(right, found, 0)
        return sums

    def _kept(self, least: Float64s) -> tuple[Int64s, Int64s]:
        """Return the (mentions,) labels of what is kept, and (mentions, 2) what it counts.

        Args:
            least: (labels,) the threshold of each.
        """
        places = np.array(self._places, dtype=np.int64).reshape(-1, 3)
        scores = np.array(self._scores, dtype=np.float64)
        ranks = np.array(self._ranks, dtype=np.int64) if self._ties == "longest" else None
        counted = np.array(self._counts, dtype=np.int64).reshape(-1, 2)
        holds = np.flatnonzero(scores >= least[places[:, 2]])
        starts, ends, labels = places[holds].T
        table = Candidates(starts, ends, scores[holds], labels)
        kept = select(table, policy=self._overlap, ranks=ranks, ties=self._ties)
        return labels[kept], counted[holds[kept]]
