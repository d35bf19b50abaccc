"""The layers of T5: scaled without a mean, unscaled attention, biases for distances.

They know no piece ids and no published configuration beyond `T5Config`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.backbones.attention import apart, attend, closed, join_heads, split_heads
from onepass.nn.backbones.t5_config import T5Config
from onepass.nn.keymap import Entry, Rename, Stack
from onepass.nn.places import take


def distance_buckets(buckets: int, max_distance: int, *, both_ways: bool) -> torch.Tensor:
    """Return the bucket of each distance, (2 * max_distance + 1,), from the farthest key before.

    Near distances have buckets of their own, farther ones share them, the farther the more. All
    keys past the maximum are in the last bucket.

    Args:
        buckets: how many there are.
        max_distance: from which on all are one.
        both_ways: half of the buckets are for keys after the query; else all those are in bucket 0.

    >>> distance_buckets(8, 4, both_ways=True).tolist()
    [3, 3, 2, 1, 0, 5, 6, 7, 7]
    >>> distance_buckets(4, 4, both_ways=False).tolist()
    [3, 3, 2, 1, 0, 0, 0, 0, 0]
    """
    steps = torch.arange(-max_distance, max_distance + 1)
    count = buckets // 2 if both_ways else buckets
    away = steps.abs() if both_ways else (-steps).clamp(min=0)
    exact = count // 2  # so many distances have their own
    # In fp32 and in this order, as published: a rounding decides on which side of a border some are
    part = torch.log(away.clamp(min=1).float() / exact) / math.log(max_distance / exact)
    shared = (exact + (part * (count - exact)).long()).clamp(max=count - 1)
    found = torch.where(away < exact, away, shared)
    return found + (steps > 0) * count if both_ways else found


class RmsNorm(nn.Module):
    """Vectors divided by their root mean square, times a weight.

    Args:
        hidden: size of the vectors.
        eps: added to the mean square.

    >>> RmsNorm(2, 0.0)(torch.tensor([[3.0, 3.0]])).tolist()
    [[1.0, 1.0]]
    """

    def __init__(self, hidden: int, eps: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(hidden))
        self.eps = eps

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        wide = x.float()  # half precision overflows in the squares
        normed = wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + self.eps)
        return self.weight * normed.to(self.weight.dtype)


class DistanceBias(nn.Module):
    """What the distance between two pieces adds to their score, for each head.

    Args:
        config: what `T5Config.from_dict` read.
    """

    def __init__(self, config: T5Config) -> None:
        super().__init__()
        # (buckets, heads)
        self.weight = nn.Parameter(torch.randn(config.buckets, config.heads) * config.hidden**-0.5)

    def forward(self, buckets: torch.Tensor) -> torch.Tensor:
        """Return (1, heads, pieces, pieces): what a query's row of keys gets added.

        Args:
            buckets: (2 * pieces), of the keys from ``pieces`` places before a query.
        """
        rows = self.weight.index_select(0, buckets).t()  # (heads, 2 * pieces)
        heads, double = rows.shape
        pieces = double // 2
        # Each query needs them from one place further left than the one before: dropping the first
        # `pieces` and reading rows one shorter than they were written moves each by one.
        flat = rows[:, None, :].expand(heads, pieces, double).reshape(heads, -1)[:, pieces:]
        return flat.reshape(1, heads, pieces, -1)[..., :pieces]


class T5Layer(nn.Module):
    """Self-attention, cross attention where there is something to attend to, and feed-forward.

    Each reads a normalized input and is added to what it read.

    Args:
        config: what `T5Config.from_dict` read.
        cross: whether it attends to states of an encoder.
    """

    def __init__(self, config: T5Config, *, cross: bool) -> None:
        super().__init__()
        self.heads, self.dropout = config.heads, config.dropout
        hidden, inner = config.hidden, config.heads * config.key
        self.distances = DistanceBias(config) if config.distances_each else None
        self.attention_norm = RmsNorm(hidden, config.norm_eps)
        self.qkv = nn.Linear(hidden, 3 * inner, bias=False)
        self.attention_out = nn.Linear(inner, hidden, bias=False)
        self.cross_norm = RmsNorm(hidden, config.norm_eps) if cross else None
        if cross:
            self.cross_query = nn.Linear(hidden, inner, bias=False)
            self.cross_key_value = nn.Linear(hidden, 2 * inner, bias=False)
            self.cross_out = nn.Linear(inner, hidden, bias=False)
        self.norm = RmsNorm(hidden, config.norm_eps)
        self.gated = config.gated
        self.activation = ACTIVATIONS[config.activation]
        self.up = nn.Linear(hidden, config.intermediate * (2 if config.gated else 1), bias=False)
        self.down = nn.Linear(config.intermediate, hidden, bias=False)

    def forward(
        self,
        x: torch.Tensor,
        bias: torch.Tensor,
        states: torch.Tensor | None = None,
        states_bias: torch.Tensor | None = None,
        kept: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return (batch, pieces, hidden), or (batch, kept, hidden).

        Args:
            x: (batch, pieces, hidden).
            bias: added to the scores, broadcasts to (batch, heads, pieces, pieces).
            states: (batch, keys, hidden) of an encoder, for a layer with cross attention.
            states_bias: likewise, broadcasts to (batch, heads, pieces, keys).
            kept: (batch, kept) places of the pieces whose vectors are read; None for all.
        """
        q, k, v = self._parts(self.qkv, self.attention_norm(x), 3)
        mixed = self._attend(q, k, v, bias)
        if kept is not None:
            mixed, x = take(mixed, kept), take(x, kept)
        x = x + self._drop(self.attention_out(mixed))
        if self.cross_norm is not None:
            assert states is not None
            assert states_bias is not None
            (q,) = self._parts(self.cross_query, self.cross_norm(x), 1)
            k, v = self._parts(self.cross_key_value, states, 2)
            x = x + self._drop(self.cross_out(self._attend(q, k, v, states_bias)))
        normed = self.norm(x)
        if self.gated:
            gate, inner = apart(normed, self.up, 2)
            inner = self.activation(gate) * inner
        else:
            inner = self.activation(self.up(normed))
        return x + self._drop(self.down(self._drop(inner)))

    def _parts(self, layer: nn.Module, x: torch.Tensor, count: int) -> list[torch.Tensor]:
        """Return parts of a product, each (batch, heads, pieces, size)."""
        return [split_heads(part, self.heads) for part in apart(x, layer, count)]

    def _attend(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        """Return (batch, queries, heads * size); the scores are not scaled."""
        return join_heads(attend(q, k, v, bias, dropout=self.dropout if self.training else None))

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training) if self.dropout else x


class T5Stack(nn.Module):
    """The layers of an encoder or of a decoder, and what they share.

    Args:
        config: what `T5Config.from_dict` read.
        decoder: whether its layers attend to states of an encoder. A decoder tells keys after the
            query from each other by nothing, even where it may see them.
    """

    rows: torch.Tensor

    def __init__(self, config: T5Config, *, decoder: bool = False) -> None:
        super().__init__()
        self.config, self.decoder = config, decoder
        count = config.decoder_layers if decoder else config.layers
        self.distances = None if config.distances_each else DistanceBias(config)
        self.layers = nn.ModuleList(T5Layer(config, cross=decoder) for _ in range(count))
        self.norm = RmsNorm(config.hidden, config.norm_eps)
        rows = distance_buckets(config.buckets, config.max_distance, both_ways=not decoder)
        self.register_buffer("rows", rows, persistent=False)  # (2 * max_distance + 1,)

    def each_layer(
        self,
        x: torch.Tensor,
        mask: torch.Tensor,
        states: torch.Tensor | None = None,
        states_mask: torch.Tensor | None = None,
        *,
        causal: bool = False,
        kept: torch.Tensor | None = None,
    ) -> Iterator[torch.Tensor]:
        """Yield the (batch, pieces, hidden) vectors behind each layer, the last ones normalized.

        Args:
            x: (batch, pieces, hidden) embeddings, behind `drop`.
            mask: (batch, pieces), 1 at real pieces, 0 at padding.
            states: (batch, keys, hidden) of an encoder, for a decoder.
            states_mask: (batch, keys) likewise.
            causal: whether a piece sees only those before it, and itself.
            kept: (batch, kept) places of the pieces that are read of the last layer; None for all.
        """
        places = torch.arange(mask.shape[1], device=mask.device)
        steps = torch.arange(2 * mask.shape[1], device=mask.device) - mask.shape[1]
        farthest = self.config.max_distance
        buckets = self.rows[steps.clamp(-farthest, farthest) + farthest]  # (2 * pieces)
        seen = mask.bool()[:, None, None, :]  # (batch, 1, 1, keys)
        if causal:
            seen = seen & (places[None, :] <= places[:, None])
        masked = closed(seen, x.dtype)
        states_masked = (
            None if states_mask is None else closed(states_mask.bool()[:, None, None, :], x.dtype)
        )
        bias = None if self.distances is None else self.distances(buckets) + masked
        last = len(self.layers) - 1
        for i, layer in enumerate(self.layers):
            assert isinstance(layer, T5Layer)
            own = layer.distances(buckets) + masked if layer.distances is not None else bias
            assert own is not None
            x = layer(x, own, states, states_masked, kept if i == last else None)
            yield self.drop(self.norm(x)) if i == last else x

    def drop(self, x: torch.Tensor) -> torch.Tensor:
        """Return vectors behind the dropout that stands in front of all layers and after them."""
        dropout = self.config.dropout
        return functional.dropout(x, dropout, self.training) if dropout else x

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours; ``{i}`` is the layer."""
        first, last = "block.{i}.layer.0.", f"block.{{i}}.layer.{2 if self.decoder else 1}."
        attention, ours = first + "SelfAttention.", "layers.{i}."
        bias = "relative_attention_bias.weight"
        entries: list[Entry] = [
            Rename(attention + bias, ours + "distances.weight")
            if self.config.distances_each
            else Rename(attention.replace("{i}", "0") + bias, "distances.weight"),
            Stack(tuple(f"{attention}{part}.weight" for part in "qkv"), ours + "qkv.weight"),
            Rename(attention + "o.weight", ours + "attention_out.weight"),
            Rename(first + "layer_norm.weight", ours + "attention_norm.weight"),
        ]
        if self.decoder:
            second = "block.{i}.layer.1."
            cross = second + "EncDecAttention."
            pair = (f"{cross}k.weight", f"{cross}v.weight")
            entries += [
                Rename(cross + "q.weight", ours + "cross_query.weight"),
                Stack(pair, ours + "cross_key_value.weight"),
                Rename(cross + "o.weight", ours + "cross_out.weight"),
                Rename(second + "layer_norm.weight", ours + "cross_norm.weight"),
            ]
        dense = last + "DenseReluDense."
        entries += [
            Stack((f"{dense}wi_0.weight", f"{dense}wi_1.weight"), ours + "up.weight")
            if self.config.gated
            else Rename(dense + "wi.weight", ours + "up.weight"),
            Rename(dense + "wo.weight", ours + "down.weight"),
            Rename(last + "layer_norm.weight", ours + "norm.weight"),
            Rename("final_layer_norm.weight", "norm.weight"),
        ]
        return tuple(entries)
