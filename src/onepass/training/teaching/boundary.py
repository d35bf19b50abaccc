"""What a GLiNER2 boundary student learns of a teacher: places, spans, pairs and classes.

The two propose spans and pairs of their own; those that both propose are learned. Values of records
are not learned so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from onepass.arrays import Bools, Int64s
from onepass.models.boundary.network.loss import counted_spans
from onepass.models.boundary.network.network import BoundaryNetwork
from onepass.models.boundary.network.outputs import Known, Outputs, run_network
from onepass.models.boundary.targets import BoundaryLoss
from onepass.models.gliner2.prompt import Kind
from onepass.nn.device import moved
from onepass.training.teaching.lesson import Lesson
from onepass.training.teaching.soft import soft_binary, soft_tasks


@dataclass(frozen=True, slots=True)
class BoundaryTerm:
    """The soft term of a checkpoint.

    Attributes:
        weights: of the terms of the gold answers; those of the same places count as much here.
    """

    weights: BoundaryLoss

    def __call__(
        self, own: Outputs, teacher: BoundaryNetwork, batch: Lesson, heat: float
    ) -> torch.Tensor:
        """Return the soft term of a batch: means over queries, relation types and tasks."""
        with torch.no_grad():
            shown = run_network(teacher, batch.shown)
        total = soft_tasks(own.classes, shown.classes, batch, heat)
        if own.known is None or shown.known is None:
            return total
        return (
            total
            + self._places(own.known, shown.known, batch, heat)
            + _nothing(own.known, shown.known, batch, heat) * self.weights.nothing
            + _spans(own, shown, batch, heat) * self.weights.spans
            + _pairs(own, shown, batch, heat) * self.weights.relations
        )

    def _places(self, own: Known, shown: Known, batch: Lesson, heat: float) -> torch.Tensor:
        """Return the term of starts, ends and insides, a mean over open queries."""
        total, queries = torch.zeros(()), 0
        mine, theirs = (targets.batch.word_counts for targets in (batch.own, batch.shown))
        for line, row in enumerate(batch.rows):
            words = int(min(mine[row], theirs[line]))
            open_ = ~batch.own.closed[row, : batch.own.counts[row]]
            asked = moved(np.flatnonzero(open_), own.starts.device)
            queries += len(asked)
            for logits, taught, size, weight in (
                (own.starts, shown.starts, words + 1, self.weights.boundaries),
                (own.ends, shown.ends, words + 1, self.weights.boundaries),
                (own.inside, shown.inside, words, self.weights.inside),
            ):
                cells = logits[row, asked, :size], taught[line, asked, :size]
                total = total + soft_binary(*cells, heat) * weight
        return total / max(queries, 1)


def _nothing(own: Known, shown: Known, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the term of there being nothing, a mean over open entity labels, as of the gold."""
    total, queries = torch.zeros(()), 0
    if own.nothing is None or shown.nothing is None:
        return total
    for number, other in _groups(batch):
        group, taught = batch.own.groups[number], batch.shown.groups[other]
        if group.kind is Kind.ENTITIES:
            closed = batch.own.closed[group.row, group.first : group.first + len(group.spans)]
            items = moved(np.flatnonzero(~closed), own.nothing.device)
            cells = (
                own.nothing[group.row, group.first + items],
                shown.nothing[taught.row, taught.first + items],
            )
            total = total + soft_binary(*cells, heat)
            queries += len(items)
    return total / max(queries, 1)


def _groups(batch: Lesson) -> Iterator[tuple[int, int]]:
    """Yield the numbers of the student's groups that the teacher has, too, and of the teacher's."""
    taught = set(batch.rows)
    mine = [number for number, group in enumerate(batch.own.groups) if group.row in taught]
    yield from zip(mine, range(len(batch.shown.groups)), strict=True)


def _spans(own: Outputs, shown: Outputs, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the term of the spans that both propose, a mean over open queries."""
    total, queries = torch.zeros(()), 0
    for number, other in _groups(batch):
        group, taught = batch.own.groups[number], batch.shown.groups[other]
        for item in range(len(group.spans)):
            query, theirs = group.first + item, taught.first + item
            if batch.own.closed[group.row, query]:
                continue
            queries += 1
            places = own.places[group.row, query], shown.places[taught.row, theirs]
            counts = counted_spans(batch.own, group, item, places[0])
            here, there = _both(*places, counts)
            cells = own.spans[group.row, query, here], shown.spans[taught.row, theirs, there]
            total = total + soft_binary(*cells, heat)
    return total / max(queries, 1)


def _pairs(own: Outputs, shown: Outputs, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the term of the pairs that both propose, a mean over relation types."""
    total, types = torch.zeros(()), 0
    for number, other in _groups(batch):
        if number in own.pairs and other in shown.pairs:
            (mine, logits), (theirs, taught) = own.pairs[number], shown.pairs[other]
            here, there = _both(mine, theirs, np.ones(len(mine), dtype=bool))
            total = total + soft_binary(logits[here], taught[there], heat)
            types += 1
    return total / max(types, 1)


def _both(own: Int64s, shown: Int64s, counts: Bools) -> tuple[list[int], list[int]]:
    """Return where (spans, ends) places of one stand that the other has, too, each once."""
    column = {tuple(place): at for at, place in enumerate(shown.tolist())}
    row = {tuple(place): at for at, place in enumerate(own.tolist()) if counts[at]}
    both = [place for place in row if place in column]
    return [row[place] for place in both], [column[place] for place in both]
