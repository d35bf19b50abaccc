"""ONNX graphs with their weights in eight bits, one scale a column; the arithmetic stays in fp32.

A matrix that is stored as int8 is multiplied by its scales when the session opens, so a file is a
quarter of the size and results do not depend on what else is in the batch, which they do where
activations are quantized as well. Rows of an embedding are scaled after they were looked up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

_SMALLEST = 4096  # numbers in a tensor that is worth it


def quantize_file(source: Path, target: Path) -> None:
    """Write a graph with int8 weights."""
    model = onnx.load(source)
    quantize_weights(model)
    onnx.save(model, target)


def quantize_weights(model: onnx.ModelProto) -> None:
    """Replace the large fp32 matrices of a graph by int8 ones and what restores them, in place."""
    graph = model.graph
    users: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for used in set(node.input):
            users[used].append(node)
    nodes: list[onnx.NodeProto] = []
    for tensor in list(graph.initializer):
        values = numpy_helper.to_array(tensor)
        if values.dtype != np.float32 or values.ndim < 2 or values.size < _SMALLEST:
            continue
        name = tensor.name
        row_wise = all(_looks_up_rows(node, name) for node in users[name])
        # (rows, 1) for a table that rows are taken from, else one scale for each last-axis column;
        # stacked weights of recurrent layers have their outputs on the axis before the last.
        axis = -1 if row_wise or _outputs_first(users[name]) else -2
        scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / 127.0
        small = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
        graph.initializer.remove(tensor)
        graph.initializer.append(numpy_helper.from_array(small, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
        if row_wise:
            for gather in users[name]:
                _restore_rows(graph, gather, name)
        else:
            cast = helper.make_node(
                "Cast", [f"{name}.int8"], [f"{name}.cast"], to=onnx.TensorProto.FLOAT
            )
            restore = helper.make_node("Mul", [f"{name}.cast", f"{name}.scale"], [name])
            nodes += [cast, restore]
    for node in reversed(nodes):
        graph.node.insert(0, node)


def _looks_up_rows(node: onnx.NodeProto, name: str) -> bool:
    """Return whether a node takes rows of a weight and does nothing else with it."""
    axis = next((a.i for a in node.attribute if a.name == "axis"), 0)
    return bool(node.op_type == "Gather" and node.input[0] == name and axis == 0)


def _outputs_first(users: Sequence[onnx.NodeProto]) -> bool:
    """Return whether a weight has its outputs on the axis before the last."""
    for node in users:
        transposed = any(a.name == "transB" and a.i for a in node.attribute)
        if node.op_type in ("GRU", "LSTM") or (node.op_type == "Gemm" and transposed):
            return True
    return False


def _restore_rows(graph: onnx.GraphProto, gather: onnx.NodeProto, name: str) -> None:
    """Look up int8 rows and their scales, and multiply."""
    place = list(graph.node).index(gather)
    out = gather.output[0]
    graph.node.remove(gather)
    attributes = {a.name: helper.get_attribute_value(a) for a in gather.attribute}
    indices = gather.input[1]
    added = [
        helper.make_node("Gather", [f"{name}.int8", indices], [f"{out}.int8"], **attributes),
        helper.make_node("Cast", [f"{out}.int8"], [f"{out}.cast"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Gather", [f"{name}.scale", indices], [f"{out}.scale"], **attributes),
        helper.make_node("Mul", [f"{out}.cast", f"{out}.scale"], [out]),
    ]
    for node in reversed(added):
        graph.node.insert(place, node)
