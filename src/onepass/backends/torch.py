"""Torch: the network itself, in fp32 on the CPU."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch

from onepass.backends.base import Array, Graph


class TorchBackend:
    """Runs the functions of a torch network.

    Args:
        functions: graph name to function.
        graphs: of the family; their inputs give the order of the arguments.
        threads: for one run, process-wide; None leaves torch's own choice.

    >>> import numpy as np
    >>> graph = Graph("double", inputs={"x": ("batch",)}, outputs={"y": ("batch",)})
    >>> TorchBackend({"double": lambda x: 2 * x}, [graph]).run("double", {"x": np.array([1, 2])})
    (array([2, 4]),)
    """

    name = "torch"
    precision = "fp32"

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        graphs: Sequence[Graph],
        *,
        threads: int | None = None,
    ) -> None:
        self._functions = dict(functions)
        self._inputs = {graph.name: tuple(graph.inputs) for graph in graphs}
        if threads:
            torch.set_num_threads(threads)

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """Return the outputs of a graph; see `onepass.backends.base.Backend`."""
        arguments = [torch.from_numpy(inputs[name]) for name in self._inputs[graph]]
        with torch.inference_mode():
            out = self._functions[graph](*arguments)
        return tuple(t.numpy() for t in (out if isinstance(out, tuple) else (out,)))
