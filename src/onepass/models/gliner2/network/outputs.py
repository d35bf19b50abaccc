"""Everything that a GLiNER2 span network says of a batch with known instances.

The loss and the held-out score read it. It knows nothing about right and wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch

from onepass.arrays import Bools, Int64s
from onepass.models.gliner2.encode import Batch
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.models.gliner2.targets import ClassGroup, SpanGroup, Targets
from onepass.nn.device import moved


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Logits in fp32; None where the batch asks for nothing of the kind.

    Attributes:
        spans: (batch, queries, words, width); spans that pass the end are undefined.
        counts: (groups, counts) of the groups that are answered with spans.
        classes: (tasks, items); items behind a task's last one are undefined.
    """

    spans: torch.Tensor | None
    counts: torch.Tensor | None
    classes: torch.Tensor | None


def run_network(network: Gliner2Network, targets: Targets) -> Outputs:
    """Return the logits of a batch; the gold says how many instances each group has.

    Args:
        network: in any precision, on any device.
        targets: the batch.
    """
    device = next(network.parameters()).device
    word_states, marker_states = encode_batch(network, targets.batch)
    spans = counts = classes = None
    if targets.spans:
        queries = span_queries(network, marker_states, targets.spans, targets.queries)
        spans = network.span_head(word_states, queries).float()
        parents = np.array([(group.row, group.marker) for group in targets.spans])
        rows, columns = moved(parents, device).unbind(1)
        counts = network.count(marker_states[rows, columns]).float()
    if targets.classes:
        index, _ = item_places(targets.classes, marker_states.shape[1])
        flat = marker_states.reshape(-1, marker_states.shape[2])
        picked = flat[moved(index, device)]  # (tasks, items, hidden)
        classes = network.classify(picked).float()
    return Outputs(spans, counts, classes)


def encode_batch(network: Gliner2Network, batch: Batch) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the (batch, words, hidden) and (batch, markers, hidden) states of a batch."""
    device = next(network.parameters()).device
    return network.encode(**{name: moved(array, device) for name, array in batch.inputs().items()})


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
    hidden, device = markers.shape[2], markers.device
    firsts = _first_queries(groups)
    flat_rows: list[Int64s] = []
    parts: list[torch.Tensor] = []
    # Groups with one instance (most) go together; the others are padded to the longest of theirs.
    for several in (False, True):
        chosen = [i for i, group in enumerate(groups) if (group.instances > 1) is several]
        if not chosen:
            continue
        those = [groups[i] for i in chosen]
        index, real = item_places(those, markers.shape[1])
        steps = max(group.instances for group in those)
        keep = np.zeros((len(those), steps, index.shape[1]), dtype=bool)
        for line, (i, group) in enumerate(zip(chosen, those, strict=True)):
            keep[line, : group.instances, : group.items] = True
            first = group.row * queries + firsts[i]
            flat_rows.append(first + np.arange(group.instances * group.items))
        conditioned = network.occurrences(
            markers.reshape(-1, hidden)[moved(index, device)],
            moved(real.astype(np.int64), device),
            torch.arange(steps, device=device),
        )  # (groups, steps, items, hidden)
        kept = moved(np.flatnonzero(keep), device)
        parts.append(conditioned.reshape(-1, hidden)[kept])
    joined = torch.cat(parts)
    out = joined.new_zeros(markers.shape[0] * queries, hidden)
    rows = moved(np.concatenate(flat_rows), device)
    return out.index_copy(0, rows, joined).view(markers.shape[0], queries, hidden)


def _first_queries(groups: Sequence[SpanGroup]) -> list[int]:
    """Return the number of each group's first query within its row."""
    used: dict[int, int] = {}
    firsts = []
    for group in groups:
        firsts.append(used.get(group.row, 0))
        used[group.row] = firsts[-1] + group.instances * group.items
    return firsts


def item_places(groups: Sequence[SpanGroup | ClassGroup], markers: int) -> tuple[Int64s, Bools]:
    """Return (groups, items) places of the item markers in flat markers, and which are real."""
    items = max(group.items for group in groups)
    index = np.zeros((len(groups), items), dtype=np.int64)
    real = np.zeros((len(groups), items), dtype=bool)
    for line, group in enumerate(groups):
        first = group.row * markers + group.marker + 1
        index[line, : group.items] = first + np.arange(group.items)
        real[line, : group.items] = True
    return index, real
