"""Attention as one operation of ONNX Runtime, which never holds all scores of a text.

That operation goes through keys and values block by block, but only where nothing is added to the
scores. So what a mask adds for a key becomes one more number of that key, which is multiplied by
one more of each query, 1. This module knows graphs and no architecture.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import onnx
from onnx import helper, numpy_helper

from onepass.nn.graphs.by_head import Nodes
from onepass.nn.graphs.constants import read_by
from onepass.nn.graphs.products import CONTRIB, import_contrib

_SPLIT, _KEYS = [0, 2, 1, 3], [0, 2, 3, 1]  # orders of (batch, pieces, heads, size)
_MASK = [0, 3, 1, 2]  # order of (batch, 1, 1, pieces)

_Makers = Mapping[str, onnx.NodeProto]


def fuse_attention(model: onnx.ModelProto) -> int:
    """Let attention be one operation, in place.

    What is found is the softmax of products of queries, which are scaled before, and keys, to which
    nothing but what `onepass.nn.backbones.attention.closed` made of a mask of texts is added.

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
    columns: dict[tuple[str, int], _Columns] = {}  # by the mask and the number of heads
    count = 0
    for node in graph.node:
        found = _attention(node, makers)
        if found is None:
            made.append(node)
            continue
        key = found.mask, found.heads
        if key not in columns:
            nodes = Nodes(f"{found.mask}.{found.heads}.")
            columns[key] = _columns(nodes, found)
            made += nodes.made
        made += _fused(found, columns[key])
        count += 1
    if count:
        del graph.node[:]
        graph.node.extend(_read(made, {one.name for one in graph.output}))
        import_contrib(model)
    return count


@dataclass(frozen=True, slots=True)
class _Attention:
    """Names of what an attention reads and makes, and its number of heads.

    Attributes:
        queries: (batch, pieces, heads * size), as keys and values are.
        mask: (batch, 1, 1, pieces) that is added to (batch, heads, pieces, pieces) scores.
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
    if not (mixing and added and scores and _is_of_texts(added, makers)):
        return None
    queries = _part(_made("Transpose", scores, 0, makers, order=_SPLIT), makers)
    keys = _part(_made("Transpose", scores, 1, makers, order=_KEYS), makers)
    values = _part(_made("Transpose", mixing, 1, makers, order=_SPLIT), makers)
    if not (queries and keys and values and queries[1] == keys[1] == values[1]):
        return None
    return _Attention(queries[0], keys[0], values[0], added.input[1], node.output[0], queries[1])


def _is_of_texts(added: onnx.NodeProto, makers: _Makers) -> bool:
    """Return whether what is added was made by `closed` of (batch, pieces), as one row for each."""
    factor = _made("Mul", added, 1, makers)
    hidden = factor and _made("Cast", factor, 0, makers)
    seen = hidden and _made("Not", hidden, 0, makers)
    second = seen and _made("Unsqueeze", seen, 0, makers)
    first = second and _made("Unsqueeze", second, 0, makers)
    if first is None or second is None:
        return False
    axes = [makers.get(node.input[1]) for node in (first, second)]
    return all(
        node is not None
        and node.op_type == "Constant"
        and numpy_helper.to_array(node.attribute[0].t).tolist() == [axis]
        for node, axis in zip(axes, (1, 2), strict=True)
    )


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


@dataclass(frozen=True, slots=True)
class _Columns:
    """Names of what all layers share.

    Attributes:
        ones: (batch, pieces, heads, 1) one more number of each query.
        masks: (batch, pieces, heads, 1) one more of each key.
        apart: the shape (batch, pieces, heads, size), as Reshape takes it.
        joined: the shape (batch, pieces, heads * size), likewise.
    """

    ones: str
    masks: str
    apart: str
    joined: str


def _columns(nodes: Nodes, one: _Attention) -> _Columns:
    """Append what all layers with a mask share."""
    mask = nodes.add("Transpose", one.mask, perm=_MASK)  # (batch, pieces, 1, 1)
    outer = nodes.add("Slice", nodes.add("Shape", mask), nodes.constant([0]), nodes.constant([2]))
    shape = nodes.add("Concat", outer, nodes.constant([one.heads, 1]), axis=0)
    return _Columns(
        nodes.add("Expand", nodes.constant(1.0), shape),
        nodes.add("Expand", mask, shape),
        nodes.constant([0, 0, one.heads, -1]),
        nodes.constant([0, 0, -1]),
    )


def _fused(one: _Attention, shared: _Columns) -> list[onnx.NodeProto]:
    """Return the nodes that attend."""
    nodes = Nodes(f"{one.mixed}.")
    q, k = (
        nodes.add(
            "Reshape",
            nodes.add("Concat", nodes.add("Reshape", part, shared.apart), column, axis=3),
            shared.joined,
        )
        for part, column in ((one.queries, shared.ones), (one.keys, shared.masks))
    )
    attend = helper.make_node(
        "MultiHeadAttention",
        [q, k, one.values],
        [one.mixed],
        name=f"{one.mixed}.attention",
        domain=CONTRIB,
        num_heads=one.heads,
        scale=1.0,
    )
    return [*nodes.made, attend]


def _read(nodes: list[onnx.NodeProto], outputs: set[str]) -> list[onnx.NodeProto]:
    """Return the nodes, in order, without those whose outputs nothing reads."""
    read, kept = set(outputs), []
    for node in reversed(nodes):
        if not read.isdisjoint(node.output):
            kept.append(node)
            read |= read_by(node)
    return kept[::-1]
