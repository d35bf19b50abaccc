"""What runs a graph: named arrays in, arrays out. The seam between programs and runtimes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Floats = NDArray[np.float32]

# Sizes that a checkpoint fixes, or that are what they are called; all others may change.
FIXED_AXES = ("hidden", "width", "counts", "three", "two")


@dataclass(frozen=True, slots=True)
class Graph:
    """One function of a checkpoint.

    Attributes:
        name: by which `Backend.run` finds it.
        inputs: name to axes, in the order of the network's arguments.
        outputs: name to axes.
        exportable: whether it can be written as ONNX; a checkpoint with one that cannot runs in
            torch only.

    >>> Graph("double", inputs={"x": ("batch", "hidden")}, outputs={"y": ("batch", "hidden")}).name
    'double'
    """

    name: str
    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[str, ...]]
    exportable: bool = True


class Backend(Protocol):
    """Runs the graphs of one checkpoint; safe to use from several threads."""

    @property
    def name(self) -> str:
        """Return "onnx" or "torch"."""

    @property
    def precision(self) -> str:
        """Return the number format that weights are kept in."""

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """Return the outputs of a graph.

        Args:
            graph: its name.
            inputs: one array for each input; integers are int64, floats float32.
        """
