"""Torch: the network itself, on the CPU or a GPU.

Arrays are copied to the device before a graph runs and back after it; between the two nothing waits
for the device.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from onepass.backends.base import Array, Graph
from onepass.errors import BackendError

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def resolve_device(device: str, precision: str) -> str:
    """Return where a network runs.

    Args:
        device: "auto", "cpu" or "cuda"; "auto" is the GPU where torch finds one.
        precision: one of `DTYPES`.

    Raises:
        BackendError: for a GPU that is not there, or numbers that it does not compute with.

    >>> resolve_device("cpu", "bf16")
    'cpu'
    """
    there = torch.cuda.is_available()
    if device == "cuda" and not there:
        raise BackendError(
            "Torch finds no CUDA device here; leave device at 'auto', or install a torch with CUDA."
        )
    found = ("cuda" if there else "cpu") if device == "auto" else device
    if precision == "fp16" and found == "cpu":
        raise BackendError(
            "fp16 runs on a GPU only, and this is a CPU; ask for precision='fp32' or 'bf16'."
        )
    return found


class TorchBackend:
    """Runs the functions of a torch network.

    Args:
        functions: graph name to function; the network is on ``device`` and has the numbers of
            ``precision`` already.
        graphs: of the family; their inputs give the order of the arguments.
        precision: "fp32", "bf16" or "fp16".
        device: "cpu" or "cuda".
        threads: for one run, of all torch in this process; None leaves torch's own choice.
        compiled: whether `torch.compile` makes kernels of each function when it first runs.

    >>> import numpy as np
    >>> graph = Graph("double", inputs={"x": ("batch",)}, outputs={"y": ("batch",)})
    >>> TorchBackend({"double": lambda x: 2 * x}, [graph]).run("double", {"x": np.array([1, 2])})
    (array([2, 4]),)
    """

    name = "torch"

    def __init__(
        self,
        functions: Mapping[str, Callable[..., Any]],
        graphs: Sequence[Graph],
        *,
        precision: str = "fp32",
        device: str = "cpu",
        threads: int | None = None,
        compiled: bool = False,
    ) -> None:
        self.precision = precision
        self._device = device
        self._dtype = DTYPES[precision]
        self._functions = dict(functions)
        if compiled:  # dynamic: a new length must not mean a new compilation
            self._functions = {n: torch.compile(f, dynamic=True) for n, f in functions.items()}
        self._inputs = {graph.name: tuple(graph.inputs) for graph in graphs}
        if threads:
            torch.set_num_threads(threads)

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """Return the outputs of a graph; see `onepass.backends.base.Backend`."""
        with torch.inference_mode(), self._mixed():
            arguments = [self._to_device(inputs[name]) for name in self._inputs[graph]]
            out = self._functions[graph](*arguments)
        outs = out if isinstance(out, tuple) else (out,)
        return tuple(_to_array(one) for one in outs)

    def _to_device(self, array: Array) -> torch.Tensor:
        tensor = torch.from_numpy(array)
        dtype = self._dtype if tensor.is_floating_point() else tensor.dtype
        return tensor.to(device=self._device, dtype=dtype, non_blocking=True)

    def _mixed(self) -> AbstractContextManager[Any]:
        """Let products have one kind of number where a function makes constants of fp32."""
        if self._dtype is torch.float32:
            return nullcontext()
        return torch.autocast(self._device, dtype=self._dtype)


def _to_array(tensor: torch.Tensor) -> Array:
    array: Array = (tensor.float() if tensor.is_floating_point() else tensor).cpu().numpy()
    return array
