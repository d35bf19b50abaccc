"""Everything that a GLiNER network says of a batch with known spans and pairs.

The loss reads it. It knows nothing about right and wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from onepass.models.gliner.network.network import GlinerNetwork
from onepass.models.gliner.read_prompts import PromptPlaces
from onepass.models.gliner.targets import PairList, Targets


@dataclass(frozen=True, slots=True, eq=False)
class Outputs:
    """Logits in fp32; None where the batch asks for nothing of the kind.

    Attributes:
        grid: (batch, labels, words, width) of spans, or (batch, labels, words, 3) of words.
        spans: (batch, labels, spans) of spans that are scored by themselves.
        near: (batch, spans, spans) of pairs being related at all.
        pairs: (pairs, types).
        queries: (batch, labels, hidden) vectors of the labels, as the heads read them; not logits.
        states: (batch, spans, hidden) vectors of the spans that are scored by themselves.
    """

    grid: torch.Tensor
    spans: torch.Tensor | None
    near: torch.Tensor | None
    pairs: torch.Tensor | None
    queries: torch.Tensor
    states: torch.Tensor | None = None


def run_network(network: GlinerNetwork, targets: Targets) -> Outputs:
    """Return the logits of a batch; the gold says which spans and pairs are scored.

    Args:
        network: in any precision, on any device.
        targets: the batch.
    """
    device = next(network.parameters()).device
    inputs = {name: torch.from_numpy(array).to(device) for name, array in targets.arrays.items()}
    counts = inputs["word_counts"]
    encoded = network.encode(*inputs.values())
    words, *markers = encoded if isinstance(encoded, tuple) else (encoded,)
    if targets.labels is not None:
        words, labels = _encoded_labels(network, targets, words, counts)
    elif targets.prompts is not None:
        labels = _labels_of_prompts(network, targets.prompts, markers[0])
    else:
        labels = markers[0]
    queries = labels if network.prompt is None else network.queries(labels)
    in_context = words if network.context is None else network.context(words, counts)
    if network.token_head is not None:
        grid = network.token_head(words, queries)
    else:
        grid = network.spans(in_context, counts, queries)
    spans = near = pairs = states = None
    if targets.spans is not None:
        places = torch.from_numpy(targets.spans.places).to(device)
        states = network.span_states(in_context, counts, places)  # (batch, spans, hidden)
        if network.config.tokens and network.config.represent_spans:
            spans = (labels @ states.transpose(1, 2)).float()
        if targets.pairs is not None:
            real = torch.from_numpy(targets.spans.counts).to(device)
            near, pairs = _related(network, targets.pairs, states, real, markers[1])
    return Outputs(grid.float(), spans, near, pairs, queries, states)


def _encoded_labels(
    network: GlinerNetwork, targets: Targets, words: torch.Tensor, counts: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return words and labels (batch, labels, hidden), fused where the network does that."""
    batch = targets.labels
    assert batch is not None
    ids, mask, rows, asked = (
        torch.from_numpy(array).to(words.device)
        for array in (batch.ids, batch.mask, batch.rows, batch.counts)
    )
    labels = network.encode_labels(ids, mask)[rows]  # (batch, labels, hidden)
    if network.fusion is not None:
        words, labels = network.fusion(words, counts, labels, asked)
    return words, labels


def _labels_of_prompts(
    network: GlinerNetwork, prompts: PromptPlaces, states: torch.Tensor
) -> torch.Tensor:
    """Return label vectors (batch, labels, hidden) of prompts (batch, pieces, hidden)."""
    counts, labels = (
        torch.from_numpy(array).to(states.device) for array in (prompts.counts, prompts.labels)
    )
    return network.read_prompt(states, counts, labels)


def _related(
    network: GlinerNetwork,
    targets: PairList,
    states: torch.Tensor,
    counts: torch.Tensor,
    types: torch.Tensor,
) -> tuple[torch.Tensor | None, torch.Tensor | None]:
    """Return logits of pairs being related, and of their types.

    Args:
        network: whose relation part is run.
        targets: which pairs.
        states: (batch, spans, hidden).
        counts: (batch,) spans of each row.
        types: (batch, types, hidden).
    """
    head = network.relations
    assert head is not None
    near = None
    if head.adjacency is not None:
        near = head.adjacency.logits(states, counts).float()
    if not len(targets.rows):
        return near, None
    rows, heads, tails = (
        torch.from_numpy(np.ascontiguousarray(part)).to(states.device)
        for part in (targets.rows, targets.heads, targets.tails)
    )
    pairs = head.pairs(states[rows, heads], states[rows, tails], types[rows])
    return near, pairs.float()
