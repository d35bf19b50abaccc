"""The functions of a torch network, traced and written as ONNX graphs with dynamic axes.

One file a graph. The graphs hold for any batch, text length and number of labels. This module knows
the graph table and the network; it knows no family.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import torch
from torch import nn

from onepass.backends.base import FIXED_AXES, Graph
from onepass.errors import MissingExtra

OPSET = 17
_EXPORTING = Lock()  # the exporter notes that it is at work for the whole process

# Sizes of the example inputs: all different, so that no axis is taken for another.
_SIZES = {
    "batch": 2, "pieces": 16, "words": 5, "depth": 3, "markers": 4, "groups": 10, "items": 6,
    "steps": 7, "queries": 8, "labels": 9, "types": 11, "spans": 12, "pairs": 13, "two": 2,
    "class_pieces": 15, "records": 3, "fields": 4, "values": 14, "four": 4, "places": 6,
    "candidates": 17,
}  # fmt: skip


class _Function(nn.Module):
    """A function of a network as a module, which is what the exporter takes."""

    def __init__(self, network: nn.Module, function: Callable[..., Any]) -> None:
        super().__init__()
        self.network = network
        self.function = function

    def forward(self, *inputs: torch.Tensor) -> Any:
        return self.function(*inputs)


def export_graphs(
    network: nn.Module,
    functions: Mapping[str, Callable[..., Any]],
    graphs: Sequence[Graph],
    directory: Path,
    *,
    hidden: int,
    in_parts: bool = False,
) -> None:
    """Write every graph into a directory, as ``NAME.onnx``.

    Threads may do so at the same time; they wait for each other.

    Args:
        network: in inference mode.
        functions: graph name to function of the network.
        graphs: what to write.
        directory: exists.
        hidden: size of the checkpoint's vectors.
        in_parts: whether wide feed-forwards are computed in parts, which is faster in fp32; their
            weights are cut then (`onepass.nn.graphs.feed_forward`).

    Raises:
        MissingExtra: if the package ``onnx`` is not installed.
    """
    try:
        import onnx  # noqa: F401  the exporter needs it
    except ImportError as error:
        raise MissingExtra("Writing ONNX graphs", "torch") from error
    for graph in graphs:
        with _EXPORTING:
            _export_graph(_Function(network, functions[graph.name]), graph, directory, hidden)
            _finish(directory / f"{graph.name}.onnx", in_parts=in_parts)


def _export_graph(module: nn.Module, graph: Graph, directory: Path, hidden: int) -> None:
    sizes = {**_SIZES, **graph.sizes, "hidden": hidden}
    generator = torch.Generator().manual_seed(0)
    inputs = []
    for name, axes in graph.inputs.items():
        shape = [sizes[axis] for axis in axes]
        if axes[-1] == "hidden" or name in graph.floats:
            inputs.append(torch.randn(shape, generator=generator))
        elif name.endswith("mask"):
            inputs.append(torch.ones(shape, dtype=torch.int64))
        elif axes == ("steps",):
            inputs.append(torch.arange(shape[0]))
        elif name.endswith("_counts"):  # of what the name says: rows that are full
            inputs.append(torch.full(shape, sizes[name.removesuffix("_counts") + "s"]))
        elif name == "segments":
            inputs.append(torch.randint(0, 3, shape, generator=generator))
        else:  # positions and ids: small enough for every size above
            inputs.append(torch.randint(0, 5, shape, generator=generator))
    every = {**graph.inputs, **graph.outputs}
    dynamic = {
        name: {i: axis for i, axis in enumerate(axes) if axis not in (*FIXED_AXES, *graph.sizes)}
        for name, axes in every.items()
    }
    with warnings.catch_warnings(), torch.no_grad():
        # The tracing exporter is deprecated; the new one takes far longer and its graphs
        # run 15 % slower here (docs/decisions.md).
        warnings.simplefilter("ignore")
        torch.onnx.export(
            module.eval(),
            tuple(inputs),
            str(directory / f"{graph.name}.onnx"),
            input_names=list(graph.inputs),
            output_names=list(graph.outputs),
            dynamic_axes=dynamic,
            opset_version=OPSET,
            dynamo=False,
        )


def _finish(path: Path, *, in_parts: bool) -> None:
    """Put into a graph what the exporter cannot write."""
    import onnx

    from onepass.nn.graphs.branches import add_branches
    from onepass.nn.graphs.feed_forward import split_feed_forwards

    model = onnx.load(path, load_external_data=False)
    changed = add_branches(model)
    if in_parts:
        changed |= split_feed_forwards(model) > 0
    if changed:
        onnx.save(model, path)
