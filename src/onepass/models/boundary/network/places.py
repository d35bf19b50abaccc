"""The places between words, as vectors, and how likely a span starts or ends at each.

A text of n words has n + 1 places: place i is between the words i - 1 and i. Padding behind a
text's own places is zero.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from onepass.models.boundary.config import Head
from onepass.nn.keymap import Rename, linear


class PlaceEncoder(nn.Module):
    """Vectors of places from those of the words to either side.

    Args:
        hidden: size of the vectors of words.
        head: sizes and parts.

    >>> encoder = PlaceEncoder(8, Head(size=4, attention_heads=2, attention_layers=1))
    >>> encoder(torch.zeros(2, 3, 8), torch.tensor([3, 1])).shape
    torch.Size([2, 4, 4])
    """

    def __init__(self, hidden: int, head: Head) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.zeros(hidden))  # left of the first word
        self.last = nn.Parameter(torch.zeros(hidden))  # right of the last one
        self.left = nn.Linear(hidden, head.size)
        self.right = nn.Linear(hidden, head.size)
        self.out = nn.Linear(2 * head.size, head.size)
        self.norm = nn.LayerNorm(head.size)
        self.attention = nn.ModuleList(
            Attention(head.size, head.attention_heads, head.attention_window)
            for _ in range(head.attention_layers)
        )
        inner = max(1, int(head.size * head.multiplier))
        self.blocks = nn.ModuleList(GatedBlock(head.size, inner) for _ in range(head.layers))

    def forward(self, words: torch.Tensor, lengths: torch.Tensor) -> torch.Tensor:
        """Return (batch, places, size).

        Args:
            words: (batch, words, hidden).
            lengths: (batch,) words of each text.
        """
        batch, count, hidden = words.shape
        place = torch.arange(count + 1, device=words.device)[None]  # (1, places)
        first = self.first.expand(batch, 1, hidden)
        last = self.last.expand(batch, 1, hidden)
        left = torch.cat([first, words], dim=1)
        right = torch.where(
            (place < lengths[:, None])[..., None], torch.cat([words, last], dim=1), last
        )
        states = self.norm(self.out(torch.cat([self.left(left), self.right(right)], dim=-1)))
        real = place <= lengths[:, None]  # (batch, places)
        for attend in self.attention:
            states = attend(states, real)
        for block in self.blocks:
            states = block(states)
        return states * real[..., None].to(states.dtype)

    def keys(self, head: Head) -> tuple[Rename, ...]:
        """Return the table between published names and ours."""
        entries = [
            Rename("bos_state", "first"),
            Rename("eos_state", "last"),
            *linear("left_projection", "left"),
            *linear("right_projection", "right"),
            *linear("output_projection", "out"),
            *linear("layer_norm", "norm"),
        ]
        for i in range(head.attention_layers):
            theirs, ours = f"attention_blocks.{i}.", f"attention.{i}."
            entries += [
                *linear(f"{theirs}norm", f"{ours}norm"),
                *linear(f"{theirs}qkv_projection", f"{ours}qkv"),
                *linear(f"{theirs}output_projection", f"{ours}out"),
            ]
        for i in range(head.layers):
            theirs, ours = f"refinement_blocks.{i}.", f"blocks.{i}."
            entries += [
                *linear(f"{theirs}norm", f"{ours}norm"),
                *linear(f"{theirs}input_projection", f"{ours}up"),
                *linear(f"{theirs}output_projection", f"{ours}down"),
            ]
        return tuple(entries)


class Attention(nn.Module):
    """Pre-norm attention over the places of a text, all of them or those near by."""

    def __init__(self, size: int, heads: int, window: int) -> None:
        super().__init__()
        self.heads, self.window = heads, window
        self.norm = nn.LayerNorm(size)
        self.qkv = nn.Linear(size, 3 * size)
        self.out = nn.Linear(size, size)

    def forward(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        batch, count, size = states.shape
        qkv = self.qkv(self.norm(states)).view(batch, count, 3, self.heads, size // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        place = torch.arange(count, device=states.device)
        apart = (place[:, None] - place[None]).abs()
        seen = real[:, None, None, :]
        if self.window > 0:
            seen = seen & (apart <= self.window)
        seen = seen | (apart == 0)  # a row of padding sees itself
        bias = torch.zeros_like(seen, dtype=states.dtype).masked_fill(~seen, -1e4)
        scores = q @ k.transpose(-1, -2) / math.sqrt(size // self.heads) + bias
        mixed = (scores.softmax(-1) @ v).transpose(1, 2).reshape(batch, count, size)
        return (states + self.out(mixed)) * real[..., None].to(states.dtype)


class GatedBlock(nn.Module):
    """``x + down(value * silu(gate))``, value and gate from ``up(norm(x))`` (SwiGLU)."""

    def __init__(self, size: int, inner: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(size)
        self.up = nn.Linear(size, 2 * inner)
        self.down = nn.Linear(inner, size)

    def forward(self, states: torch.Tensor) -> torch.Tensor:
        value, gate = self.up(self.norm(states)).chunk(2, dim=-1)
        return states + self.down(value * functional.silu(gate))


class PlaceScorer(nn.Module):
    """How likely a span of a query starts at a place, ends there, or has a word inside."""

    def __init__(self, hidden: int, size: int) -> None:
        super().__init__()
        self.scale = 1 / math.sqrt(size)
        self.start_place = nn.Linear(size, size)
        self.start_query = nn.Linear(hidden, size)
        self.end_place = nn.Linear(size, size)
        self.end_query = nn.Linear(hidden, size)
        self.inside_word = nn.Linear(hidden, size)
        self.inside_query = nn.Linear(hidden, size)

    def forward(
        self, places: torch.Tensor, words: torch.Tensor, queries: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return logits (batch, queries, places) of starts and of ends, (.., words) of insides.

        Args:
            places: (batch, places, size).
            words: (batch, words, hidden).
            queries: (batch, queries, hidden).
        """
        starts = self.start_query(queries) @ self.start_place(places).transpose(1, 2)
        ends = self.end_query(queries) @ self.end_place(places).transpose(1, 2)
        inside = self.inside_query(queries) @ self.inside_word(words).transpose(1, 2)
        return starts * self.scale, ends * self.scale, inside * self.scale

    def keys(self) -> tuple[Rename, ...]:
        """Return the table between published names and ours."""
        return (
            *linear("start_boundary_projection", "start_place"),
            *linear("start_query_projection", "start_query"),
            *linear("end_boundary_projection", "end_place"),
            *linear("end_query_projection", "end_query"),
            *linear("inside_text_projection", "inside_word"),
            *linear("inside_query_projection", "inside_query"),
        )
