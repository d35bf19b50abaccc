"""The network that a training step is computed with, in the precision of the step."""

from __future__ import annotations

import copy

import torch

from onepass.training.quantizing import quantize_layers

_HALVES = {"bf16": torch.bfloat16, "fp16": torch.float16}


class Working:
    """The trained network itself, or its copy in 16 bits or with rounding layers.

    With "bf16" and "fp16" the fp32 weights stay the truth (the optimizer works on them); each step
    runs wholly in a copy, which spares the conversions that autocast makes at every operation.

    Args:
        network: in fp32.
        precision: "bf16", "fp16" or "fp32".
        quantize: whether it computes as the graphs in eight bits will.
    """

    def __init__(self, network: torch.nn.Module, precision: str, *, quantize: bool = False) -> None:
        self.network = network
        half = _HALVES.get(precision)
        if half is not None or quantize:
            self.network = copy.deepcopy(network).train()
        if half is not None:
            self.network.to(half)
        if quantize:
            quantize_layers(self.network)
        self._truth: list[torch.Tensor] = list(network.parameters())
        self._own: list[torch.Tensor] = list(self.network.parameters())
        self._statistics = list(zip(_statistics(network), _statistics(self.network), strict=True))
        self._is_copy = self.network is not network

    def load(self) -> None:
        """Take the newest weights and forget the gradients."""
        for truth, own in zip(self._truth, self._own, strict=True):
            truth.grad = own.grad = None
        if self._is_copy:
            with torch.no_grad():
                torch._foreach_copy_(self._own, self._truth)

    def statistics(self) -> list[torch.Tensor]:
        """Return what the normalizations of the step's network have seen, without their counts."""
        return [own for _, own in self._statistics if own.is_floating_point()]

    def hand_over(self) -> None:
        """Give the gradients, and what normalizations have seen, to the optimizer's weights."""
        if self._is_copy:
            for truth, own in zip(self._truth, self._own, strict=True):
                truth.grad = None if own.grad is None else own.grad.float()
            for truth, own in self._statistics:
                truth.copy_(own)


def _statistics(network: torch.nn.Module) -> list[torch.Tensor]:
    """Return what the normalizations over a batch keep of the batches they have seen."""
    return [
        buffer
        for module in network.modules()
        if isinstance(module, torch.nn.BatchNorm1d)
        for buffer in module.buffers(recurse=False)
    ]
