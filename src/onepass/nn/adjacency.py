"""Which spans of a text may be related: a probability for every ordered pair of spans.

It knows nothing about relation types. The vectors that go in are those of the spans themselves; no
layer here passes changed vectors on, so a scorer of pairs reads the same vectors as this one.
"""

from __future__ import annotations

import abc

import torch
from torch import nn
from torch.nn import functional

from onepass.errors import CheckpointError
from onepass.nn.keymap import Entry, Rename, linear, with_prefix
from onepass.nn.mlp import Mlp, mlp_keys
from onepass.nn.places import within

_HEADS = 8  # of both attention layers; not in any configuration


class Adjacency(nn.Module):
    """Scores all ordered pairs of spans of a text at once.

    Args:
        kind: "dot", "mlp", "attention", "bilinear", "gcn" or "gat".
        hidden: size of the span vectors.

    Raises:
        CheckpointError: for an unknown kind, or a size that attention heads cannot share.

    >>> layer = Adjacency("dot", 16)
    >>> layer(torch.zeros(2, 3, 16), torch.tensor([3, 1])).tolist()[1]
    [[0.5, 0.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]]
    """

    def __init__(self, kind: str, hidden: int) -> None:
        super().__init__()
        if kind not in _PARTS:
            raise CheckpointError(
                f"relations_layer {kind!r} has no adjacency; {', '.join(_PARTS)} have one."
            )
        self.part = _PARTS[kind](hidden)

    def forward(self, states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return probabilities (batch, spans, spans) from head to tail, 0 beyond the counts.

        Args:
            states: (batch, spans, hidden) span vectors.
            counts: (batch,) how many of them are real.
        """
        real = within(counts, states.shape[1])
        found = self.part(states, real)
        return found.masked_fill(~_pairs(real), 0.0)

    def logits(self, states: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return log-odds (batch, spans, spans), for a loss that does not saturate.

        Their sigmoid is what `forward` returns, as far as a number next to 0 or 1 can say it.

        Args:
            states: (batch, spans, hidden) span vectors.
            counts: (batch,) how many of them are real; pairs beyond mean nothing.
        """
        return self.part.logits(states, within(counts, states.shape[1]))

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the names below ``relation_rep_layer.`` and ours."""
        return with_prefix(self.part.keys(), "", "part.")


class Part(nn.Module, abc.ABC):
    """One kind of adjacency; most have log-odds and take their sigmoid."""

    @abc.abstractmethod
    def logits(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return log-odds (batch, spans, spans).

        Args:
            states: (batch, spans, hidden).
            real: (batch, spans) booleans.
        """

    def forward(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return probabilities (batch, spans, spans); arguments as for `logits`."""
        return torch.sigmoid(self.logits(states, real))

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        return ()


class Dot(Part):
    """``sigmoid(x_i . x_j)``."""

    def __init__(self, _hidden: int) -> None:
        super().__init__()

    def logits(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return _products(states)


class Perceptron(Part):
    """``sigmoid(last(relu(first([x_i; x_j]))))``, the first layer computed once a span."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.mlp = Mlp(2 * hidden, hidden, 1)

    def logits(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        first, last = self.mlp.first, self.mlp.last
        head_half, tail_half = first.weight.chunk(2, dim=1)
        heads = functional.linear(states, head_half, first.bias)[:, :, None]
        tails = functional.linear(states, tail_half)[:, None]
        return last(torch.relu(heads + tails))[..., 0]  # (batch, spans, spans)

    def keys(self) -> tuple[Entry, ...]:
        return mlp_keys("mlp", "mlp")


class Bilinear(Part):
    """``sigmoid(z_i . z_j)`` with a linear ``z``."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.inner = nn.Linear(hidden, hidden)

    def logits(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return _products(self.inner(states))

    def keys(self) -> tuple[Entry, ...]:
        return linear("proj", "inner")


class SelfAttention(nn.Module):
    """Attention among the spans of a text: its mean weights, or its output."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        if hidden % _HEADS:
            raise CheckpointError(
                f"An adjacency with attention has {_HEADS} heads, which hidden_size {hidden} "
                f"cannot be shared among; use a multiple of {_HEADS}."
            )
        self.qkv = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)  # in every file, even where only weights are read

    def weights(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        """Return (batch, spans, spans): the mean over heads."""
        return self._attend(states, real)[0].mean(1)

    def forward(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        weights, values = self._attend(states, real)
        return self.out((weights @ values).transpose(1, 2).flatten(2))

    def _attend(
        self, states: torch.Tensor, real: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return weights (batch, heads, spans, spans) and values (batch, heads, spans, size)."""
        batch, spans, hidden = states.shape
        size = hidden // _HEADS
        qkv = self.qkv(states).view(batch, spans, 3, _HEADS, size).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        scores = (q / size**0.5) @ k.transpose(2, 3)
        # The lowest number and not -inf: a text without spans has weights, not nan.
        scores = scores.masked_fill(~real[:, None, None], torch.finfo(scores.dtype).min)
        return scores.softmax(-1), v

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the names of torch's own attention and ours."""
        return (
            Rename("in_proj_weight", "qkv.weight"),
            Rename("in_proj_bias", "qkv.bias"),
            *linear("out_proj", "out"),
        )


class Attention(Part):
    """The attention weights themselves; each row sums to one."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.attention = SelfAttention(hidden)

    def logits(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return torch.logit(self.attention.weights(states, real), eps=1e-6)

    def forward(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return self.attention.weights(states, real)

    def keys(self) -> tuple[Entry, ...]:
        return with_prefix(self.attention.keys(), "attn.", "attention.")


class GraphConvolution(Part):
    """One step of graph convolution along `Dot`, then ``sigmoid(z_i . z_j)``."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.step = nn.Linear(hidden, hidden)
        self.inner = nn.Linear(hidden, hidden)

    def logits(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        places = torch.arange(states.shape[1], device=states.device)
        loops = (places[:, None] == places).to(states.dtype)  # (spans, spans)
        edges = (torch.sigmoid(_products(states)) + loops).masked_fill(~_pairs(real), 0.0)
        scale = edges.sum(-1).clamp(min=1e-6).rsqrt()  # (batch, spans)
        mixed = (scale[:, :, None] * edges * scale[:, None]) @ states
        return _products(self.inner(torch.relu(self.step(mixed))))

    def keys(self) -> tuple[Entry, ...]:
        return (*linear("gcn.linear", "step"), *linear("proj", "inner"))


class GraphAttention(Part):
    """Attention among the spans, then ``sigmoid(z_i . z_j)``."""

    def __init__(self, hidden: int) -> None:
        super().__init__()
        self.attention = SelfAttention(hidden)
        self.inner = nn.Linear(hidden, hidden)

    def logits(self, states: torch.Tensor, real: torch.Tensor) -> torch.Tensor:
        return _products(self.inner(self.attention(states, real)))

    def keys(self) -> tuple[Entry, ...]:
        attention = with_prefix(self.attention.keys(), "attn.", "attention.")
        return (*attention, *linear("linear", "inner"))


_PARTS: dict[str, type[Part]] = {
    "dot": Dot,
    "mlp": Perceptron,
    "attention": Attention,
    "bilinear": Bilinear,
    "gcn": GraphConvolution,
    "gat": GraphAttention,
}


def _products(states: torch.Tensor) -> torch.Tensor:
    """Return (batch, spans, spans): every dot product of two vectors of a text."""
    return states @ states.transpose(1, 2)


def _pairs(real: torch.Tensor) -> torch.Tensor:
    """Return (batch, spans, spans) booleans: both ends are real."""
    return real[:, :, None] & real[:, None]
