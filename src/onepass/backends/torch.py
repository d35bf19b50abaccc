"""Torch: the network itself, on the CPU or a GPU.

Arrays are copied to the device before a graph runs and back after it; between the two nothing waits
for the device. What a graph declares as kept stays there until another graph reads it. Products of
fp32 are exact on a GPU as well: torch's default there, which leaves TF32 off, is not changed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from onepass.arrays import Array
from onepass.backends.base import Graph, Input
from onepass.errors import BackendError
from onepass.nn.device import moved

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


@dataclass(frozen=True, slots=True, eq=False)
class DeviceRows:
    """A tensor that stays on its device; see `onepass.backends.base.Rows`.

    >>> DeviceRows(torch.ones(3, 2))[1:].shape
    (2, 2)
    """

    tensor: torch.Tensor

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the size of each axis."""
        return tuple(self.tensor.shape)

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.tensor)

    def __getitem__(self, rows: Array | slice) -> DeviceRows:
        """Return some of the rows, without waiting for the device."""
        with torch.inference_mode():
            if isinstance(rows, slice):
                return DeviceRows(self.tensor[rows])
            return DeviceRows(self.tensor[moved(rows, self.tensor.device)])


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
        keep: whether outputs that graphs declare as kept stay on the device; None for a GPU only.

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
        keep: bool | None = None,
    ) -> None:
        self.precision = precision
        self._device = torch.device(device)
        self._dtype = DTYPES[precision]
        self._functions = dict(functions)
        if compiled:  # dynamic: a new length must not mean a new compilation
            self._functions = {n: torch.compile(f, dynamic=True) for n, f in functions.items()}
        self._inputs = {graph.name: tuple(graph.inputs) for graph in graphs}
        if keep is None:
            keep = self._device.type != "cpu"
        self._kept = {
            graph.name: tuple(keep and name in graph.kept for name in graph.outputs)
            for graph in graphs
        }
        if threads:
            torch.set_num_threads(threads)

    def run(self, graph: str, inputs: Mapping[str, Input]) -> tuple[Any, ...]:
        """Return the outputs of a graph; see `onepass.backends.base.Backend`."""
        with torch.inference_mode(), self._mixed():
            arguments = [self._argument(inputs[name]) for name in self._inputs[graph]]
            out = self._functions[graph](*arguments)
            outs = out if isinstance(out, tuple) else (out,)
            return _answers(outs, self._kept[graph], self._dtype)

    def _argument(self, given: Input) -> torch.Tensor:
        if isinstance(given, DeviceRows):
            return given.tensor
        tensor = moved(np.asarray(given), self._device)
        return tensor.to(self._dtype) if tensor.is_floating_point() else tensor

    def _mixed(self) -> AbstractContextManager[Any]:
        """Let products have one kind of number where a function makes constants of fp32."""
        if self._dtype is torch.float32:
            return nullcontext()
        return torch.autocast(self._device.type, dtype=self._dtype)


def _answers(
    outs: Sequence[torch.Tensor], kept: Sequence[bool], dtype: torch.dtype
) -> tuple[Any, ...]:
    """Return arrays in fp32 or integers, and `DeviceRows` for what is kept; waits once for all."""
    answers: list[Any] = []
    waiting = False
    for out, keep in zip(outs, kept, strict=True):
        if keep:
            answers.append(DeviceRows(out.to(dtype) if out.is_floating_point() else out))
            continue
        full = out.float() if out.is_floating_point() else out
        if full.is_cuda:
            waiting = True
            full = torch.empty_like(full, device="cpu", pin_memory=True).copy_(
                full, non_blocking=True
            )
        answers.append(full.numpy())
    if waiting:
        torch.cuda.current_stream().synchronize()
    return tuple(answers)
