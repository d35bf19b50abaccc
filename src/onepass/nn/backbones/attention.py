"""Self-attention as encoders share it: one product for queries, keys and values, scaled once.

It knows no positions, no normalizations and no published names.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.backbones.base import Backbone


class AttentionLayer(nn.Module):
    """What a layer with self-attention is built on.

    Args:
        hidden: size of the vectors.
        heads: number of heads.
        bias: whether its products have biases.
        dropout: share of the attention weights that training drops.
    """

    scaled_weight: torch.Tensor | None  # of qkv, the queries scaled
    scaled_bias: torch.Tensor | None

    def __init__(self, hidden: int, heads: int, *, bias: bool, dropout: float) -> None:
        super().__init__()
        self.heads, self.attention_dropout = heads, dropout
        self.scale = float((hidden // heads) ** -0.5)
        self.qkv = nn.Linear(hidden, 3 * hidden, bias=bias)
        self.attention_out = nn.Linear(hidden, hidden, bias=bias)
        for name in ("scaled_weight", "scaled_bias"):
            self.register_buffer(name, None, persistent=False)
        self.register_load_state_dict_pre_hook(_forget)

    def prepare(self) -> None:
        """Compute what depends on the weights alone: the queries' scale goes into their weights.

        Raises:
            TypeError: where an adapter wraps the layer that has to be read.
        """
        if type(self.qkv) is not nn.Linear:
            raise TypeError("prepare() reads plain linear layers: merge the adapters first.")
        factors = torch.ones_like(self.qkv.weight[:, 0])
        factors[: self.qkv.in_features] = self.scale
        self.scaled_weight = self.qkv.weight * factors[:, None]
        self.scaled_bias = None if self.qkv.bias is None else self.qkv.bias * factors

    def forget(self) -> None:
        """Drop what `prepare` computed."""
        self.scaled_weight = self.scaled_bias = None

    def train(self, mode: bool = True) -> AttentionLayer:
        if mode:
            self.forget()
        return super().train(mode)

    def project(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Return scaled queries, keys and values, 3 of (batch, pieces, hidden).

        Args:
            x: (batch, pieces, hidden).
        """
        if self.scaled_weight is not None:
            return _products(x, self.scaled_weight, self.scaled_bias, 3)
        q, k, v = apart(x, self.qkv, 3)
        return q * self.scale, k, v

    def attend(
        self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor
    ) -> torch.Tensor:
        """Return (batch, queries, hidden); the arguments are those of `attend`."""
        dropout = self.attention_dropout if self.training else None
        return join_heads(attend(q, k, v, bias, dropout=dropout))


class AttentionBackbone(Backbone):
    """An encoder that is a stack of such layers."""

    layers: nn.ModuleList

    def prepare(self) -> None:
        """Switch to evaluation and scale the weights of the queries, once.

        Outputs stay the same. `train` and `load_state_dict` drop the result; a change of the
        weights by other means needs another call. Call it before an export to ONNX.

        Raises:
            TypeError: where an adapter wraps a layer that has to be read.
        """
        self.eval()
        # Inference tensors could not be exported, whatever the caller's mode is.
        with torch.inference_mode(False), torch.no_grad():
            for layer in self.layers:
                assert isinstance(layer, AttentionLayer)
                layer.prepare()


def attend(
    q: torch.Tensor,
    k: torch.Tensor,
    v: torch.Tensor,
    bias: torch.Tensor,
    *,
    dropout: float | None = None,
) -> torch.Tensor:
    """Return the mixed values, (batch, heads, queries, size).

    Args:
        q: (batch, heads, queries, size), scaled already.
        k: (batch, heads, keys, size).
        v: (batch, heads, keys, size).
        bias: added to the products; broadcasts to (batch, heads, queries, keys).
        dropout: share of the weights that is dropped; None outside of training.

    >>> one = torch.ones(1, 1, 2, 4)
    >>> attend(one, one, one, torch.zeros(1, 1, 1, 2)).shape
    torch.Size([1, 1, 2, 4])
    """
    exact = not dropout and q.dtype == torch.float32
    if (dropout is None or exact or q.is_cuda) and not torch.onnx.is_in_onnx_export():
        share = dropout or 0.0
        return functional.scaled_dot_product_attention(q, k, v, bias, share, scale=1.0)
    # Plain products: on CPUs the fused kernel knows no dropout and is slow backwards in bf16 (0.4
    # times as fast for 64 pieces, on a processor without bf16 products; in fp32 1.0 to 3.7 times),
    # and it is exported with a scale on both sides.
    weights = (q @ k.transpose(-1, -2) + bias).softmax(-1)
    return (functional.dropout(weights, dropout) if dropout else weights) @ v


def apart(x: torch.Tensor, layer: nn.Module, count: int) -> tuple[torch.Tensor, ...]:
    """Return a linear layer's output in equal parts of its last axis.

    A graph gets one product a part: ONNX Runtime copies what it splits.

    Args:
        x: (..., inputs).
        layer: of count * outputs.
        count: how many parts.

    >>> [part.shape[-1] for part in apart(torch.ones(1, 2), nn.Linear(2, 6), 3)]
    [2, 2, 2]
    """
    if type(layer) is nn.Linear:  # others may compute something else with their weight
        return _products(x, layer.weight, layer.bias, count)
    return tuple(layer(x).chunk(count, dim=-1))


def split_heads(x: torch.Tensor, heads: int) -> torch.Tensor:
    """Return (batch, heads, pieces, size) of (batch, pieces, heads * size)."""
    return x.view(x.shape[0], x.shape[1], heads, -1).transpose(1, 2)


def join_heads(x: torch.Tensor) -> torch.Tensor:
    """Return (batch, pieces, heads * size) of (batch, heads, pieces, size)."""
    return x.transpose(1, 2).flatten(2)


def closed(seen: torch.Tensor, dtype: torch.dtype) -> torch.Tensor:
    """Return 0 where a key is seen, and a number that leaves no weight where it is not.

    >>> closed(torch.tensor([True, False]), torch.float32).tolist()[1] < -1e38
    True
    """
    return (~seen).to(dtype) * (torch.finfo(dtype).min / 2)  # half: sums must not overflow


def _products(
    x: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None, count: int
) -> tuple[torch.Tensor, ...]:
    if not torch.onnx.is_in_onnx_export():
        return functional.linear(x, weight, bias).chunk(count, dim=-1)
    biases = [None] * count if bias is None else bias.chunk(count)
    return tuple(
        functional.linear(x, one, own) for one, own in zip(weight.chunk(count), biases, strict=True)
    )


def _forget(layer: nn.Module, *_: object) -> None:
    assert isinstance(layer, AttentionLayer)
    layer.forget()
