"""What a GLiNER student learns of a teacher: spans or words, and relations between spans.

The terms are weighed and reduced as those of the gold answers are. Labels that a decoder writes are
not learned so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.loss import GlinerLoss
from onepass.models.gliner.network.network import GlinerNetwork
from onepass.models.gliner.network.outputs import Outputs, run_network
from onepass.models.gliner.targets import PairList, SpanList
from onepass.nn.device import moved
from onepass.training.teaching.lesson import Lesson
from onepass.training.teaching.soft import soft_binary

# Logits of cells that both score, own and shown, and by how many units a mean divides.
_Cells = tuple[torch.Tensor, torch.Tensor, int]
_Pair = tuple[int, ...]  # row of the student, first and last word of head and tail


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
    """Yield the cells of the grids of each row; its own labels come first."""
    mine, theirs = batch.own.grid.counted, batch.shown.grid.counted
    words, width = (min(mine.shape[axis], theirs.shape[axis]) for axis in (2, 3))
    for line, row in enumerate(batch.rows):
        cells = slice(len(batch.pairs[row].own.names)), slice(words), slice(width)
        both = mine[row, *cells] & theirs[line, *cells]  # (labels, words, width)
        units = both.any(-1) if tokens else both.any(0)
        there = moved(both, own.grid.device)
        yield own.grid[row, *cells][there], shown.grid[line, *cells][there], int(units.sum())


def _represented(own: Outputs, shown: Outputs, batch: Lesson) -> Iterator[_Cells]:
    """Yield the cells of labels and of the spans that both score by themselves."""
    if own.spans is None or shown.spans is None:
        return
    for line, row, mine, theirs in _columns(batch):
        labels = len(batch.pairs[row].own.names)
        cells = own.spans[row, :labels, mine], shown.spans[line, :labels, theirs]
        yield *cells, cells[0].numel()


def _near(own: Outputs, shown: Outputs, batch: Lesson) -> Iterator[_Cells]:
    """Yield the cells of ordered pairs of spans that both score by themselves."""
    if own.near is None or shown.near is None:
        return
    for line, row, mine, theirs in _columns(batch):
        apart = ~torch.eye(len(mine), dtype=torch.bool, device=own.near.device)
        cells = own.near[row][mine][:, mine][apart], shown.near[line][theirs][:, theirs][apart]
        yield *cells, cells[0].numel()


def _types(own: Outputs, shown: Outputs, batch: Lesson) -> Iterator[_Cells]:
    """Yield the cells of relation types and of the pairs that both score."""
    if own.pairs is None or shown.pairs is None:
        return
    theirs = {
        pair: place
        for place, pair in enumerate(_pairs(batch.shown.spans, batch.shown.pairs, batch.rows))
    }
    for place, pair in enumerate(_pairs(batch.own.spans, batch.own.pairs)):
        if pair in theirs:
            types = len(batch.pairs[pair[0]].own.reading.prompt.types)
            yield own.pairs[place, :types], shown.pairs[theirs[pair], :types], types


def _columns(batch: Lesson) -> Iterator[tuple[int, int, list[int], list[int]]]:
    """Yield the teacher's row, the student's, and each one's columns of the spans of both."""
    for line, row in enumerate(batch.rows):
        mine, theirs = _spans(batch.own.spans, row), _spans(batch.shown.spans, line)
        column = {span: place for place, span in enumerate(theirs)}
        both = [place for place, span in enumerate(mine) if span in column]
        yield line, row, both, [column[mine[place]] for place in both]


def _spans(spans: SpanList, row: int) -> list[Any]:
    """Return the first and last word of each span of a row."""
    return [tuple(place) for place in spans.places[row, : spans.counts[row]].tolist()]


def _pairs(spans: SpanList, pairs: PairList, rows: Sequence[int] | None = None) -> Iterator[_Pair]:
    """Yield what is scored; ``rows`` are the student's of a teacher's batch."""
    for line, head, tail in zip(pairs.rows, pairs.heads, pairs.tails, strict=True):
        row = int(line) if rows is None else rows[line]
        yield row, *spans.places[line, head].tolist(), *spans.places[line, tail].tolist()
