"""From the markers of a GLiNER2 group to one query per instance and marker: the counting layers.

They take vectors that the backbone made and return vectors; none knows about prompts, thresholds or
text.
"""

from __future__ import annotations

import abc
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, Rename, linear
from onepass.nn.mlp import Mlp, mlp_keys

MAX_COUNT = 20  # classes of the count head: 0 to 19 instances


class Projector(nn.Module, abc.ABC):
    """A counting layer: recurrent states and markers to queries."""

    @abc.abstractmethod
    def forward(self, out: torch.Tensor, markers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Return queries (groups, steps, markers, hidden).

        Args:
            out: (groups, steps, markers, hidden) recurrent states.
            markers: (groups, 1, markers, hidden).
            mask: (groups, markers), 1 at real markers.
        """

    @abc.abstractmethod
    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""


class Occurrences(nn.Module):
    """Turns the markers of a group into one query per instance and marker.

    Args:
        hidden: size of marker and query vectors.
        projector: ``(steps, markers) -> queries``, one of the counting layers below.

    >>> occurrences = Occurrences(8, LstmProjector(8))
    >>> mask = torch.ones(2, 3, dtype=torch.int64)
    >>> occurrences(torch.zeros(2, 3, 8), mask, torch.arange(5)).shape
    torch.Size([2, 5, 3, 8])
    """

    def __init__(self, hidden: int, projector: Projector) -> None:
        super().__init__()
        self.positions = nn.Embedding(MAX_COUNT, hidden)
        self.gru = nn.GRU(hidden, hidden)
        self.projector = projector

    def forward(
        self, markers: torch.Tensor, mask: torch.Tensor, steps: torch.Tensor
    ) -> torch.Tensor:
        """Return queries (groups, steps, markers, hidden).

        Args:
            markers: (groups, markers, hidden).
            mask: (groups, markers), 1 at real markers.
            steps: (steps,) instance numbers 0, 1, ...
        """
        groups, count, hidden = markers.shape
        inputs = self.positions(steps)[:, None, :].expand(-1, groups * count, -1)
        state = markers.reshape(1, groups * count, hidden)
        out, _ = self.gru(inputs.contiguous(), state.contiguous())
        out = out.reshape(-1, groups, count, hidden).transpose(0, 1)
        return self.projector(out, markers[:, None], mask)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        gru = (Rename(f"gru.{name}", f"gru.{name}") for name, _ in self.gru.named_parameters())
        entries: tuple[Entry, ...] = (
            Rename("pos_embedding.weight", "positions.weight"),
            *gru,
            *self.projector.keys(),
        )
        return entries


class LstmProjector(Projector):
    """Counting layer ``count_lstm``: a perceptron over the recurrent state beside the marker."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mlp = Mlp(2 * hidden, 4 * hidden, hidden)

    def forward(self, out: torch.Tensor, markers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.mlp(torch.cat([out, markers.expand_as(out)], dim=-1))

    def keys(self) -> tuple[Entry, ...]:
        return mlp_keys("projector", "projector.mlp")


class AttentionLayer(nn.Module):
    """A post-norm transformer layer over the markers of one group and instance."""

    def __init__(self, size: int, heads: int, inner: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(size, 3 * size)
        self.attention_out = nn.Linear(size, size)
        self.up = nn.Linear(size, inner)
        self.down = nn.Linear(inner, size)
        self.norm1 = nn.LayerNorm(size)
        self.norm2 = nn.LayerNorm(size)

    def forward(self, x: torch.Tensor, bias: torch.Tensor) -> torch.Tensor:
        rows, count, size = x.shape
        qkv = self.qkv(x).view(rows, count, 3, self.heads, size // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4).unbind(0)
        mixed = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        mixed = mixed.transpose(1, 2).reshape(rows, count, size)
        x = self.norm1(x + self.attention_out(mixed))
        return self.norm2(x + self.down(torch.relu(self.up(x))))


class TransformerProjector(Projector):
    """Counting layer ``count_lstm_v2``: the markers of a group see each other."""

    size, heads, inner, depth = 128, 4, 256, 2

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.inward = nn.Linear(hidden, self.size)
        self.layers = nn.ModuleList(
            AttentionLayer(self.size, self.heads, self.inner) for _ in range(self.depth)
        )
        self.out0 = nn.Linear(self.size + hidden, hidden)
        self.out1 = nn.Linear(hidden, hidden)
        self.out2 = nn.Linear(hidden, hidden)

    def forward(self, out: torch.Tensor, markers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        x0 = out + markers  # (groups, steps, markers, hidden)
        groups, steps, count, _ = x0.shape
        lowest = torch.finfo(x0.dtype).min
        bias = (1.0 - mask[:, None, None, None, :].to(x0.dtype)) * lowest
        bias = bias.expand(groups, steps, 1, 1, count).reshape(groups * steps, 1, 1, count)
        y = self.inward(x0).reshape(groups * steps, count, self.size)
        for layer in self.layers:
            y = layer(y, bias)
        y = y.reshape(groups, steps, count, self.size)
        y = torch.relu(self.out0(torch.cat([y, x0], dim=-1)))
        return self.out2(torch.relu(self.out1(y)))

    def keys(self) -> tuple[Entry, ...]:
        entries: list[Entry] = [*linear("transformer.in_projector", "projector.inward")]
        for i in range(self.depth):
            theirs, ours = f"transformer.transformer.layers.{i}.", f"projector.layers.{i}."
            entries += [
                Rename(theirs + "self_attn.in_proj_weight", ours + "qkv.weight"),
                Rename(theirs + "self_attn.in_proj_bias", ours + "qkv.bias"),
                *linear(theirs + "self_attn.out_proj", ours + "attention_out"),
                *linear(theirs + "linear1", ours + "up"),
                *linear(theirs + "linear2", ours + "down"),
                *linear(theirs + "norm1", ours + "norm1"),
                *linear(theirs + "norm2", ours + "norm2"),
            ]
        for i in range(3):
            entries += linear(f"transformer.out_projector.{2 * i}", f"projector.out{i}")
        return tuple(entries)


class ExpertsProjector(Projector):
    """Counting layer ``count_lstm_moe``: four perceptrons, mixed by a router."""

    experts = 4

    def __init__(self, hidden: int) -> None:
        super().__init__()
        inner = 2 * hidden
        self.w1 = nn.Parameter(torch.empty(self.experts, hidden, inner))
        self.b1 = nn.Parameter(torch.zeros(self.experts, inner))
        self.w2 = nn.Parameter(torch.empty(self.experts, inner, hidden))
        self.b2 = nn.Parameter(torch.zeros(self.experts, hidden))
        self.router0 = nn.Linear(hidden, hidden)
        self.router2 = nn.Linear(hidden, self.experts)
        nn.init.xavier_uniform_(self.w1)
        nn.init.xavier_uniform_(self.w2)

    def forward(self, out: torch.Tensor, markers: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        gates = self.router2(functional.gelu(self.router0(out))).softmax(-1)  # (..., experts)
        mixed = torch.zeros_like(out)
        for e in range(self.experts):
            inner = functional.gelu(out @ self.w1[e] + self.b1[e])
            mixed = mixed + gates[..., e, None] * (inner @ self.w2[e] + self.b2[e])
        return mixed

    def keys(self) -> tuple[Entry, ...]:
        plain = tuple(Rename(name, f"projector.{name}") for name in ("w1", "b1", "w2", "b2"))
        router = (
            *linear("router.0", "projector.router0"),
            *linear("router.2", "projector.router2"),
        )
        return (*plain, *router)


PROJECTORS: dict[str, Callable[[int], Projector]] = {
    "count_lstm": LstmProjector,
    "count_lstm_v2": TransformerProjector,
    "count_lstm_moe": ExpertsProjector,
}
