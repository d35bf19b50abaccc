"""Words and labels that look at themselves and at each other: what makes a poly-encoder.

Padding on either side is never looked at. It knows neither prompts nor scores.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, linear, with_prefix
from onepass.nn.places import within


class FusionBlock(nn.Module):
    """Attention with a normalization before it and one after the sum.

    Args:
        hidden: size of all vectors.
        heads: of the attention.
        dropout: probability, used while training.
        own: whether a sequence looks at itself, through two more projections.
    """

    def __init__(self, hidden: int, heads: int, dropout: float, *, own: bool) -> None:
        super().__init__()
        self.heads, self.dropout, self.own = heads, dropout, own
        self.before, self.after = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.q0 = nn.Linear(hidden, hidden) if own else nn.Identity()
        self.k0 = nn.Linear(hidden, hidden) if own else nn.Identity()
        self.v0 = nn.Linear(hidden, hidden)
        self.q1 = nn.Linear(hidden, hidden)
        self.k1 = nn.Linear(hidden, hidden)
        self.v1 = nn.Linear(hidden, hidden)

    def forward(
        self, x: torch.Tensor, other: torch.Tensor | None, bias: torch.Tensor
    ) -> torch.Tensor:
        """Return (batch, length, hidden).

        Args:
            x: (batch, length, hidden) that looks.
            other: (batch, others, hidden) that is looked at; None for ``x`` itself.
            bias: (batch, 1, 1, others), 0 at what may be looked at and very low elsewhere.
        """
        x = self.before(x)
        seen = x if other is None else other
        q = self._heads(self.q1(self.q0(x)))
        k = self._heads(self.k1(self.k0(seen)))
        v = self._heads(self.v1(self.v0(seen)))
        dropped = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropped)
        mixed = mixed.transpose(1, 2).flatten(2)
        return self.after(x + functional.dropout(mixed, self.dropout, self.training))

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, heads, length, size)."""
        return x.unflatten(2, (self.heads, x.shape[2] // self.heads)).transpose(1, 2)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        attention = "self_attn" if self.own else "cross_attn"
        entries = [*linear("pre_norm", "before"), *linear("post_norm", "after")]
        for theirs, ours in (("query", "q1"), ("key", "k1"), ("value", "v1")):
            entries += linear(f"{attention}.{theirs}_layer", ours)
        for name in ("q", "k", "v") if self.own else ("v",):
            entries += linear(f"{name}_proj", f"{name}0")
        return tuple(entries)


class Fusion(nn.Module):
    """Steps of attention between words and labels.

    Args:
        hidden: size of all vectors.
        heads: of the attention.
        steps: "l2l" and "t2t" (labels, words look at themselves), "l2t" (labels at words) and "t2l"
            (words at labels), in order.
        repeats: how often the steps are done, with weights of their own.
        dropout: probability, used while training.

    >>> fusion = Fusion(8, 2, ("l2l", "l2t"))
    >>> words, labels = torch.zeros(2, 5, 8), torch.zeros(2, 4, 8)
    >>> words, labels = fusion(words, torch.tensor([5, 3]), labels, torch.tensor([4, 1]))
    >>> words.shape, labels.shape
    (torch.Size([2, 5, 8]), torch.Size([2, 4, 8]))
    """

    def __init__(
        self,
        hidden: int,
        heads: int,
        steps: Sequence[str],
        repeats: int = 1,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        self.steps = tuple(steps)
        self.blocks = nn.ModuleList(
            FusionBlock(hidden, heads, dropout, own=step in ("l2l", "t2t"))
            for _ in range(repeats)
            for step in self.steps
        )

    def forward(
        self,
        words: torch.Tensor,
        word_counts: torch.Tensor,
        labels: torch.Tensor,
        label_counts: torch.Tensor,
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return words and labels of the same shapes, 0 past the counts.

        Args:
            words: (batch, words, hidden).
            word_counts: (batch,) words of each row.
            labels: (batch, labels, hidden).
            label_counts: (batch,) labels of each row.
        """
        real = {
            "t": within(word_counts, words.shape[1]), "l": within(label_counts, labels.shape[1])
        }  # fmt: skip
        lowest = torch.finfo(words.dtype).min
        bias = {
            side: (1.0 - mask[:, None, None].to(words.dtype)) * lowest
            for side, mask in real.items()
        }
        states = {"t": words, "l": labels}
        for i, block in enumerate(self.blocks):
            step = self.steps[i % len(self.steps)]
            looking, seen = step[0], step[-1]
            other = None if looking == seen else states[seen]
            states[looking] = block(states[looking], other, bias[seen])
        return states["t"] * real["t"][..., None], states["l"] * real["l"][..., None]

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries: list[Entry] = []
        for i, block in enumerate(self.blocks):
            assert isinstance(block, FusionBlock)
            turn, step = divmod(i, len(self.steps))
            entries += with_prefix(block.keys(), f"layers.{turn}.{step}.", f"blocks.{i}.")
        return tuple(entries)
