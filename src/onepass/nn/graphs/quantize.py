"""ONNX graphs with their weights in eight bits, in forms that share them.

``NAME.onnx`` restores the weights when it is opened and computes in fp32: any runtime on any CPU
runs it. ``NAME.products.onnx`` computes the products of its backbone from integers
(`onepass.nn.graphs.products`) and attends by one operation (`onepass.nn.graphs.fused_attention`),
which ONNX Runtime alone has. ``NAME.unsigned.onnx`` does so with unsigned weights, for CPUs on
which products of signed ones overflow. All read the weights from ``NAME.weights``, so that the
other forms cost next to no space. Rows of an embedding are scaled after they were looked up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onepass.arrays import Array
from onepass.backends.base import PRODUCTS, UNSIGNED, WEIGHTS
from onepass.nn.graphs.constants import LARGE, lift_constants, read_by
from onepass.nn.graphs.fused_attention import fuse_attention
from onepass.nn.graphs.product_inputs import product_moments
from onepass.nn.graphs.products import (
    find_products,
    make_unsigned,
    put_weight,
    quantize_products,
)
from onepass.nn.graphs.rounding import Moments, Rounded, round_matrix
from onepass.nn.graphs.shared_weights import save_sharing


def quantize_file(
    source: Path,
    target: Path,
    runs: Iterable[Mapping[str, Array]] = (),
    *,
    products: bool = False,
) -> None:
    """Write a graph with int8 weights.

    Args:
        source: a graph in fp32.
        target: ``NAME.onnx``.
        runs: inputs of the graph, by name, for each of a few runs on typical texts: weights are
            rounded so that these change little.
        products: whether to write the forms with products of integers as well, if there are any.
    """
    model = onnx.load(source)
    lift_constants(model.graph)
    moments = product_moments(model, runs)
    rounded = _rounded(model.graph, moments, every=products)
    forms = {}
    if products and rounded:
        fast = onnx.ModelProto()
        fast.CopyFrom(model)
        quantize_products(fast, rounded)
        fuse_attention(fast)
        quantize_weights(fast)
        forms[target.with_suffix(PRODUCTS)] = fast
        unsigned = onnx.ModelProto()
        unsigned.CopyFrom(fast)
        make_unsigned(unsigned)
        forms[target.with_suffix(UNSIGNED)] = unsigned
    quantize_weights(model, rounded)
    forms[target] = model
    if len(forms) == 1:
        onnx.save(model, target)
    else:
        save_sharing(forms, target.with_suffix(WEIGHTS))


def _rounded(
    graph: onnx.GraphProto, moments: Mapping[str, Moments], *, every: bool
) -> dict[str, Rounded]:
    """Return the weights of products in eight bits, by name.

    Args:
        graph: in fp32.
        moments: of the inputs of some, by the name of the weight.
        every: whether those without moments are wanted, too.
    """
    found = {
        name: node.input[0]
        for name, node in find_products(graph).items()
        if every or name in moments
    }
    values = {t.name: numpy_helper.to_array(t) for t in graph.initializer if t.name in found}
    return {
        name: round_matrix(
            values[name],
            moments.get(name),
            [values[other] for other, x in found.items() if x == found[name] and other != name],
        )
        for name in found
    }


def quantize_weights(model: onnx.ModelProto, rounded: Mapping[str, Rounded] | None = None) -> None:
    """Replace the large fp32 matrices of a graph by int8 ones and what restores them, in place.

    Args:
        model: any graph.
        rounded: matrices that are in eight bits already, by name.
    """
    graph = model.graph
    users: dict[str, list[onnx.NodeProto]] = defaultdict(list)
    for node in graph.node:
        for used in read_by(node):
            users[used].append(node)
    nodes: list[onnx.NodeProto] = []
    for tensor in list(graph.initializer):
        name = tensor.name
        if rounded and name in rounded:
            graph.initializer.remove(tensor)
            put_weight(graph, name, rounded[name])
            nodes += _restore_matrix(name, has_factors=rounded[name].factors is not None)
        elif _is_large(tensor):
            nodes += _replace(graph, tensor, users[name])
    for node in reversed(nodes):
        graph.node.insert(0, node)


def _is_large(tensor: onnx.TensorProto) -> bool:
    large = len(tensor.dims) >= 2 and int(np.prod(tensor.dims)) >= LARGE
    return large and tensor.data_type == onnx.TensorProto.FLOAT


def _replace(
    graph: onnx.GraphProto, tensor: onnx.TensorProto, users: Sequence[onnx.NodeProto]
) -> list[onnx.NodeProto]:
    """Put a tensor in eight bits into the place of a weight; return what restores all of it."""
    name, values = tensor.name, numpy_helper.to_array(tensor)
    row_wise = all(_looks_up_rows(node, name) for node in users)
    # (rows, 1) for a table that rows are taken from, else one scale for each last-axis column;
    # stacked weights of recurrent layers have their outputs on the axis before the last.
    axis = -1 if row_wise or _outputs_first(users) else -2
    scale = np.maximum(np.abs(values).max(axis=axis, keepdims=True), 1e-12) / 127.0
    small = np.clip(np.rint(values / scale), -127, 127).astype(np.int8)
    graph.initializer.remove(tensor)
    graph.initializer.append(numpy_helper.from_array(small, f"{name}.int8"))
    graph.initializer.append(numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale"))
    if not row_wise:
        return _restore_matrix(name, has_factors=False)
    for gather in users:
        _restore_rows(graph, gather, name)
    return []


def _restore_matrix(name: str, *, has_factors: bool) -> list[onnx.NodeProto]:
    """Return nodes that compute a weight; they run once, when the session opens."""
    columns = f"{name}.columns" if has_factors else name
    nodes = [
        helper.make_node("Cast", [f"{name}.int8"], [f"{name}.cast"], to=onnx.TensorProto.FLOAT),
        helper.make_node("Mul", [f"{name}.cast", f"{name}.scale"], [columns]),
    ]
    if has_factors:
        axis = numpy_helper.from_array(np.array([1], np.int64))
        nodes += [
            helper.make_node("Constant", [], [f"{name}.axis"], value=axis),
            helper.make_node("Unsqueeze", [f"{name}.inverse", f"{name}.axis"], [f"{name}.rows"]),
            helper.make_node("Mul", [columns, f"{name}.rows"], [name]),
        ]
    return nodes


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
