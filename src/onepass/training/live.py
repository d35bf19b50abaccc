"""The network that is being trained, as a backend: on its device, without gradients."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from onepass.arrays import Array
from onepass.backends.base import Graph, Input


class LiveBackend:
    """Runs the functions of a network wherever it is.

    Unlike `onepass.backends.torch.TorchBackend` it leaves no tensor behind that a later backward
    pass could not use.

    Args:
        functions: graph name to function.
        graphs: of the checkpoint; their inputs give the order of the arguments.
        network: whose functions they are.
    """

    name = "torch"
    precision = "fp32"

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        graphs: Sequence[Graph],
        network: torch.nn.Module,
    ) -> None:
        self._functions = dict(functions)
        self._inputs = {graph.name: tuple(graph.inputs) for graph in graphs}
        self._device = next(network.parameters()).device

    def run(self, graph: str, inputs: Mapping[str, Input]) -> tuple[Array, ...]:
        """Return the outputs of a graph; see `onepass.backends.base.Backend`."""
        arguments = [
            torch.tensor(inputs[name], device=self._device) for name in self._inputs[graph]
        ]
        with torch.no_grad():
            out = self._functions[graph](*arguments)
        return tuple(t.float().cpu().numpy() for t in (out if isinstance(out, tuple) else (out,)))
