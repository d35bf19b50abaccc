"""The training loss of a GLiNER2 span network.

Terms: binary over the cells of the span grid and a ranking of them, softmaxes that rank the labels
of the same gold span (so that a specific label wins over a general one) and the instances of a
record, cross-entropy over counts, and classification (softmax for single-label tasks beside a
binary term for all).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch.nn import functional

from onepass.arrays import Int8s, Int64s
from onepass.models.gliner2.cells import Cells, Counted
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.network.outputs import Outputs, run_network
from onepass.models.gliner2.targets import ClassGroup, LossWeights, Targets
from onepass.nn.device import moved

__all__ = ["LossWeights", "compute_loss", "loss_of"]


def compute_loss(
    network: Gliner2Network, targets: Targets, weights: LossWeights
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss of a batch and its terms as numbers.

    Args:
        network: in training mode.
        targets: the batch with its gold cells.
        weights: of the terms.

    Returns:
        The weighted sum of the terms, and each term by its name in `LossWeights`; a term that the
        batch has nothing for is left out.
    """
    return loss_of(run_network(network, targets), targets, weights)


def loss_of(
    outputs: Outputs, targets: Targets, weights: LossWeights
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss of what a network said of a batch, as `compute_loss` does.

    Args:
        outputs: of the network.
        targets: the batch with its gold cells.
        weights: of the terms.
    """
    terms: list[tuple[str, torch.Tensor, float]] = []
    if outputs.spans is not None:
        terms.append(("spans", binary_term(outputs.spans, targets), weights.spans))
        if weights.zlpr:
            terms.append(("zlpr", zlpr_term(outputs.spans, targets), weights.zlpr))
        if len(targets.ranked):
            ranked = rank_term(outputs.spans, targets.ranked, targets.rivals)
            terms.append(("rank", ranked, weights.rank))
        if len(targets.slotted):
            slots = rank_term(outputs.spans, targets.slotted, targets.slot_rivals)
            terms.append(("slots", slots, weights.slots))
    if outputs.counts is not None:
        gold = moved(np.array([group.count for group in targets.spans]), outputs.counts.device)
        terms.append(("count", functional.cross_entropy(outputs.counts, gold), weights.count))
    if outputs.classes is not None:
        softmax, binary = class_terms(outputs.classes, targets.classes)
        terms.append(("classes", softmax, weights.classes))
        terms.append(("binary_classes", binary, weights.binary_classes))
    total = torch.zeros(())  # a number, which goes with tensors of any device
    for _, value, weight in terms:
        total = total + value * weight
    return total, {name: float(value.detach()) for name, value, _ in terms}


def binary_term(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Return the binary term: a sum over the cells of a query, a mean over the queries that count.

    Args:
        logits: (batch, queries, words, width).
        targets: with the gold cells and the cells that count.
    """
    weight = counted_cells(targets.counted, logits.device)
    gold = torch.zeros_like(logits)
    gold[_places(targets.gold, logits.device)] = 1.0
    each = functional.binary_cross_entropy_with_logits(logits, gold, reduction="none")
    counted = weight.flatten(2).any(-1).sum().clamp(min=1)
    return (each * weight).sum() / counted


def zlpr_term(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Return the zero-bounded log-sum-exp and pairwise rank-based term (arXiv 2208.02955, eq. 10).

    Where the binary term asks of each cell whether it is right, this one compares the cells of a
    query with each other: what weighs is the best of the wrong ones and the worst of the right
    ones. ``log(1 + sum exp(wrong)) + log(1 + sum exp(-right))``, a mean over the queries that
    count.

    Args:
        logits: (batch, queries, words, width).
        targets: with the gold cells and the cells that count.
    """
    counts = counted_cells(targets.counted, logits.device)
    right = torch.zeros_like(counts)
    right[_places(targets.gold, logits.device)] = True
    lowest = torch.finfo(logits.dtype).min
    wrong = logits.masked_fill(~counts | right, lowest).flatten(2).logsumexp(-1)
    missed = (-logits).masked_fill(~(counts & right), lowest).flatten(2).logsumexp(-1)
    each = functional.softplus(wrong) + functional.softplus(missed)  # (batch, queries)
    asked = counts.flatten(2).any(-1)
    return (each * asked).sum() / asked.sum().clamp(min=1)


def counted_cells(counted: Counted, device: torch.device) -> torch.Tensor:
    """Return (batch, queries, words, width), true where a cell counts; see `Counted.grid`."""
    inside, real = moved(counted.inside, device), moved(counted.open, device)
    grid = inside[:, None] & real[:, :, None, None]
    grid[_places(counted.out, device)] = False
    grid[_places(counted.also, device)] = True
    return grid


def _places(cells: Cells, device: torch.device) -> tuple[torch.Tensor, ...]:
    """Return cells as an index."""
    return moved(np.stack(cells.index()), device).unbind(0)


def rank_term(logits: torch.Tensor, cells: Int64s, rivals: Int8s) -> torch.Tensor:
    """Return the softmax term over queries that compete at gold cells; right ones share the win.

    Args:
        logits: (batch, queries, words, width).
        cells: (ranked, 3) rows, words and widths of the cells.
        rivals: (ranked, queries) 1 right, -1 wrong, 0 does not take part.
    """
    rows, words, widths = moved(cells, logits.device).unbind(1)
    marks = moved(rivals, logits.device)
    at = logits[rows, :, words, widths]  # (ranked, queries)
    lowest = torch.finfo(at.dtype).min
    everyone = at.masked_fill(marks == 0, lowest).logsumexp(-1)
    winners = at.masked_fill(marks != 1, lowest).logsumexp(-1)
    return (everyone - winners).mean()


def class_terms(
    logits: torch.Tensor, groups: Sequence[ClassGroup]
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the softmax term over tasks with one true label and the binary term over all labels.

    The binary term is a sum over the labels of a task and a mean over the tasks. It stands in for
    the softmax where a batch has no task with exactly one true label to choose.

    Args:
        logits: (tasks, items).
        groups: the tasks.
    """
    true = np.zeros(logits.shape, dtype=np.float32)
    real = np.zeros(logits.shape, dtype=bool)
    single = np.zeros(len(groups), dtype=bool)
    for line, group in enumerate(groups):
        true[line, : group.items] = group.true
        real[line, : group.items] = True
        single[line] = not group.multi_label and group.true.sum() == 1
    gold, inside = moved(true, logits.device).to(logits), moved(real, logits.device)
    each = functional.binary_cross_entropy_with_logits(logits, gold, reduction="none")
    binary = (each * inside).sum() / len(groups)
    lines = moved(np.flatnonzero(single), logits.device)
    if not len(lines):
        return binary, binary
    masked = logits.masked_fill(~inside, torch.finfo(logits.dtype).min)[lines]
    return functional.cross_entropy(masked, gold[lines].argmax(-1)), binary
