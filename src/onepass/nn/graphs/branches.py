"""Attention in an exported graph that goes by the size of the batch: all heads at once or in turn.

The exporter writes one node for the attention of a layer of DeBERTa. Here it becomes an ``If`` of
`onepass.nn.backbones.disentangled`, with all heads at once, and `onepass.nn.graphs.by_head`, which
read the same tables. It knows graphs and those two orders of work.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import onnx
import torch
from onnx import helper

from onepass.backends.base import IS_LONG
from onepass.nn.backbones.disentangled import BLOCKS, DOMAIN, NODE, AllHeads
from onepass.nn.graphs.by_head import Nodes, Shared, attend_by_head, share

# Scores of a head, batch * pieces * pieces, from which on one head comes after the other: on two
# threads 0.91 of the speed with 64 * 64, 1.00 with 200 * 200, 1.07 with 8 * 128 * 128 and 1.15 with
# 400 * 400; on one thread a little more.
MANY = 50_000

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
    sizes = _Sizes(**{one.name: one.i for one in standing[0].attribute})
    all_heads = _all_heads(sizes, opset)
    nodes: list[onnx.NodeProto] = []
    known: dict[tuple[str, str, str], tuple[str, Shared]] = {}  # by bias and rows of distances
    for node in graph.node:
        if node.domain != DOMAIN:
            nodes.append(node)
            continue
        bias, (by_query, by_key) = node.input[1], node.input[-2:]
        if (bias, by_query, by_key) not in known:
            around = Nodes(f"{by_query}.{len(known)}.")
            shared = share(around, by_query, by_key, heads=sizes.heads, distances=sizes.distances)
            nodes += around.made
            nodes += _is_long(bias, shared.pieces, around.prefix.rstrip(".") + IS_LONG)
            known[bias, by_query, by_key] = around.prefix.rstrip(".") + IS_LONG, shared
        is_long, shared = known[bias, by_query, by_key]
        nodes.append(
            helper.make_node(
                "If",
                [is_long],
                list(node.output),
                name=node.name,
                then_branch=_one_by_one(node, shared, sizes),
                else_branch=_at_once(all_heads, node),
            )
        )
    del graph.node[:]
    graph.node.extend(nodes)
    kept = [one for one in model.opset_import if one.domain != DOMAIN]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return True


@dataclass(frozen=True, slots=True)
class _Sizes:
    """What is fixed of an attention: heads, rows of a table, size of a head."""

    heads: int
    distances: int
    size: int


def _is_long(bias: str, pieces: str, name: str) -> list[onnx.NodeProto]:
    """Return nodes that compare the size of (batch, 1, pieces) times (1,) pieces with `MANY`."""
    made = Nodes(f"{name}.")
    scores = made.add(
        "Mul", made.add("Size", bias), made.add("Squeeze", pieces, made.constant([0]))
    )
    made.made.append(helper.make_node("GreaterOrEqual", [scores, made.constant(MANY)], [name]))
    return made.made


def _one_by_one(node: onnx.NodeProto, shared: Shared, sizes: _Sizes) -> onnx.GraphProto:
    """Return one head after the other, in place of a node."""
    made = Nodes(f"{node.output[0]}.then_branch.")
    inputs = (node.input[0], node.input[1], node.input[2], node.input[3])
    mixed = attend_by_head(made, shared, inputs, heads=sizes.heads, size=sizes.size)
    return _graph(made.made, mixed)


def _at_once(order: onnx.GraphProto, node: onnx.NodeProto) -> onnx.GraphProto:
    """Return all heads at once, in place of a node, with names that no other branch has."""
    prefix = f"{node.output[0]}.else_branch."
    outer = dict(zip(_INPUTS, node.input, strict=True))
    return _graph(list(_renamed(order, outer, prefix)), prefix + _OUTPUT)


def _graph(nodes: list[onnx.NodeProto], mixed: str) -> onnx.GraphProto:
    output = helper.make_tensor_value_info(mixed, onnx.TensorProto.FLOAT, None)
    return helper.make_graph(nodes, f"{mixed}.graph", [], [output])


def _all_heads(sizes: _Sizes, opset: int) -> onnx.GraphProto:
    """Return the graph with all heads at once."""
    batch, pieces, distances = 2, 3 * BLOCKS, 7  # all of them but the last are dynamic
    columns = pieces + pieces // BLOCKS
    rows = torch.zeros(BLOCKS, columns, dtype=torch.int64)
    table = torch.zeros(sizes.heads, distances, sizes.size)
    examples = (
        torch.zeros(batch, pieces, 3 * sizes.heads * sizes.size), torch.zeros(batch, 1, pieces),
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
        warnings.simplefilter("ignore")  # as in onepass.nn.graphs.export
        torch.onnx.export(
            AllHeads(sizes.heads).eval(),
            examples,
            Path(directory, "order.onnx"),
            input_names=list(_INPUTS),
            output_names=[_OUTPUT],
            dynamic_axes=axes,
            opset_version=opset,
            dynamo=False,
        )
        return onnx.load(Path(directory, "order.onnx")).graph


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
