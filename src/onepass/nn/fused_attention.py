"""Attention as one operation of ONNX Runtime, for batches in which no text is padded.

That operation goes through keys and values block by block and never holds all scores of a text, but
only where nothing is added to them. So a graph that adds a mask gets both, and which one runs goes
by whether there is anything to add. This module knows graphs and no architecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx
from onnx import helper, numpy_helper

from onepass.nn.by_head import Nodes
from onepass.nn.constants import read_by

_CONTRIB = "com.microsoft"  # the domain of ONNX Runtime's own operators
_SPLIT, _KEYS = [0, 2, 1, 3], [0, 2, 3, 1]  # orders of (batch, pieces, heads, size)

_Makers = Mapping[str, onnx.NodeProto]


def fuse_attention(model: onnx.ModelProto) -> int:
    """Let batches without padding attend by one operation, in place.

    What is found is the softmax of products of queries, which are scaled before, and keys, to which
    nothing but what `onepass.nn.backbones.attention.closed` made is added.

    Args:
        model: as the exporter wrote it; opset 13 to 17. Then it is for ONNX Runtime alone.

    Returns:
        How many attentions there were.

    >>> fuse_attention(helper.make_model(helper.make_graph([], "g", [], [])))
    0
    """
    graph = model.graph
    makers = {out: node for node in graph.node for out in node.output}
    made: list[onnx.NodeProto] = []
    nothing_added: dict[str, str] = {}  # by the mask
    count = 0
    for node in graph.node:
        found = _attention(node, makers)
        if found is None:
            made.append(node)
            continue
        if found.mask not in nothing_added:
            nodes = Nodes(f"{found.mask}.largest.")
            largest = nodes.add("ReduceMax", nodes.add("Abs", found.mask), keepdims=0)
            nothing_added[found.mask] = nodes.add("Equal", largest, nodes.constant(0.0))
            made += nodes.made
        made.append(_either(found, nothing_added[found.mask]))
        count += 1
    if count:
        del graph.node[:]
        graph.node.extend(_read(made, {one.name for one in graph.output}))
        if all(one.domain != _CONTRIB for one in model.opset_import):
            model.opset_import.append(helper.make_opsetid(_CONTRIB, 1))
    return count


@dataclass(frozen=True, slots=True)
class _Attention:
    """Names of what an attention reads and makes, and its number of heads.

    Attributes:
        queries: (batch, pieces, heads * size), as keys and values are.
        mask: that is added to (batch, heads, pieces, pieces) scores.
        mixed: (batch, pieces, heads * size) what comes out.
    """

    queries: str
    keys: str
    values: str
    mask: str
    mixed: str
    heads: int


def _attention(node: onnx.NodeProto, makers: _Makers) -> _Attention | None:
    """Return the attention that a node is the end of: where its heads are joined."""
    joined = (
        _made("Transpose", node, 0, makers, order=_SPLIT) if node.op_type == "Reshape" else None
    )
    mixing = joined and _made("MatMul", joined, 0, makers)
    softmax = mixing and _made("Softmax", mixing, 0, makers)
    added = softmax and _made("Add", softmax, 0, makers)
    scores = added and _made("MatMul", added, 0, makers)
    closed = added and _made("Mul", added, 1, makers)
    if not (mixing and added and scores and closed and _made("Cast", closed, 0, makers)):
        return None
    queries = _part(_made("Transpose", scores, 0, makers, order=_SPLIT), makers)
    keys = _part(_made("Transpose", scores, 1, makers, order=_KEYS), makers)
    values = _part(_made("Transpose", mixing, 1, makers, order=_SPLIT), makers)
    if not (queries and keys and values and queries[1] == keys[1] == values[1]):
        return None
    return _Attention(queries[0], keys[0], values[0], added.input[1], node.output[0], queries[1])


def _made(
    kind: str,
    node: onnx.NodeProto,
    place: int,
    makers: _Makers,
    *,
    order: list[int] | None = None,
) -> onnx.NodeProto | None:
    """Return the node that makes an input of a node, if it is of a kind, and moves axes so."""
    maker = makers.get(node.input[place])
    if maker is None or maker.op_type != kind:
        return None
    if order is not None and [list(one.ints) for one in maker.attribute] != [order]:
        return None
    return maker


def _part(moved: onnx.NodeProto | None, makers: _Makers) -> tuple[str, int] | None:
    """Return what heads were split of, and their number: the third of four sizes."""
    split = moved and _made("Reshape", moved, 0, makers)
    sizes = split and _made("Concat", split, 1, makers)
    heads = makers.get(sizes.input[2]) if sizes and len(sizes.input) == 4 else None
    if split is None or heads is None or heads.op_type != "Constant":
        return None
    return split.input[0], int(numpy_helper.to_array(heads.attribute[0].t).item())


def _either(one: _Attention, nothing_added: str) -> onnx.NodeProto:
    """Return the node that attends in one of two ways."""
    at_once = f"{one.mixed}.at_once"
    fused = helper.make_node(
        "MultiHeadAttention",
        [one.queries, one.keys, one.values],
        [at_once],
        domain=_CONTRIB,
        num_heads=one.heads,
        scale=1.0,
    )
    masked = Nodes(f"{one.mixed}.masked.")
    apart, joined = masked.constant([0, 0, one.heads, -1]), masked.constant([0, 0, -1])
    q, k, v = (
        masked.add("Transpose", masked.add("Reshape", part, apart), perm=order)
        for part, order in ((one.queries, _SPLIT), (one.keys, _KEYS), (one.values, _SPLIT))
    )
    scores = masked.add("Add", masked.add("MatMul", q, k), one.mask)
    mixed = masked.add("MatMul", masked.add("Softmax", scores, axis=-1), v)
    mixed = masked.add("Reshape", masked.add("Transpose", mixed, perm=_SPLIT), joined)
    return helper.make_node(
        "If",
        [nothing_added],
        [one.mixed],
        name=f"{one.mixed}.attention",
        then_branch=_graph([fused], at_once),
        else_branch=_graph(masked.made, mixed),
    )


def _graph(nodes: list[onnx.NodeProto], out: str) -> onnx.GraphProto:
    output = helper.make_tensor_value_info(out, onnx.TensorProto.FLOAT, None)
    return helper.make_graph(nodes, f"{out}.graph", [], [output])


def _read(nodes: list[onnx.NodeProto], outputs: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes, in order, without those whose outputs nothing reads."""
    read, kept = set(outputs), []
    for node in reversed(nodes):
        if not read.isdisjoint(node.output):
            kept.append(node)
            read |= read_by(node)
    return kept[::-1]
