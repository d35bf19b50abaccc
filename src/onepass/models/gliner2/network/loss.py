"""The training loss of a GLiNER2 span network.

Four terms: binary over the cells of the span grid, a softmax that ranks the labels of the same gold
span against each other (so that a specific label wins over a general one), cross-entropy over
counts, and classification (softmax for single-label tasks beside a binary term for all).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional

from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.targets import SpanGroup, Targets


@dataclass(frozen=True, slots=True)
class LossWeights:
    """How much each term counts."""

    spans: float = 1.0
    rank: float = 0.5
    count: float = 0.3
    classes: float = 1.0
    binary_classes: float = 0.3


def compute_loss(
    network: Gliner2Network, targets: Targets, weights: LossWeights
) -> tuple[torch.Tensor, dict[str, float]]:
    """Return the loss of a batch and its terms as numbers.

    Args:
        network: in training mode.
        targets: the batch with its gold cells.
        weights: of the terms.
    """
    device = next(network.parameters()).device
    batch = targets.batch
    ids, mask, words, markers = (
        torch.from_numpy(array).to(device)
        for array in (batch.ids, batch.mask, batch.words, batch.markers)
    )
    word_states, marker_states = network.encode(ids, mask, words, markers)
    terms: dict[str, torch.Tensor] = {}
    if targets.spans:
        queries = span_queries(network, marker_states, targets.spans, targets.queries)
        logits = network.span_head(word_states, queries).float()
        terms["spans"] = _binary(logits, targets)
        if len(targets.ranked):
            terms["rank"] = _rank(logits, targets)
        terms["count"] = _count(network, marker_states, targets.spans)
    if targets.classes:
        terms["classes"], terms["binary_classes"] = _classes(network, marker_states, targets)
    total = torch.zeros((), device=device)
    for name, value in terms.items():
        total = total + value * {
            "spans": weights.spans,
            "rank": weights.rank,
            "count": weights.count,
            "classes": weights.classes,
            "binary_classes": weights.binary_classes,
        }[name]
    return total, {name: float(value.detach()) for name, value in terms.items()}


def span_queries(
    network: Gliner2Network,
    markers: torch.Tensor,
    groups: Sequence[SpanGroup],
    queries: int,
) -> torch.Tensor:
    """Return (batch, queries, hidden): instance-conditioned queries, numbered as in `Targets`.

    Args:
        network: whose occurrence layer conditions the markers.
        markers: (batch, markers, hidden).
        groups: in the order of their queries.
        queries: columns of the result; missing ones are zero.
    """
    hidden = markers.shape[2]
    firsts: dict[int, int] = {}
    offsets = []
    for group in groups:
        offsets.append(firsts.get(group.row, 0))
        firsts[group.row] = offsets[-1] + group.instances * group.items
    flat_rows: list[np.ndarray] = []
    parts: list[torch.Tensor] = []
    # Groups with one instance (most) go together; the others are padded to the longest of theirs.
    for several in (False, True):
        chosen = [i for i, group in enumerate(groups) if (group.instances > 1) is several]
        if not chosen:
            continue
        items = max(groups[i].items for i in chosen)
        steps = max(groups[i].instances for i in chosen)
        index = np.zeros((len(chosen), items), dtype=np.int64)
        real = np.zeros((len(chosen), items), dtype=np.int64)
        keep = np.zeros((len(chosen), steps, items), dtype=bool)
        places = []
        for line, i in enumerate(chosen):
            group = groups[i]
            index[line, : group.items] = (
                group.row * markers.shape[1] + group.marker + 1 + np.arange(group.items)
            )
            real[line, : group.items] = 1
            keep[line, : group.instances, : group.items] = True
            first = group.row * queries + offsets[i]
            places.append(first + np.arange(group.instances * group.items))
        device = markers.device
        picked = markers.reshape(-1, hidden)[torch.from_numpy(index).to(device)]
        conditioned = network.occurrences(
            picked, torch.from_numpy(real).to(device), torch.arange(steps, device=device)
        )  # (groups, steps, items, hidden)
        parts.append(conditioned[torch.from_numpy(keep).to(device)])
        flat_rows.append(np.concatenate(places))
    joined = torch.cat(parts)
    out = joined.new_zeros(markers.shape[0] * queries, hidden)
    rows = torch.from_numpy(np.concatenate(flat_rows)).to(markers.device)
    return out.index_copy(0, rows, joined).view(markers.shape[0], queries, hidden)


def _binary(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Sum over the cells of a query, mean over the queries that count."""
    weight = torch.from_numpy(targets.weight).to(logits.device)
    gold = torch.zeros_like(logits)
    gold[tuple(torch.from_numpy(part).to(logits.device) for part in targets.gold.index())] = 1.0
    each = functional.binary_cross_entropy_with_logits(logits, gold, reduction="none")
    counted = weight.flatten(2).any(-1).sum().clamp(min=1)
    return (each * weight).sum() / counted


def _rank(logits: torch.Tensor, targets: Targets) -> torch.Tensor:
    """Softmax over the labels asked, at each gold cell; several right labels share the win."""
    rows, words, widths = torch.from_numpy(targets.ranked).to(logits.device).unbind(1)
    marks = torch.from_numpy(targets.rivals).to(logits.device)
    at = logits[rows, :, words, widths]  # (ranked, queries)
    lowest = torch.finfo(at.dtype).min
    everyone = at.masked_fill(marks == 0, lowest).logsumexp(-1)
    winners = at.masked_fill(marks != 1, lowest).logsumexp(-1)
    return (everyone - winners).mean()


def _count(
    network: Gliner2Network, markers: torch.Tensor, groups: Sequence[SpanGroup]
) -> torch.Tensor:
    rows = torch.tensor([group.row for group in groups], device=markers.device)
    columns = torch.tensor([group.marker for group in groups], device=markers.device)
    gold = torch.tensor([group.count for group in groups], device=markers.device)
    return functional.cross_entropy(network.count(markers[rows, columns]).float(), gold)


def _classes(
    network: Gliner2Network, markers: torch.Tensor, targets: Targets
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the softmax term over single-label tasks and the binary term over all labels."""
    groups = targets.classes
    items = max(group.items for group in groups)
    index = np.zeros((len(groups), items), dtype=np.int64)
    true = np.zeros((len(groups), items), dtype=np.float32)
    real = np.zeros((len(groups), items), dtype=bool)
    single = np.zeros(len(groups), dtype=bool)
    for line, group in enumerate(groups):
        index[line, : group.items] = (
            group.row * markers.shape[1] + group.marker + 1 + np.arange(group.items)
        )
        true[line, : group.items] = group.true
        real[line, : group.items] = True
        single[line] = not group.multi_label and group.true.sum() == 1
    device = markers.device
    picked = markers.reshape(-1, markers.shape[2])[torch.from_numpy(index).to(device)]
    logits = network.classify(picked).float()  # (groups, items)
    gold, inside = torch.from_numpy(true).to(device), torch.from_numpy(real).to(device)
    each = functional.binary_cross_entropy_with_logits(logits, gold, reduction="none")
    binary = (each * inside).sum() / len(groups)
    lines = torch.from_numpy(np.flatnonzero(single)).to(device)
    if not len(lines):
        return binary, binary
    masked = logits.masked_fill(~inside, torch.finfo(logits.dtype).min)[lines]
    return functional.cross_entropy(masked, gold[lines].argmax(-1)), binary
