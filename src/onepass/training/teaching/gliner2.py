"""What a GLiNER2 span student learns of a teacher: spans and classes."""

from __future__ import annotations

import torch

from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.outputs import Outputs, run_network
from onepass.models.gliner2.targets import SpanGroup, Targets
from onepass.training.teaching.lesson import Lesson
from onepass.training.teaching.soft import soft_binary, soft_tasks


def gliner2_term(own: Outputs, teacher: Gliner2Network, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the soft terms of spans (mean over queries) and classes (mean over tasks)."""
    with torch.no_grad():
        shown = run_network(teacher, batch.shown)
    total = soft_tasks(own.classes, shown.classes, batch, heat)
    if own.spans is not None and shown.spans is not None:
        total = total + _spans(own.spans, shown.spans, batch, heat)
    return total


def _spans(own: torch.Tensor, shown: torch.Tensor, batch: Lesson, heat: float) -> torch.Tensor:
    """Return the soft term of the cells that both score; logits are (batch, queries, words, width).

    Of each group the instances that both see count: one of them may be trained on a spare one.
    """
    words, width = (min(own.shape[axis], shown.shape[axis]) for axis in (2, 3))
    mine = {row: groups for row, groups in _by_row(batch.own).items() if row in set(batch.rows)}
    theirs = _by_row(batch.shown)
    total, queries = own.new_zeros(()), 0
    counted, taught = batch.own.weight, batch.shown.weight  # both are made when asked for
    for line, row in enumerate(batch.rows):
        for (first, a), (other, b) in zip(mine.get(row, ()), theirs.get(line, ()), strict=True):
            count = min(a.instances, b.instances) * a.items
            at = (row, slice(first, first + count), slice(words), slice(width))
            there = (line, slice(other, other + count), slice(words), slice(width))
            both = torch.from_numpy(counted[at] & taught[there]).to(own.device)
            total = total + soft_binary(own[at][both], shown[there][both], heat)
            queries += count
    return total / max(queries, 1)


def _by_row(targets: Targets) -> dict[int, list[tuple[int, SpanGroup]]]:
    """Return the groups of each row with the numbers of their first queries."""
    found: dict[int, list[tuple[int, SpanGroup]]] = {}
    used: dict[int, int] = {}
    for group in targets.spans:
        first = used.get(group.row, 0)
        used[group.row] = first + group.instances * group.items
        found.setdefault(group.row, []).append((first, group))
    return found
