"""What a GLiNER student learns of a teacher: spans or words, and relations between spans.

The terms are weighed and reduced as those of the gold answers are. Labels that a decoder writes are
not learned so.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner.network.network import GlinerNetwork
from onepass.models.gliner.network.outputs import Outputs, run_network
from onepass.models.gliner.targets import PairList, SpanList
from onepass.nn.device import moved
from onepass.training.teaching.lesson import Lesson, Shared
from onepass.training.teaching.soft import soft_binary

# Logits of cells that both score, own and shown, and by how many units a mean divides.
_Cells = tuple[torch.Tensor, torch.Tensor, int]
_Pair = tuple[int, ...]  # first and last word of head and tail


@dataclass(frozen=True, slots=True)
class GlinerTerm:
    """The soft term of a checkpoint.

    Attributes:
        config: of the student.
        options: of its loss.
    """

    config: GlinerConfig
    options: GlinerLoss

    def __call__(
        self, own: Outputs, teacher: GlinerNetwork, batch: Lesson, heat: float
    ) -> torch.Tensor:
        """Return the soft term of a batch."""
        with torch.no_grad():
            shown = run_network(teacher, batch.shown)
        tokens = self.config.tokens
        parts = [
            ("token" if tokens else "span", _grid(own, shown, batch, tokens=tokens)),
            ("span", _represented(own, shown, batch)),
            ("adjacency", _near(own, shown, batch)),
            ("relation", _types(own, shown, batch)),
        ]
        total = own.grid.new_zeros(())
        for name, cells in parts:
            found = list(cells)
            units = sum(count for *_, count in found)
            size = max(units, 1) if self.options.reduction == "mean" else 1
            weight = self.options.weight(name, self.config.raw) / size
            for mine, theirs, _ in found:
                total = total + soft_binary(mine, theirs, heat) * weight
        return total


def _grid(own: Outputs, shown: Outputs, batch: Lesson, *, tokens: bool) -> Iterator[_Cells]:
    """Yield the cells of the grids of what is shared; a place of a row is one unit."""
    mine, theirs = batch.own.grid.counted, batch.shown.grid.counted
    words, width = (min(mine.shape[axis], theirs.shape[axis]) for axis in (2, 3))
    told = np.zeros((len(mine), words, width), dtype=bool)  # places that were units before
    for part in batch.shared:
        here = (list(part.labels), slice(words), slice(width))
        there = (list(part.shown_labels), slice(words), slice(width))
        both = mine[part.row][here] & theirs[part.line][there]  # (labels, words, width)
        units = both.any(-1) if tokens else both.any(0) & ~told[part.row]
        told[part.row] |= both.any(0)
        cells = moved(both, own.grid.device)
        yield (
            own.grid[part.row][here][cells],
            shown.grid[part.line][there][cells],
            int(units.sum()),
        )


def _represented(own: Outputs, shown: Outputs, batch: Lesson) -> Iterator[_Cells]:
    """Yield the cells of labels and of the spans that both score by themselves."""
    if own.spans is None or shown.spans is None:
        return
    for part, mine, theirs in _columns(batch):
        cells = (
            own.spans[part.row][list(part.labels)][:, mine],
            shown.spans[part.line][list(part.shown_labels)][:, theirs],
        )
        yield *cells, cells[0].numel()


def _near(own: Outputs, shown: Outputs, batch: Lesson) -> Iterator[_Cells]:
    """Yield the cells of ordered pairs of spans that both are asked about."""
    if own.near is None or shown.near is None:
        return
    ours, others = (targets.pairs.near.counted for targets in (batch.own, batch.shown))
    for part, mine, theirs in _columns(batch):
        if not part.types:  # none is asked, or another pass of the teacher tells of the row
            continue
        both = ours[part.row][mine][:, mine] & others[part.line][theirs][:, theirs]
        there = moved(both, own.near.device)
        cells = own.near[part.row][mine][:, mine], shown.near[part.line][theirs][:, theirs]
        yield cells[0][there], cells[1][there], int(both.sum())


def _types(own: Outputs, shown: Outputs, batch: Lesson) -> Iterator[_Cells]:
    """Yield the cells of relation types and of the pairs that both score."""
    if own.pairs is None or shown.pairs is None:
        return
    ours, others = (_pairs(targets.spans, targets.pairs) for targets in (batch.own, batch.shown))
    for part in batch.shared:
        mine, theirs = ours.get(part.row, {}), others.get(part.line, {})
        both = [pair for pair in mine if pair in theirs]
        cells = (
            own.pairs[[mine[pair] for pair in both]][:, list(part.types)],
            shown.pairs[[theirs[pair] for pair in both]][:, list(part.shown_types)],
        )
        yield *cells, cells[0].numel()


def _columns(batch: Lesson) -> Iterator[tuple[Shared, list[int], list[int]]]:
    """Yield what is shared, with the student's and the teacher's columns of the spans of both."""
    for part in batch.shared:
        mine, theirs = _spans(batch.own.spans, part.row), _spans(batch.shown.spans, part.line)
        column = {span: place for place, span in enumerate(theirs)}
        both = [place for place, span in enumerate(mine) if span in column]
        yield part, both, [column[mine[place]] for place in both]


def _spans(spans: SpanList, row: int) -> list[Any]:
    """Return the first and last word of each span of a row."""
    return [tuple(place) for place in spans.places[row, : spans.counts[row]].tolist()]


def _pairs(spans: SpanList, pairs: PairList) -> dict[int, dict[_Pair, int]]:
    """Return for each row what is scored, with its place in the list."""
    found: dict[int, dict[_Pair, int]] = {}
    ends = zip(pairs.rows.tolist(), pairs.heads, pairs.tails, strict=True)
    for place, (row, head, tail) in enumerate(ends):
        words = (*spans.places[row, head].tolist(), *spans.places[row, tail].tolist())
        found.setdefault(row, {})[words] = place
    return found
