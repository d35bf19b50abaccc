"""One layer of ModernBERT: rotary attention, near or global, and a gated feed-forward.

A local layer sees near pieces only. Its sequence is cut into blocks of queries, and each block is
multiplied with the keys that any of its queries may see, not with all: the work grows with the
length, not with its square. A short sequence is one block.

It knows nothing about embeddings, published names or the other layers.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.backbones.attention import AttentionLayer, apart
from onepass.nn.backbones.modernbert_config import ModernBertConfig
from onepass.nn.places import take

BLOCK = 128  # queries of a block, at least: with fewer, most of its keys are read for few of them


@dataclass(frozen=True, slots=True)
class Blocks:
    """How a sequence is cut for local attention.

    It is padded to ``count * queries`` pieces; each block of queries reads `keys` pieces in a row,
    which hold all that its queries may see. While a graph is traced the sizes are tensors.
    """

    count: int
    queries: int
    keys: int

    @classmethod
    def of(cls, pieces: int, reach: int) -> Blocks:
        """Return the cut of a sequence.

        Args:
            pieces: its length.
            reach: how far a query sees to either side.

        >>> Blocks.of(300, 64), Blocks.of(400, 64)
        (Blocks(count=1, queries=300, keys=300), Blocks(count=2, queries=200, keys=328))
        """
        count = _larger((pieces - 2 * reach) // BLOCK, 1)
        queries = (pieces + count - 1) // count
        return cls(count, queries, _smaller(queries + 2 * reach, count * queries))

    def places(self, reach: int, device: torch.device) -> torch.Tensor:
        """Return (count, keys): the pieces that each block reads.

        Args:
            reach: as for `of`.
            device: of the tensor.

        >>> Blocks.of(400, 64).places(64, torch.device("cpu"))[:, 0].tolist()
        [0, 72]
        """
        first = torch.arange(self.count, device=device) * self.queries - reach
        last = self.count * self.queries - self.keys
        first = torch.minimum(first.clamp(min=0), torch.as_tensor(last, device=device))
        return first[:, None] + torch.arange(self.keys, device=device)


@dataclass(frozen=True, slots=True)
class View:
    """What all layers of one kind share in a run.

    Attributes:
        cos: (pieces, 1, size) of the angles of the positions.
        sin: (pieces, 1, size) likewise, negative in the first half.
        bias: 0 where a key is seen and very low where not: (batch, 1, 1, pieces) or, local,
            (batch * blocks, 1, queries, keys).
        places: (blocks, keys) pieces that each block reads; None where there are no blocks.
    """

    cos: torch.Tensor
    sin: torch.Tensor
    bias: torch.Tensor
    places: torch.Tensor | None = None


def rotation(
    pieces: int, size: int, theta: float, like: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return cosines and signed sines of rotary positions, as `View` has them.

    Su et al., RoFormer (2021), equation 34: the first half of a vector is rotated into the second.

    Args:
        pieces: how many positions.
        size: of a head.
        theta: base of the wavelengths.
        like: whose device and type they have.

    >>> cos, sin = rotation(2, 4, 100.0, torch.zeros(1))
    >>> [[round(x, 2) for x in row[0]] for row in sin.tolist()]
    [[-0.0, -0.0, 0.0, 0.0], [-0.84, -0.1, 0.84, 0.1]]
    """
    steps = torch.arange(0, size, 2, device=like.device, dtype=torch.float32)
    places = torch.arange(pieces, device=like.device).float()[:, None, None]
    angles = places * (1.0 / theta ** (steps / size))  # (pieces, 1, size / 2)
    cos, sin = angles.cos(), angles.sin()
    return torch.cat((cos, cos), -1).to(like.dtype), torch.cat((-sin, sin), -1).to(like.dtype)


class ModernBertLayer(AttentionLayer):
    """Self-attention and gated feed-forward; each reads a normalized input and is added to it.

    Args:
        config: what `ModernBertConfig.from_dict` read.
        index: of the layer; the first does not normalize what its attention reads.
    """

    def __init__(self, config: ModernBertConfig, index: int) -> None:
        hidden, eps, bias = config.hidden, config.norm_eps, config.norm_bias
        dropout = config.attention_dropout
        super().__init__(hidden, config.heads, bias=config.attention_bias, dropout=dropout)
        self.attention_norm = nn.LayerNorm(hidden, eps=eps, bias=bias) if index else None
        self.norm = nn.LayerNorm(hidden, eps=eps, bias=bias)
        self.up = nn.Linear(hidden, 2 * config.intermediate, bias=config.mlp_bias)
        self.down = nn.Linear(config.intermediate, hidden, bias=config.mlp_bias)
        self.activation = ACTIVATIONS[config.activation]
        self.mlp_dropout = config.mlp_dropout

    def forward(
        self, x: torch.Tensor, view: View, kept: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return (batch, pieces, hidden), or (batch, kept, hidden).

        Args:
            x: (batch, pieces, hidden).
            view: of the layer's kind.
            kept: (batch, kept) places of the pieces whose vectors are read; None for all.
        """
        batch, pieces, hidden = x.shape
        parts = self.project(x if self.attention_norm is None else self.attention_norm(x))
        q, k, v = (part.view(batch, pieces, self.heads, -1) for part in parts)
        q, k = (part * view.cos + _swapped(part) * view.sin for part in (q, k))
        if view.places is not None:
            blocks, keys = view.places.shape
            q = q.reshape(batch * blocks, -1, self.heads, q.shape[-1])
            k, v = (
                part.index_select(1, view.places.flatten()).view(
                    batch * blocks, keys, *part.shape[2:]
                )
                for part in (k, v)
            )
        q, k, v = (part.transpose(1, 2) for part in (q, k, v))
        mixed = self.attend(q, k, v, view.bias).reshape(batch, pieces, hidden)
        if kept is not None:  # every piece attends: a local layer does so in blocks of them
            mixed, x = take(mixed, kept), take(x, kept)
        x = x + self._drop(self.attention_out(mixed), self.attention_dropout)
        gated, gate = apart(self.norm(x), self.up, 2)  # 2 of (batch, pieces, intermediate)
        return x + self.down(self._drop(self.activation(gated) * gate, self.mlp_dropout))

    def _drop(self, x: torch.Tensor, share: float) -> torch.Tensor:
        return functional.dropout(x, share, self.training) if share else x


def _swapped(x: torch.Tensor) -> torch.Tensor:
    """Return vectors with their halves exchanged."""
    first, second = x.chunk(2, dim=-1)
    return torch.cat((second, first), -1)


def _smaller(a: int | torch.Tensor, b: int) -> int:
    if isinstance(a, torch.Tensor):  # traced: a comparison would be frozen into the graph
        return torch.minimum(a, torch.as_tensor(b))  # type: ignore[return-value]
    return min(a, b)


def _larger(a: int | torch.Tensor, b: int) -> int:
    if isinstance(a, torch.Tensor):
        return torch.maximum(a, torch.as_tensor(b))  # type: ignore[return-value]
    return max(a, b)
