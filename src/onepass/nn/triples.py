"""How well a relation holds between two spans, from three vectors: head, relation and tail.

The sixteen scorers of knowledge graphs that checkpoints come with. Every one takes a pair and
several relations and returns logits; none knows where the vectors came from. Where a formula is
linear in the relation, everything else is computed once a pair.
"""

from __future__ import annotations

import abc

import torch
from torch import nn
from torch.nn import functional

from onepass.errors import CheckpointError
from onepass.nn.keymap import Entry, Rename, linear
from onepass.nn.triple_distances import (
    PairRE,
    StructureEmbedding,
    TransE,
    TransF,
    TransH,
    TripleRE,
    TripleScorer,
    Unstructured,
)


class Product(TripleScorer):
    """``r . pair(h, t)``."""

    def forward(
        self, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        return (relations @ self.pair(heads, tails)[:, :, None])[..., 0]

    @abc.abstractmethod
    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        """Return (pairs, hidden) from (pairs, hidden) twice."""

    def _parts(self, count: int) -> None:
        """Refuse a size that has no such number of equal parts."""
        if self.hidden % count:
            raise CheckpointError(
                f"triples_layer of this kind cuts vectors into {count} parts, but hidden_size is "
                f"{self.hidden}; use a multiple of {count}."
            )


class DistMult(Product):
    """``sum(h * r * t)``."""

    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return h * t


class SimplE(Product):
    """Half of ``h_1 r_1 t_2 + h_2 r_2 t_1``, summed, with vectors cut into halves."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self._parts(2)

    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        (h1, h2), (t1, t2) = h.chunk(2, dim=-1), t.chunk(2, dim=-1)
        return torch.cat([h1 * t2, h2 * t1], dim=-1) / 2


class DistMA(Product):
    """``h . r + h . t + r . t``."""

    def forward(
        self, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        return super().forward(heads, relations, tails) + (heads * tails).sum(-1, keepdim=True)

    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        return h + t


class ComplEx(Product):
    """The real part of ``h r conj(t)``, summed, with halves as real and imaginary parts."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self._parts(2)

    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        (hr, hi), (tr, ti) = h.chunk(2, dim=-1), t.chunk(2, dim=-1)
        return torch.cat([hr * tr + hi * ti, hr * ti - hi * tr], dim=-1)


class QuatE(Product):
    """``(h r) . t`` with the product of quaternions, quarters as their four parts."""

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self._parts(4)

    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        (h0, h1, h2, h3), (t0, t1, t2, t3) = h.chunk(4, dim=-1), t.chunk(4, dim=-1)
        parts = [
            h0 * t0 + h1 * t1 + h2 * t2 + h3 * t3,
            h0 * t1 - h1 * t0 + h3 * t2 - h2 * t3,
            h0 * t2 - h2 * t0 + h1 * t3 - h3 * t1,
            h0 * t3 - h3 * t0 + h2 * t1 - h1 * t2,
        ]
        return torch.cat(parts, dim=-1)


class HolE(Product):
    """``r . c`` with the circular correlation ``c_k = sum_i h_i t_(i+k)``.

    Computed in the frequency domain with plain matrices, which every runtime has.
    """

    cosines: torch.Tensor  # (hidden, waves)
    sines: torch.Tensor
    weights: torch.Tensor  # (waves,)

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        places = torch.arange(hidden, dtype=torch.float64)
        waves = torch.arange(hidden // 2 + 1, dtype=torch.float64)
        angles = (places[:, None] * waves).remainder(hidden) * (2 * torch.pi / hidden)
        # Each wave but the first, and the last of an even size, stands for its mirror as well.
        weights = torch.where((2 * waves).remainder(hidden) == 0, 1.0, 2.0) / hidden
        self.register_buffer("cosines", angles.cos().float(), persistent=False)
        self.register_buffer("sines", angles.sin().float(), persistent=False)
        self.register_buffer("weights", weights.float(), persistent=False)

    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        hc, hs, tc, ts = h @ self.cosines, h @ self.sines, t @ self.cosines, t @ self.sines
        real = (hc * tc + hs * ts) * self.weights  # (pairs, waves)
        imaginary = (hs * tc - hc * ts) * self.weights
        return real @ self.cosines.T - imaginary @ self.sines.T


class TuckER(Product):
    """``core`` applied to head, relation and tail, of which head and tail are normalized.

    For one triple that is what gliner computes. For several at once gliner lays its product out
    wrongly and mixes their relations, so that no score there is that of its own triple.
    """

    dropout = 0.2

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.core = nn.Parameter(torch.empty(hidden, hidden, hidden))  # (head, relation, tail)
        nn.init.xavier_uniform_(self.core)
        self.head_norm = nn.BatchNorm1d(hidden)
        self.tail_norm = nn.BatchNorm1d(hidden)

    def pair(self, h: torch.Tensor, t: torch.Tensor) -> torch.Tensor:
        h, t = self._normalized(self.head_norm, h), self._normalized(self.tail_norm, t)
        of_head = (h @ self.core.flatten(1)).unflatten(1, (self.hidden, self.hidden))
        return (self._dropped(of_head) @ t[:, :, None])[..., 0]  # (pairs, relation)

    def _normalized(self, norm: nn.BatchNorm1d, x: torch.Tensor) -> torch.Tensor:
        if self.training and len(x) > 1:
            return self._dropped(norm(x))
        # A single pair has no spread to learn from.
        x = functional.batch_norm(
            x, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )
        return self._dropped(x)

    def _dropped(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout) if self.training else x

    def keys(self) -> tuple[Entry, ...]:
        norms = (("bn0", "head_norm"), ("bn1", "tail_norm"))
        names = ("weight", "bias", "running_mean", "running_var", "num_batches_tracked")
        moved = (Rename(f"{a}.{name}", f"{b}.{name}") for a, b in norms for name in names)
        return (Rename("W", "core"), *moved)


class ErMlp(TripleScorer):
    """ERMLP: a perceptron over ``[h; r; t]``."""

    inner = 2048  # whatever the size of the vectors

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.first = nn.Linear(3 * hidden, self.inner)
        self.last = nn.Linear(self.inner, 1)

    def forward(
        self, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        head, relation, tail = self.first.weight.chunk(3, dim=1)  # 3 of (inner, hidden)
        pairs = functional.linear(heads, head, self.first.bias) + functional.linear(tails, tail)
        inner = torch.relu(pairs[:, None] + functional.linear(relations, relation))
        return self.last(inner)[..., 0]

    def keys(self) -> tuple[Entry, ...]:
        return (*linear("mlp.0", "first"), *linear("mlp.2", "last"))


class ConvKB(TripleScorer):
    """32 filters over ``(h_d, r_d, t_d)`` at every place, and a linear layer over all they find."""

    filters, dropout = 32, 0.3

    def __init__(self, hidden: int) -> None:
        super().__init__(hidden)
        self.conv = nn.Conv1d(3, self.filters, 1)
        self.fc = nn.Linear(self.filters * hidden, 1)

    def forward(
        self, heads: torch.Tensor, relations: torch.Tensor, tails: torch.Tensor
    ) -> torch.Tensor:
        shares = self.conv.weight[:, :, 0]  # (filters, 3)
        biases = self.conv.get_parameter("bias")
        weights = self.fc.weight.view(self.filters, self.hidden)
        found = self.fc.bias.expand(relations.shape[:2])
        # One filter at a time: all of them at once are 32 times as large as the relations.
        for share, bias, weight in zip(shares, biases, weights, strict=True):
            pairs = heads * share[0] + tails * share[2] + bias  # (pairs, hidden)
            cells = torch.relu(pairs[:, None] + relations * share[1])
            if self.training:
                cells = functional.dropout(cells, self.dropout)
            found = found + cells @ weight
        return found


_SCORERS: dict[str, type[TripleScorer]] = {
    "UM": Unstructured,
    "SE": StructureEmbedding,
    "TransE": TransE,
    "TransH": TransH,
    "TransF": TransF,
    "PairRE": PairRE,
    "TripleRE": TripleRE,
    "DistMult": DistMult,
    "SimplE": SimplE,
    "DistMA": DistMA,
    "ComplEx": ComplEx,
    "QuatE": QuatE,
    "HolE": HolE,
    "TuckER": TuckER,
    "ERMLP": ErMlp,
    "ConvKB": ConvKB,
}


def build_triples(kind: str, hidden: int) -> TripleScorer:
    """Return a scorer by its published name, with random weights.

    Args:
        kind: "DistMult", "TransE", ...
        hidden: size of all vectors.

    Raises:
        CheckpointError: for an unknown kind, or a size that it cannot cut into its parts.

    >>> scorer = build_triples("DistMult", 4)
    >>> scorer(torch.ones(2, 4), torch.ones(2, 3, 4), torch.ones(2, 4)).tolist()
    [[4.0, 4.0, 4.0], [4.0, 4.0, 4.0]]
    """
    if kind == "ConvE":
        raise CheckpointError(
            "triples_layer 'ConvE' needs the height of an image (emb_dim1), which no gliner "
            "configuration can say and without which gliner itself builds none; use another one: "
            f"{', '.join(_SCORERS)}."
        )
    if kind not in _SCORERS:
        raise CheckpointError(f"triples_layer {kind!r} is not known; {', '.join(_SCORERS)} are.")
    return _SCORERS[kind](hidden)
