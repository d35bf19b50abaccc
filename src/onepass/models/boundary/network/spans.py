"""Scores of spans of each query, without those of their start and end; what reads spans."""

from __future__ import annotations

import math

import torch
from torch import nn

from onepass.models.boundary.config import Head
from onepass.nn.keymap import Entry, Rename, linear, with_prefix

_LOWEST, _LEAST = -1e30, 1e-37  # behind a text; of a sum whose logarithm is taken
_FLAT = 1e4
_MOST = 1 - 1e-6  # of what stands up to the end of a span, the part in front of it, as in gliner2


class Content(nn.Module):
    """The mean of what stands inside of spans, and their smooth maximum if that is asked for."""

    def __init__(self, hidden: int, head: Head) -> None:
        super().__init__()
        self.smooth = head.content_maximum
        self.value = nn.Linear(hidden, head.content_size)
        self.norm = nn.LayerNorm(self.size(head))

    @staticmethod
    def size(head: Head) -> int:
        """Return the size of what is returned of a span."""
        return head.content_size * (2 if head.content_maximum else 1)

    def forward(
        self,
        words: torch.Tensor,
        lengths: torch.Tensor,
        starts: torch.Tensor,
        ends: torch.Tensor,
    ) -> torch.Tensor:
        """Return (batch, spans, size).

        Args:
            words: (batch, words, hidden); those behind a text stand in none of its spans.
            lengths: (batch,) words of each text.
            starts: (batch, spans) first words.
            ends: (batch, spans) the words behind the last ones.
        """
        values = self.value(words).float()
        count = (ends - starts).clamp(min=1)[..., None].to(values.dtype)
        before, behind = _sums(values, starts, ends)
        found = (behind - before) / count
        if self.smooth:
            real = torch.arange(values.shape[1], device=values.device) < lengths[:, None]
            values = values.masked_fill(~real[..., None], _LOWEST)
            top = values.amax(1, keepdim=True).clamp(min=-_FLAT)  # a text may have no words
            before, behind = _sums((values - top).exp(), starts, ends)
            behind = behind.clamp(min=_LEAST)
            inside = 1 - (before / behind).clamp(max=_MOST)
            found = torch.cat([found, top + behind.log() + inside.log()], dim=-1)
        return self.norm(found.to(words.dtype))

    def keys(self) -> tuple[Rename, ...]:
        return (*linear("value_projection", "value"), *linear("layer_norm", "norm"))


def _sums(
    values: torch.Tensor, starts: torch.Tensor, ends: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return (batch, spans, size) sums of (batch, words, size) values up to starts and to ends."""
    sums = torch.cat([torch.zeros_like(values[:, :1]), values.cumsum(1)], dim=1)
    return picked(sums, starts), picked(sums, ends)


def picked(states: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
    """Return (batch, rows, size) of (batch, places, size)."""
    return states.gather(1, rows[..., None].expand(-1, -1, states.shape[-1]))


def length_features(
    starts: torch.Tensor, ends: torch.Tensor, lengths: torch.Tensor
) -> torch.Tensor:
    """Return (batch, spans, 3): the logarithm, the share of the text, one by the root.

    Args:
        starts: (batch, spans).
        ends: (batch, spans).
        lengths: (batch,) words of each text.
    """
    length = (ends - starts).clamp(min=1).float()
    text = lengths[:, None].clamp(min=1).float()
    return torch.stack([torch.log1p(length), length / text, torch.rsqrt(length)], dim=-1)


class QueryScorer(nn.Module):
    """Spans of their own for each query."""

    def __init__(self, hidden: int, head: Head) -> None:
        super().__init__()
        size = head.pair_size
        self.head, self.size = head, size
        self.start, self.end = nn.Linear(head.size, size), nn.Linear(head.size, size)
        self.gate = nn.Linear(hidden, size // 2 if head.rotary else size)
        self.length = nn.Linear(hidden, 3)
        self.compared = nn.Linear(head.compared_heads, 1)
        self.weight = nn.Linear(hidden, 1) if head.weighted_inside else None
        if self.weight is None:
            self.inside = nn.Parameter(torch.ones(()))
        self.difference = nn.Linear(2 * size, 1) if head.differences else None
        self.content = Content(hidden, head) if head.content else None
        if head.content:
            self.content_query = nn.Linear(hidden, Content.size(head))
            self.content_bias = nn.Linear(Content.size(head), 1)

    def forward(
        self,
        places: torch.Tensor,
        words: torch.Tensor,
        lengths: torch.Tensor,
        queries: torch.Tensor,
        spans: torch.Tensor,
        inside: torch.Tensor,
    ) -> torch.Tensor:
        """Return logits (batch, queries, spans).

        Args:
            places: (batch, places, size).
            words: (batch, words, hidden).
            lengths: (batch,) words of each text.
            queries: (batch, queries, hidden).
            spans: (batch, queries, spans, 2) places where they start and end.
            inside: (batch, queries, spans) what the words inside say, by the root of the length.
        """
        batch, asked, count, _ = spans.shape
        flat = spans.reshape(batch, asked * count, 2).unbind(-1)  # (batch, queries * spans) each
        left, right = self.start(places), self.end(places)
        if self.head.rotary:
            left, right = (turned(states, self.head.rotary_base) for states in (left, right))
        left = picked(left, flat[0]).view(batch, asked, count, -1)
        right = picked(right, flat[1]).view(batch, asked, count, -1)
        features = length_features(flat[0], flat[1], lengths).to(left.dtype)
        features = features.view(batch, asked, count, 3)
        scores = (features * self.length(queries)[:, :, None]).sum(-1)
        if self.head.compared:
            gate = gated(self.gate(queries), rotary=self.head.rotary)[:, :, None]
            parts = (left * gate * right).view(batch, asked, count, self.head.compared_heads, -1)
            scores = scores + self.compared(parts.sum(-1))[..., 0] / math.sqrt(self.size)
        if self.difference is not None:
            apart = left - right
            scores = scores + self.difference(torch.cat([apart, apart.abs()], dim=-1))[..., 0]
        if self.content is not None:
            content = self.content(words, lengths, *flat).view(batch, asked, count, -1)
            wanted = self.content_query(queries)[:, :, None] / math.sqrt(content.shape[-1])
            scores = scores + (content * wanted).sum(-1) + self.content_bias(content)[..., 0]
        weight = self.inside if self.weight is None else self.weight(queries)
        return scores + weight * inside

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries: list[Entry] = [
            *linear("start_endpoint_projection", "start"),
            *linear("end_endpoint_projection", "end"),
            *linear("query_gate", "gate"),
            *linear("length_query_projection", "length"),
            *linear("compat_mix", "compared"),
        ]
        if self.weight is None:
            entries.append(Rename("inside_weight", "inside"))
        else:
            entries += linear("inside_weight", "weight")
        if self.difference is not None:
            entries += linear("endpoint_difference_projection", "difference")
        if self.content is not None:
            entries += [
                *with_prefix(self.content.keys(), "content_pooler.", "content."),
                *linear("content_query_projection", "content_query"),
                *linear("content_bias", "content_bias"),
            ]
        return tuple(entries)


class QueryEnds(nn.Module):
    """How the ends of a span fit together, for each query."""

    def __init__(self, hidden: int, head: Head) -> None:
        super().__init__()
        self.rotary, self.base = head.rotary, head.rotary_base
        self.start, self.end = nn.Linear(head.size, head.size), nn.Linear(head.size, head.size)
        self.query = nn.Linear(hidden, head.size // 2 if head.rotary else head.size)

    def forward(
        self, places: torch.Tensor, queries: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return (batch, places, size) starts and ends, and (batch, queries, size) gates."""
        starts, ends = self.start(places), self.end(places)
        if self.rotary:
            starts, ends = turned(starts, self.base), turned(ends, self.base)
        return starts, ends, gated(self.query(queries), rotary=self.rotary)

    @staticmethod
    def keys() -> tuple[Rename, ...]:
        """Return the table between published names and ours."""
        return (
            *linear("start_pair_projection", "start"),
            *linear("end_key_projection", "end"),
            *linear("start_query_projection", "query"),
        )


def gated(query: torch.Tensor, *, rotary: bool) -> torch.Tensor:
    """Return gates of (batch, queries, size); two neighbors that are turned together have one."""
    gate = query.sigmoid()
    return torch.stack([gate, gate], dim=-1).flatten(-2) if rotary else gate


def turned(states: torch.Tensor, base: float) -> torch.Tensor:
    """Return (batch, places, size) turned by the place, neighboring numbers as pairs (rotary)."""
    count, size = states.shape[1:]
    steps = torch.arange(0, size, 2, device=states.device, dtype=torch.float32)
    speed = 1 / (base ** (steps / size))
    angle = torch.arange(count, device=states.device)[:, None].float() * speed
    even, odd = states[..., 0::2].float(), states[..., 1::2].float()
    cos, sin = angle.cos(), angle.sin()
    both = torch.stack([even * cos - odd * sin, even * sin + odd * cos], dim=-1)
    return both.flatten(-2).to(states.dtype)
