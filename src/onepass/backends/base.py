"""What runs a graph: named arrays in, arrays out. The seam between programs and runtimes."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from onepass.arrays import Array
from onepass.backends.cpu import has_int8_products, has_unsigned_products
from onepass.errors import BackendError, RunFailed

IS_LONG = ".is_long"  # ends the name of a tensor that says which order of work suits a text

# Files beside NAME.onnx, see `onepass.nn.graphs.quantize`:
PRODUCTS = ".products.onnx"  # the form of the graph whose products are of integers
UNSIGNED = ".unsigned.onnx"  # the same with weights above zero
WEIGHTS = ".weights"  # what all forms read their weights from
MANIFEST = "graphs.json"  # says what the graphs beside it were made of

# What C++ (its name of the error differs between compilers), systems, ONNX Runtime and Python say.
_NO_MEMORY = re.compile(
    "std::bad_alloc|bad allocation|(Cannot|Failed to|Unable to) allocate memory|Not enough memory"
    "|MemoryError",
    re.IGNORECASE,
)

# Sizes that a checkpoint fixes, or that are what they are called; all others may change.
FIXED_AXES = ("hidden", "width", "counts", "four", "three", "two")


class Rows(Protocol):
    """What a graph returned and others take, wherever it is: an array, or memory of a device."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Return the size of each axis."""

    def __len__(self) -> int:
        """Return the number of rows."""

    def __getitem__(self, rows: Array | slice, /) -> Any:
        """Return some of the rows, as `Rows` of the same kind."""


Input = Array | Rows


@dataclass(frozen=True, slots=True)
class Graph:
    """One function of a checkpoint.

    Attributes:
        name: by which `Backend.run` finds it.
        inputs: name to axes, in the order of the network's arguments.
        outputs: name to axes.
        exportable: whether it can be written as ONNX; a checkpoint with one that cannot runs in
            torch only.
        kept: outputs that only other graphs read; a backend with memory of its own leaves them
            there, and returns `Rows`.
        floats: inputs of float32 whose last axis is not "hidden".
        sizes: further axes that a checkpoint fixes, beside `FIXED_AXES`.

    >>> Graph("double", inputs={"x": ("batch", "hidden")}, outputs={"y": ("batch", "hidden")}).name
    'double'
    """

    name: str
    inputs: Mapping[str, tuple[str, ...]]
    outputs: Mapping[str, tuple[str, ...]]
    exportable: bool = True
    kept: frozenset[str] = frozenset()
    floats: frozenset[str] = frozenset()
    sizes: Mapping[str, int] = field(default_factory=dict)


class Backend(Protocol):
    """Runs the graphs of one checkpoint; safe to use from several threads."""

    @property
    def name(self) -> str:
        """Return "onnx", "openvino" or "torch"."""

    @property
    def precision(self) -> str:
        """Return the number format that it computes with, or int8 for weights that are kept so."""

    def run(self, graph: str, inputs: Mapping[str, Input]) -> tuple[Any, ...]:
        """Return the outputs of a graph: arrays, and `Rows` for those that it declares as kept.

        Args:
            graph: its name.
            inputs: one array for each input, integers of int64 and floats of float32; or what `run`
                returned.
        """


def check_files(directory: Path, graphs: Sequence[Graph]) -> None:
    """Refuse a directory that lacks the file of a graph.

    Args:
        directory: of an export, with ``NAME.onnx`` for each graph.
        graphs: of the family.

    Raises:
        BackendError: that names those that are missing.
    """
    missing = [g.name for g in graphs if not (directory / f"{g.name}.onnx").is_file()]
    if missing:
        raise BackendError(
            f"{directory} lacks the graphs {', '.join(missing)}; "
            "run  onepass export  on the checkpoint again."
        )


def cannot_run(path: Path, error: Exception) -> BackendError:
    """Return what is said of a file that a runtime refuses, or has no memory to open."""
    return BackendError(
        _without_memory(path, error)
        or f"{path} cannot be run ({_first_line(error)}); run  onepass export  on the checkpoint "
        "again."
    )


def run_failed(path: Path, error: Exception) -> RunFailed:
    """Return what is said of a file that a runtime opened, and that fails on some inputs."""
    return RunFailed(
        _without_memory(path, error)
        or f"{path} fails on the text ({_first_line(error)}); leave that text out, or run  onepass "
        "export  on the checkpoint again."
    )


def _without_memory(path: Path, error: Exception) -> str:
    """Return what is said where an error tells of too little memory, nothing where it does not."""
    found = _NO_MEMORY.search(f"{type(error).__name__}: {error}")
    if found is None:
        return ""
    return (
        f"{path} needs more memory than there is ({found[0]}); free some, or use less: threads=1 "
        "(--threads 1), fewer processes (--workers), precision int8, a smaller checkpoint, fewer "
        "labels or shorter texts."
    )


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def integer_form(features: Collection[str] | None) -> str | None:
    """Return how files of graphs end whose products of integers are fast on a CPU, and exact.

    Args:
        features: of the CPU, see `onepass.backends.cpu.cpu`.

    Returns:
        None if there are none.

    >>> integer_form(["avx2", "avx512_vnni"]), integer_form(["avx2"]), integer_form(None)
    ('.products.onnx', '.unsigned.onnx', None)
    """
    if has_int8_products(features):
        return PRODUCTS
    return UNSIGNED if has_unsigned_products(features) else None
