"""Graphs of a checkpoint in eight bits: rounded for typical texts, and compared with exact ones.

It knows a model and its graphs. Which texts are typical and what a loss is, callers say.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepass.arrays import Array
from onepass.backends.base import Graph, Input, integer_form
from onepass.backends.cpu import cpu
from onepass.backends.onnx import OnnxBackend
from onepass.errors import BackendError
from onepass.models.family import Model
from onepass.models.reader import Reader

ReadSample = Callable[[Reader], None]  # lets it read some texts
MeasureLoss = Callable[[Reader, Reader], Mapping[str, Any]]  # of the second against the first


@dataclass(frozen=True, slots=True)
class Reduction:
    """How graphs in eight bits are made.

    Attributes:
        products: whether the products of the backbone are computed in eight bits, too; else all is
            computed in fp32, from weights in eight bits.
        sample: lets a reader read typical texts, for which weights are rounded; None rounds each to
            the nearest.
        check: measures what the new graphs lose, for the manifest, and raises if it is too much.

    >>> Reduction().products
    True
    """

    products: bool = True
    sample: ReadSample | None = None
    check: MeasureLoss | None = None


def reduce_graphs(
    model: Model, graphs: Sequence[Graph], exact: Path, target: Path, how: Reduction
) -> dict[str, Any]:
    """Write graphs in eight bits.

    Args:
        model: an opened checkpoint.
        graphs: of its family.
        exact: directory of its graphs in fp32.
        target: directory that is written to; exists.
        how: see `Reduction`.

    Returns:
        What the manifest says about them: ``arithmetic`` ("int8" or "fp32") and ``checked``.

    Raises:
        BackendError: if a loss is to be measured on a CPU that does not compute like this; and
            what ``how.check`` raises.
    """
    if how.check is not None and how.products and integer_form(cpu()[1]) is None:
        raise BackendError(
            "This CPU has no int8 products (it would need AVX2, AVX-VNNI or the like), so "
            "their loss cannot be measured here; use products=False (--weights-only), or another "
            "machine."
        )
    from onepass.nn.graphs.quantize import (
        quantize_file,  # needs the package onnx, which an extra brings
    )

    runs = _recorded(model, graphs, exact, how.sample)
    for graph in graphs:
        name = f"{graph.name}.onnx"
        quantize_file(exact / name, target / name, runs.get(graph.name, ()), products=how.products)
    said: dict[str, Any] = {"arithmetic": "int8" if how.products else "fp32"}
    if how.check is not None:
        full, small = (OnnxBackend(directory, graphs) for directory in (exact, target))
        said["checked"] = dict(how.check(Reader(model, full), Reader(model, small)))
    return said


class _Recorder:
    """A backend that keeps what its graphs are given."""

    name = "onnx"
    precision = "fp32"

    def __init__(self, inner: OnnxBackend) -> None:
        self._inner = inner
        self.runs: dict[str, list[Mapping[str, Any]]] = {}

    def run(self, graph: str, inputs: Mapping[str, Input]) -> tuple[Array, ...]:
        """Return the outputs of a graph."""
        self.runs.setdefault(graph, []).append(inputs)
        return self._inner.run(graph, inputs)


def _recorded(
    model: Model, graphs: Sequence[Graph], exact: Path, sample: ReadSample | None
) -> Mapping[str, Sequence[Mapping[str, Array]]]:
    """Return the inputs of each graph that reading typical texts leads to."""
    if sample is None:
        return {}
    recorder = _Recorder(OnnxBackend(exact, graphs))
    sample(Reader(model, recorder))
    return recorder.runs
