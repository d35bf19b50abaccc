"""Attention in an exported graph that goes by the length of the text: all heads at once or in turn.

The exporter writes one node for the attention of a layer of DeBERTa. Here it becomes an ``If`` with
both orders of `onepass.nn.backbones.disentangled`, which read the same tables. It knows graphs and
those two orders.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from onnx import helper

from onepass.backends.base import IS_LONG
from onepass.nn.backbones.disentangled import BLOCKS, DOMAIN, NODE, Order

LONG = 352  # pieces from which on one head comes after the other; with one thread it would be 256

_INPUTS = ("qkv", "bias", "key_table", "query_table", "by_query", "by_key")
_OUTPUT = "mixed"


def add_branches(model: onnx.ModelProto) -> bool:
    """Replace the nodes that stand for an attention, in place; return whether there were any.

    Args:
        model: as the exporter wrote it, opset 13 to 17.

    >>> add_branches(helper.make_model(helper.make_graph([], "g", [], [])))
    False
    """
    graph = model.graph
    standing = [node for node in graph.node if node.domain == DOMAIN and node.op_type == NODE]
    if not standing:
        return False
    opset = next(one.version for one in model.opset_import if one.domain in ("", "ai.onnx"))
    heads, size = (one.i for one in sorted(standing[0].attribute, key=lambda one: one.name))
    orders = {by_head: _order(heads, size, opset, by_head=by_head) for by_head in (True, False)}
    nodes: list[onnx.NodeProto] = []
    conditions: dict[str, str] = {}  # which tensor says whether a text is long, by what was asked
    for node in graph.node:
        if node.domain != DOMAIN:
            nodes.append(node)
            continue
        rows = node.input[_INPUTS.index("by_query")]
        if rows not in conditions:
            conditions[rows] = rows + IS_LONG
            nodes += _is_long(rows, conditions[rows])
        branches = {
            name: _branch(orders[by_head], node, name)
            for name, by_head in (("then_branch", True), ("else_branch", False))
        }
        nodes.append(
            helper.make_node(
                "If", [conditions[rows]], list(node.output), name=node.name, **branches
            )
        )
    del graph.node[:]
    graph.node.extend(nodes)
    kept = [one for one in model.opset_import if one.domain != DOMAIN]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return True


def _is_long(rows: str, name: str) -> list[onnx.NodeProto]:
    """Return nodes that compare the columns of (BLOCKS, columns) rows with those of a long text."""
    int64 = onnx.TensorProto.INT64
    last = helper.make_tensor(f"{name}.last", int64, [], [1])
    least = helper.make_tensor(f"{name}.least", int64, [], [LONG + LONG // BLOCKS])
    return [
        helper.make_node("Constant", [], [last.name], value=last),
        helper.make_node("Constant", [], [least.name], value=least),
        helper.make_node("Shape", [rows], [f"{name}.shape"]),
        helper.make_node("Gather", [f"{name}.shape", last.name], [f"{name}.columns"]),
        helper.make_node("GreaterOrEqual", [f"{name}.columns", least.name], [name]),
    ]


def _order(heads: int, size: int, opset: int, *, by_head: bool) -> onnx.GraphProto:
    """Return the graph of one order of work."""
    batch, pieces, distances = 2, 3 * BLOCKS, 7  # all of them but the last are dynamic
    columns = pieces + pieces // BLOCKS
    rows = torch.zeros(BLOCKS, columns, dtype=torch.int64)
    table = torch.zeros(heads, distances, size)
    examples = (
        torch.zeros(batch, pieces, 3 * heads * size), torch.zeros(batch, 1, pieces),
        table, table, rows, rows,
    )  # fmt: skip
    axes = {
        "qkv": {0: "batch", 1: "pieces"},
        "bias": {0: "batch", 2: "pieces"},
        "key_table": {1: "distances"},
        "query_table": {1: "distances"},
        "by_query": {1: "columns"},
        "by_key": {1: "columns"},
        _OUTPUT: {0: "batch", 1: "pieces"},
    }
    with TemporaryDirectory() as directory, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # as in onepass.nn.export
        torch.onnx.export(
            Order(heads, by_head=by_head).eval(),
            examples,
            Path(directory, "order.onnx"),
            input_names=list(_INPUTS),
            output_names=[_OUTPUT],
            dynamic_axes=axes,
            opset_version=opset,
            dynamo=False,
        )
        return onnx.load(Path(directory, "order.onnx")).graph


def _branch(order: onnx.GraphProto, node: onnx.NodeProto, branch: str) -> onnx.GraphProto:
    """Return an order of work with the inputs of a node, and names that no other branch has."""
    prefix = f"{node.output[0]}.{branch}."
    outer = dict(zip(_INPUTS, node.input, strict=True))
    inner = list(_renamed(order, outer, prefix))
    output = helper.make_tensor_value_info(f"{prefix}{_OUTPUT}", onnx.TensorProto.FLOAT, None)
    return helper.make_graph(inner, prefix.rstrip("."), [], [output])


def _renamed(
    order: onnx.GraphProto, outer: dict[str, str], prefix: str
) -> Iterator[onnx.NodeProto]:
    """Yield the nodes of an order, its initializers as constants."""
    for tensor in order.initializer:
        value = onnx.TensorProto()
        value.CopyFrom(tensor)
        yield helper.make_node("Constant", [], [prefix + tensor.name], value=value)
    for node in order.node:
        copied = onnx.NodeProto()
        copied.CopyFrom(node)
        copied.name = prefix + node.name
        names = [outer.get(name, prefix + name if name else "") for name in node.input]
        del copied.input[:], copied.output[:]
        copied.input.extend(names)
        copied.output.extend(prefix + name for name in node.output)
        yield copied
