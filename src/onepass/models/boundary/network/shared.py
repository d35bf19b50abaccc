"""Scores of spans that all queries of a text share, without those of their start and end."""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from onepass.models.boundary.config import Head
from onepass.models.boundary.network.spans import Content, length_features, picked
from onepass.nn.keymap import Entry, Rename, linear, with_prefix


class SharedScorer(nn.Module):
    """Spans that all queries of a text share, each encoded once."""

    def __init__(self, hidden: int, head: Head) -> None:
        super().__init__()
        size = head.pair_size
        self.start = nn.Linear(head.size, size)
        self.end = nn.Linear(head.size, size)
        self.length = nn.Linear(3, size)
        self.prior = nn.Linear(1, size)
        self.content = Content(hidden, head) if head.content else None
        self.content_out = nn.Linear(Content.size(head), size) if head.content else None
        self.norm = nn.LayerNorm(size)
        self.span_layers = nn.ModuleList(
            SpanLayer(size, head.candidate_heads) for _ in range(head.candidate_layers)
        )
        self.query = nn.Linear(hidden, size)
        self.query_layers = nn.ModuleList(
            QueryLayer(size, head.candidate_heads) for _ in range(head.query_layers)
        )
        self.film = nn.Linear(size, 2 * size)
        self.film_up = nn.Linear(size, 64)
        self.film_out = nn.Linear(64, 1)

    def forward(
        self,
        places: torch.Tensor,
        words: torch.Tensor,
        lengths: torch.Tensor,
        queries: torch.Tensor,
        asked: torch.Tensor,
        spans: torch.Tensor,
        real: torch.Tensor,
        prior: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, queries, spans).

        Args:
            places: (batch, places, size).
            words: (batch, words, hidden).
            lengths: (batch,) words of each text.
            queries: (batch, queries, hidden).
            asked: (batch, queries), 1 at real queries.
            spans: (batch, spans, 2) places where they start and end.
            real: (batch, spans), 1 at real spans.
            prior: (batch, spans) how their ends fit together.
        """
        starts, ends = spans.unbind(-1)
        real, asked = real > 0, asked > 0
        states = picked(self.start(places), starts) + picked(self.end(places), ends)
        features = length_features(starts, ends, lengths)
        states = states + self.length(features.to(states.dtype))
        states = states + self.prior(prior[..., None].to(states.dtype))
        if self.content is not None and self.content_out is not None:
            states = states + self.content_out(self.content(words, lengths, starts, ends))
        states = self.norm(states) * real[..., None].to(states.dtype)  # (batch, spans, size)
        if self.span_layers:
            kinds = overlaps(starts, ends)
            for layer in self.span_layers:
                states = layer(states, kinds, real)
        query = self.query(queries)  # (batch, queries, size)
        for layer in self.query_layers:
            scores = (query @ states.transpose(1, 2)).masked_fill(~real[:, None], -1e4)
            query = layer(query, scores.softmax(-1) @ states, asked)
        scores = query @ states.transpose(1, 2) / math.sqrt(states.shape[-1])
        gain, shift = self.film(query)[:, :, None].chunk(2, dim=-1)
        told = states[:, None] * (1 + gain) + shift  # (batch, queries, spans, size)
        return scores + self.film_out(functional.gelu(self.film_up(told)))[..., 0]

    def keys(self, head: Head) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries: list[Entry] = [
            *linear("start_projection", "start"),
            *linear("end_projection", "end"),
            *linear("length_projection", "length"),
            *linear("prior_projection", "prior"),
            *linear("candidate_norm", "norm"),
            *linear("query_projection", "query"),
            *linear("film", "film"),
            *linear("film_output.0", "film_up"),
            *linear("film_output.3", "film_out"),
        ]
        if self.content is not None:
            entries += [
                *with_prefix(self.content.keys(), "content_pooler.", "content."),
                *linear("content_projection", "content_out"),
            ]
        for i in range(head.candidate_layers):
            entries += with_prefix(SpanLayer.keys(), f"candidate_layers.{i}.", f"span_layers.{i}.")
        for i in range(head.query_layers):
            entries += with_prefix(QueryLayer.keys(), f"query_layers.{i}.", f"query_layers.{i}.")
        return tuple(entries)


def overlaps(starts: torch.Tensor, ends: torch.Tensor) -> torch.Tensor:
    """Return (batch, spans, spans): how the first span lies to the second, in eight kinds.

    0 the same, 1 inside, 2 around, 3 crossing, 4 same start, 5 same end, 6 before, 7 behind.
    """
    s1, e1, s2, e2 = starts[:, :, None], ends[:, :, None], starts[:, None], ends[:, None]
    kinds = torch.full_like(s1 + s2, 3)
    for kind, holds in (
        (6, e1 <= s2),
        (7, e2 <= s1),
        (1, (s1 > s2) & (e1 < e2)),
        (2, (s1 < s2) & (e1 > e2)),
        (4, (s1 == s2) & (e1 != e2)),
        (5, (e1 == e2) & (s1 != s2)),
        (0, (s1 == s2) & (e1 == e2)),
    ):
        kinds = torch.where(holds, kind, kinds)
    return kinds


class SpanLayer(nn.Module):
    """Pre-norm attention of spans to each other, with a bias by how they lie to each other."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)
        self.bias = nn.Parameter(torch.zeros(8, heads))
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.up, self.down = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

    def forward(self, spans: torch.Tensor, kinds: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        batch, count, size = spans.shape
        qkv = self.qkv(self.norm1(spans)).view(batch, count, 3, self.heads, size // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-1, -2) / math.sqrt(size // self.heads)
        scores = scores + self.bias[kinds].permute(0, 3, 1, 2)
        weights = scores.masked_fill(~real[:, None, None], -1e4).softmax(-1)
        mixed = (weights @ v).transpose(1, 2).reshape(batch, count, size)
        spans = spans + self.out(mixed * real[..., None].to(spans.dtype))
        spans = spans + self.down(functional.gelu(self.up(self.norm2(spans))))
        return spans * real[..., None].to(spans.dtype)

    @staticmethod
    def keys() -> tuple[Rename, ...]:
        return (
            Rename("relative_bias", "bias"),
            *linear("qkv", "qkv"),
            *linear("output", "out"),
            *linear("norm1", "norm1"),
            *linear("norm2", "norm2"),
            *linear("ffn.0", "up"),
            *linear("ffn.3", "down"),
        )


class QueryLayer(nn.Module):
    """Attention of queries to each other, each told what the spans say of it."""

    def __init__(self, size: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.query_in, self.evidence_in = nn.Linear(size, size), nn.Linear(size, size)
        self.qkv, self.out = nn.Linear(size, 3 * size), nn.Linear(size, size)
        self.norm1, self.norm2 = nn.LayerNorm(size), nn.LayerNorm(size)
        self.up, self.down = nn.Linear(size, 4 * size), nn.Linear(4 * size, size)

    def forward(
        self, queries: torch.Tensor, evidence: torch.Tensor, asked: torch.Tensor
    ) -> torch.Tensor:
        states = self.query_in(queries) + self.evidence_in(evidence)
        batch, count, size = states.shape
        qkv = self.qkv(self.norm1(states)).view(batch, count, 3, self.heads, size // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        scores = q @ k.transpose(-1, -2) / math.sqrt(size // self.heads)
        weights = scores.masked_fill(~asked[:, None, None], -1e4).softmax(-1)
        states = states + self.out((weights @ v).transpose(1, 2).reshape(batch, count, size))
        states = states + self.down(functional.gelu(self.up(self.norm2(states))))
        return states * asked[..., None].to(states.dtype)

    @staticmethod
    def keys() -> tuple[Rename, ...]:
        return (
            Rename("attention.in_proj_weight", "qkv.weight"),
            Rename("attention.in_proj_bias", "qkv.bias"),
            *linear("attention.out_proj", "out"),
            *linear("query_in", "query_in"),
            *linear("evidence_in", "evidence_in"),
            *linear("norm1", "norm1"),
            *linear("norm2", "norm2"),
            *linear("ffn.0", "up"),
            *linear("ffn.3", "down"),
        )
