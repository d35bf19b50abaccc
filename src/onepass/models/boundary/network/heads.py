"""The heads of records and relations of boundary checkpoints."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from onepass.models.boundary.config import Records, Relations
from onepass.models.boundary.network.spans import picked
from onepass.nn.keymap import Rename, linear


class RecordHead(nn.Module):
    """Which value each field of a record has: one of the spans, or none.

    A record is a span of its first field. Records without such an anchor have weights here that
    nothing reads.
    """

    def __init__(self, hidden: int, places: int, config: Records) -> None:
        super().__init__()
        self.span = nn.Linear(2 * places, hidden)
        self.record = nn.Linear(hidden, config.size)
        self.field = nn.Linear(hidden, config.size)
        self.value = nn.Linear(hidden, config.size)
        self.none = nn.Parameter(torch.zeros(config.size))
        self.object, self.seed = nn.Linear(hidden, 1), nn.Linear(hidden, 1)
        self.instances = nn.Parameter(torch.zeros(config.queries, hidden))
        self.q, self.k = nn.Linear(hidden, config.size), nn.Linear(hidden, config.size)
        self.v = nn.Linear(hidden, hidden)

    def forward(
        self, anchors: torch.Tensor, fields: torch.Tensor, values: torch.Tensor
    ) -> torch.Tensor:
        """Return logits (groups, records, fields, 1 + values); the first is that of no value.

        Args:
            anchors: (groups, records, 2 * size) the places where anchors start and end.
            fields: (groups, fields, hidden) queries.
            values: (groups, fields, values, 2 * size) likewise, of spans that may be values.
        """
        query = self.record(self.span(anchors))[:, :, None] + self.field(fields)[:, None]
        spans = self.value(self.span(values))  # (groups, fields, values, own)
        logits = query.transpose(1, 2) @ spans.transpose(2, 3)  # (groups, fields, records, values)
        return torch.cat([(query @ self.none)[..., None], logits.transpose(1, 2)], dim=-1)

    @staticmethod
    def keys() -> tuple[Rename, ...]:
        """Return the table between published names and ours."""
        return (
            *linear("inst_proj", "record"),
            *linear("field_proj", "field"),
            *linear("cand_proj", "value"),
            *linear("object_head", "object"),
            *linear("latent_seed_head", "seed"),
            *linear("q_proj", "q"),
            *linear("k_proj", "k"),
            *linear("v_proj", "v"),
            Rename("null_embed", "none"),
            Rename("instance_embed", "instances"),
        )


class RelationHead(nn.Module):
    """Scores of pairs of spans for a relation type."""

    def __init__(self, hidden: int, config: Relations) -> None:
        super().__init__()
        self.directed = config.directed
        kind = 2 * hidden if config.directed else hidden
        self.first = nn.Linear(4 * hidden + kind + 2, hidden)
        self.last = nn.Linear(hidden, 1)
        self.head_content = nn.Linear(hidden, hidden) if config.content else None
        if config.content:
            self.tail_content = nn.Linear(hidden, hidden)
            self.gate = nn.Linear(kind, hidden)
            self.content = nn.Linear(2 * hidden + kind, 1)

    def forward(
        self,
        word_states: torch.Tensor,
        lengths: torch.Tensor,
        queries: torch.Tensor,
        roles: torch.Tensor,
        places: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, pairs).

        Args:
            word_states: (batch, words, hidden).
            lengths: (batch,) words of each text.
            queries: (batch, queries, hidden).
            roles: (batch, pairs, 2) query of the head and of the tail.
            places: (batch, pairs, 4) first word of the head and the one behind it, and of the tail.
        """
        both = [picked(queries, roles[..., i]) for i in range(2)]
        kind = torch.cat(both, dim=-1) if self.directed else (both[0] + both[1]) / 2
        ends = [(places[..., i] - i % 2).clamp(min=0) for i in range(4)]
        ahead = (places[..., 2] - places[..., 0]).to(word_states.dtype)
        away = ahead.abs() / lengths[:, None].to(word_states.dtype)
        told = [picked(word_states, end) for end in ends]
        told += [kind, ahead.sign()[..., None], away[..., None]]
        scores = self.last(functional.gelu(self.first(torch.cat(told, dim=-1))))[..., 0]
        if self.head_content is None:
            return scores
        sums = word_states.float().cumsum(1)
        sums = torch.cat([torch.zeros_like(sums[:, :1]), sums], dim=1)
        means = []
        for i in (0, 2):
            start, end = places[..., i], places[..., i + 1]
            mean = (picked(sums, end) - picked(sums, start)) / (end - start).clamp(min=1)[..., None]
            means.append(mean.to(word_states.dtype))
        head, tail = self.head_content(means[0]), self.tail_content(means[1])
        product = (head * self.gate(kind).sigmoid() * tail).sum(-1) / math.sqrt(head.shape[-1])
        return scores + product + self.content(torch.cat([head, tail, kind], dim=-1))[..., 0]

    def keys(self) -> tuple[Rename, ...]:
        """Return the table between published names and ours."""
        entries = [*linear("mlp.0", "first"), *linear("mlp.3", "last")]
        if self.head_content is not None:
            entries += [
                *linear("head_content_projection", "head_content"),
                *linear("tail_content_projection", "tail_content"),
                *linear("relation_content_gate", "gate"),
                *linear("content_linear", "content"),
            ]
        return tuple(entries)
