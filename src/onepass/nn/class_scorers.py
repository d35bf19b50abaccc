"""Scores of a text for its labels, five ways: what stands at the end of a GLiClass network.

Each takes the text's vector (cross attention: those of its pieces) and the vectors of the labels.
A first layer over text and label together is split into a part for each: what reads the text is
computed once a text. They know neither encoders nor prompts.
"""

from __future__ import annotations

import abc
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, Rename, linear

_WIDTH = 256  # of the perceptrons whose size no configuration sets
_SHARPNESS = 4.0  # of the associative memory
_DROPOUT = 0.1


class ClassScorer(nn.Module, abc.ABC):
    """Texts and labels to logits."""

    @abc.abstractmethod
    def forward(
        self,
        text: torch.Tensor,
        labels: torch.Tensor,
        text_mask: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return (batch, labels); those at padding mean nothing.

        Args:
            text: (batch, hidden), or (batch, pieces, hidden) for cross attention.
            labels: (batch, labels, hidden).
            text_mask: (batch, pieces), 1 at the pieces of the text.
            label_mask: (batch, labels), 1 at real labels.
        """

    @abc.abstractmethod
    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""


class DotScorer(ClassScorer):
    """The dot product.

    >>> mask = torch.ones(1, 1)
    >>> DotScorer()(torch.tensor([[1.0, 2.0]]), torch.tensor([[[3.0, 4.0]]]), mask, mask)
    tensor([[11.]])
    """

    def forward(
        self,
        text: torch.Tensor,
        labels: torch.Tensor,
        text_mask: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        return (labels @ text[:, :, None])[..., 0]

    def keys(self) -> tuple[Entry, ...]:
        return ()


class WeightedDotScorer(ClassScorer):
    """``out([t1; c1; t2 * c2])`` of two vectors of the text (t1, t2) and two of the label (c1, c2).

    Args:
        hidden: size of the vectors.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.text = nn.Linear(hidden, 2 * hidden)
        self.label = nn.Linear(hidden, 2 * hidden)
        self.first = nn.Linear(3 * hidden, 4 * hidden)
        self.last = nn.Linear(4 * hidden, 1)

    def forward(
        self,
        text: torch.Tensor,
        labels: torch.Tensor,
        text_mask: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        text_part, label_part, both_part = self.first.weight.split(self.hidden, dim=1)
        text_side, text_factor = self.text(text).split(self.hidden, dim=1)
        label_side, label_factor = self.label(labels).split(self.hidden, dim=2)
        inner = functional.linear(text_side, text_part, self.first.bias)[:, None]
        inner = inner + functional.linear(label_side, label_part)
        inner = inner + functional.linear(label_factor * text_factor[:, None], both_part)
        inner = functional.dropout(inner, _DROPOUT, self.training)  # (batch, labels, 4 * hidden)
        return self.last(torch.relu(inner))[..., 0]

    def keys(self) -> tuple[Entry, ...]:
        return (
            *linear("proj_text", "text"),
            *linear("proj_label", "label"),
            *linear("out_mlp.0", "first"),
            *linear("out_mlp.3", "last"),
        )


class Perceptron(nn.Module):
    """Three linear layers to one number, each half as wide as the one before.

    Args:
        inputs: size of the vectors that it reads.
        width: of the first layer.
        activation: behind the first two.
    """

    def __init__(
        self,
        inputs: int,
        width: int = _WIDTH,
        activation: Callable[[torch.Tensor], torch.Tensor] = torch.relu,
    ) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, width)
        self.second = nn.Linear(width, width // 2)
        self.last = nn.Linear(width // 2, 1)
        self.activation = activation

    def behind(self, inner: torch.Tensor) -> torch.Tensor:
        """Return (...,) for (..., width), the sums that the first layer gives."""
        return self.last(self.activation(self.second(self.activation(inner))))[..., 0]

    def keys(self, theirs: str, ours: str) -> tuple[Entry, ...]:
        """Return the table for one that is published as a sequence."""
        places = ((0, "first"), (2, "second"), (4, "last"))
        return tuple(e for i, name in places for e in linear(f"{theirs}.{i}", f"{ours}.{name}"))


class MlpScorer(ClassScorer):
    """A perceptron over ``[text; label]``.

    Args:
        hidden: size of the vectors.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.hidden = hidden
        self.mlp = Perceptron(2 * hidden)

    def forward(
        self,
        text: torch.Tensor,
        labels: torch.Tensor,
        text_mask: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        first = self.mlp.first
        text_part, label_part = first.weight.split(self.hidden, dim=1)
        inner = functional.linear(text, text_part, first.bias)[:, None]
        return self.mlp.behind(inner + functional.linear(labels, label_part))

    def keys(self) -> tuple[Entry, ...]:
        return self.mlp.keys("mlp", "mlp")


class HopfieldScorer(ClassScorer):
    """Labels share the text out among them, and each is read with its share.

    ``mlp(c + a v)``: a is a softmax over the labels of ``4 (Q c) . (K t)``, and v is ``V t``.

    Args:
        hidden: size of the vectors.
    """

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.q = nn.Linear(hidden, hidden, bias=False)
        self.k = nn.Linear(hidden, hidden, bias=False)
        self.v = nn.Linear(hidden, hidden, bias=False)
        self.mlp = Perceptron(hidden)

    def forward(
        self,
        text: torch.Tensor,
        labels: torch.Tensor,
        text_mask: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        # (Q c) . k = c . (k Q): one product a text, not one a label
        key = self.k(text) @ self.q.weight  # (batch, hidden)
        fit = _SHARPNESS * (labels @ key[:, :, None])  # (batch, labels, 1)
        real = label_mask.bool()[..., None]
        share = fit.masked_fill(~real, torch.finfo(fit.dtype).min).softmax(1)
        first = self.mlp.first
        given = functional.linear(self.v(text), first.weight)[:, None]  # (batch, 1, width)
        return self.mlp.behind(first(labels) + share * given)

    def keys(self) -> tuple[Entry, ...]:
        own = (Rename(f"{name}_proj.weight", f"{name}.weight") for name in ("q", "k", "v"))
        return (*own, *self.mlp.keys("mlp", "mlp"))


class CrossAttentionScorer(ClassScorer):
    """Labels look at the pieces of the text; a perceptron reads ``[seen; label]``.

    Args:
        hidden: size of the vectors.
        heads: of the attention, a divisor of ``hidden``.
        width: of the perceptron.
        dropout: of the attention, used while training.
    """

    def __init__(self, hidden: int, heads: int, width: int, dropout: float) -> None:
        super().__init__()
        self.hidden, self.heads, self.dropout = hidden, heads, dropout
        self.label_norm, self.text_norm = nn.LayerNorm(hidden), nn.LayerNorm(hidden)
        self.q = nn.Linear(hidden, hidden)
        self.k = nn.Linear(hidden, hidden)
        self.v = nn.Linear(hidden, hidden)
        self.out = nn.Linear(hidden, hidden)
        self.norm = nn.LayerNorm(hidden)
        self.mlp = Perceptron(2 * hidden, width, functional.gelu)

    def forward(
        self,
        text: torch.Tensor,
        labels: torch.Tensor,
        text_mask: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        q = self._heads(self.q(self.label_norm(labels)))  # (batch, heads, labels, size)
        k = self._heads(self.k(self.text_norm(text)))  # (batch, heads, pieces, size)
        v = self._heads(self.v(text))
        lowest = torch.finfo(text.dtype).min
        bias = (1.0 - text_mask[:, None, None].to(text.dtype)) * lowest  # (batch, 1, 1, pieces)
        dropped = self.dropout if self.training else 0.0
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropped)
        seen = self.norm(self.out(seen.transpose(1, 2).flatten(2)))  # (batch, labels, hidden)
        first = self.mlp.first
        seen_part, label_part = first.weight.split(self.hidden, dim=1)
        inner = functional.linear(seen, seen_part, first.bias)
        return self.mlp.behind(inner + functional.linear(labels, label_part))

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, heads, length, size)."""
        return x.unflatten(2, (self.heads, self.hidden // self.heads)).transpose(1, 2)

    def keys(self) -> tuple[Entry, ...]:
        entries = [*linear("q_norm", "label_norm"), *linear("kv_norm", "text_norm")]
        for name in ("q", "k", "v", "out", "norm"):
            entries += linear(name, name)
        return (*entries, *self.mlp.keys("score_mlp", "mlp"))
