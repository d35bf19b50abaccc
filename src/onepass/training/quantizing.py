"""Layers that compute in training as the graphs in eight bits will, so that little is lost there.

Weights, rows of embeddings and what goes into the products of `onepass.nn.graphs.rounding.PARTS`
are rounded to the steps that `onepass.nn.graphs.rounding` and `onepass.nn.graphs.products` give
them; gradients pass as if nothing had been rounded (straight-through,
https://arxiv.org/abs/1712.05877). Recurrent layers stay exact. It
knows torch layers, no model.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.graphs.rounding import LEAST, LOPSIDED, PARTS, SHARE, SMALLEST, STEPS


def quantize_layers(network: nn.Module) -> None:
    """Replace the linear layers and embeddings of a network by rounding ones, in place.

    Their parameters stay the same objects, in the same order.

    >>> network = nn.Sequential(nn.Linear(2, 1, bias=False))
    >>> with torch.no_grad():
    ...     _ = network[0].weight.copy_(torch.tensor([[1.0, 0.4]]))
    >>> quantize_layers(network)
    >>> round(network(torch.tensor([[0.0, 127.0]])).item(), 4)  # 0.4 is nearest to 51 of 127 steps
    51.0
    """
    for name, module in list(network.named_modules()):
        for child_name, child in list(module.named_children()):
            rounding: nn.Module
            if type(child) is nn.Linear:
                is_product = any(part in f"{name}.{child_name}" for part in PARTS)
                rounding = _Product(child) if is_product else _Weights(child)
            elif type(child) is nn.Embedding:
                rounding = _Rows(child)
            else:
                continue
            setattr(module, child_name, rounding)


class _Straight(torch.autograd.Function):
    """Rounded values whose gradient is that of the values."""

    @staticmethod
    def forward(ctx: Any, values: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
        return rounded

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> tuple[torch.Tensor, None]:
        return gradients[0], None


class _Weights(nn.Linear):
    """A linear layer with one scale for the weights of each output."""

    def __init__(self, layer: nn.Linear) -> None:
        has_bias = layer.bias is not None
        super().__init__(layer.in_features, layer.out_features, has_bias, device="meta")
        self.weight, self.bias = layer.weight, layer.bias

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return functional.linear(x, _straight(self.weight, _even(self.weight.detach())), self.bias)


class _Product(_Weights):
    """A linear layer whose inputs have one scale a row, too."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen, weight = x.detach(), self.weight.detach()
        factors = _factors(seen, weight)  # (in)
        small = _inputs(seen / factors).mul_(factors)
        weight = _even(weight * factors) / factors
        return functional.linear(_straight(x, small), _straight(self.weight, weight), self.bias)


class _Rows(nn.Embedding):
    """An embedding whose rows have a scale each."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__(table.num_embeddings, table.embedding_dim, device="meta")
        self.padding_idx = table.padding_idx
        self.weight = table.weight

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        rows = super().forward(ids)
        return _straight(rows, _even(rows.detach()))


def _straight(values: torch.Tensor, rounded: torch.Tensor) -> torch.Tensor:
    result: torch.Tensor = _Straight.apply(values, rounded)
    return result


def _even(values: torch.Tensor) -> torch.Tensor:
    """Round to steps of the largest magnitude in the last axis."""
    step = values.abs().amax(-1, keepdim=True).clamp_(min=LEAST) / STEPS
    return (values / step).round_().mul_(step)


def _inputs(values: torch.Tensor) -> torch.Tensor:
    """Round rows as the graphs do: those that are hardly negative over their own range."""
    low, high = values.amin(-1, keepdim=True), values.amax(-1, keepdim=True)  # aminmax is slower
    largest = torch.maximum(-low, high).clamp_(min=LEAST)
    is_lopsided = -low < LOPSIDED * largest
    step = torch.where(is_lopsided, (high - low) / (2 * STEPS + 1), largest / STEPS)
    step = step.clamp_(min=LEAST)
    bottom = torch.where(is_lopsided, low, torch.zeros_like(low))
    return (values - bottom).div_(step).round_().mul_(step).add_(bottom)


def _factors(x: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    """Return (in) what inputs are divided by, from those of this batch (SmoothQuant, equation 4).

    Args:
        x: (..., in).
        weight: (out, in).
    """
    inputs = _raised(x.flatten(0, -2).abs().amax(0).float())
    weights = _raised(weight.abs().amax(0).float())
    return (inputs**SHARE / weights ** (1 - SHARE)).to(x.dtype)


def _raised(largest: torch.Tensor) -> torch.Tensor:
    """Return largest values, of which none is next to nothing."""
    return torch.maximum(largest, (SMALLEST * largest.mean()).clamp(min=LEAST))
