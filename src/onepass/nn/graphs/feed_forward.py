"""Feed-forwards of an ONNX graph in parts that stay in the caches of a processor.

What lies between the two products of a feed-forward is four times as wide as a layer: with 300
pieces of 768 dimensions 3.7 MB, more than the cache of a core, so that the second product reads it
from further away again and again. In parts of its columns, whose results are added up, the same
takes less time. This module knows graphs and no architecture.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onepass.nn.graphs.constants import lift_constants, read_by

WIDEST = 1536  # columns of a part

# What maps each number by itself, or with the numbers of the same place.
_ELEMENTWISE = frozenset(
    {"Add", "Div", "Erf", "Mul", "Neg", "Pow", "Relu", "Sigmoid", "Sqrt", "Sub", "Tanh"}
)


def split_feed_forwards(model: onnx.ModelProto, widest: int | None = None) -> int:
    """Compute feed-forwards that are wider in equal parts of their columns, in place.

    Args:
        model: in fp32, as the exporter wrote it; where its weights are in a file of their own, it
            stays as it is.
        widest: columns that a part may have; None for `WIDEST`.

    Returns:
        How many were split.

    >>> split_feed_forwards(helper.make_model(helper.make_graph([], "g", [], [])))
    0
    """
    graph = model.graph
    lift_constants(graph)
    seen = _Graph(graph)
    wide: dict[str, list[onnx.NodeProto]] = {}  # nodes of a feed-forward, by the last one's output
    gone: set[str] = set()
    for node in graph.node:
        nodes = seen.feed_forward(node)
        outputs = {one.output[0] for one in nodes}
        # The second product of one may be the first of another, which stays whole then.
        if nodes and seen.parts(node, widest or WIDEST) > 1 and gone.isdisjoint(outputs):
            wide[node.output[0]] = nodes
            gone |= outputs
    made: list[onnx.NodeProto] = []
    for node in graph.node:
        if node.output[0] in wide:
            count = seen.parts(node, widest or WIDEST)
            made += _in_parts(graph, seen, wide[node.output[0]], count)
        elif node.output[0] not in gone:
            made.append(node)
    del graph.node[:]
    graph.node.extend(made)
    read = {name for node in made for name in read_by(node)}.union(o.name for o in graph.output)
    for tensor in list(graph.initializer):
        if tensor.name not in read:
            graph.initializer.remove(tensor)
    return len(wide)


class _Graph:
    """Who makes and who reads what in a graph."""

    def __init__(self, graph: onnx.GraphProto) -> None:
        self.tensors = {tensor.name: tensor for tensor in graph.initializer}
        for node in graph.node:  # the exporter writes equal tensors once
            if node.op_type == "Identity" and node.input[0] in self.tensors:
                self.tensors[node.output[0]] = self.tensors[node.input[0]]
        self.makers = {out: node for node in graph.node for out in node.output}
        self.places = {node.output[0]: place for place, node in enumerate(graph.node)}
        self.reads = Counter(name for node in graph.node for name in read_by(node))
        self.reads.update(one.name for one in graph.output)

    def shape(self, node: onnx.NodeProto) -> tuple[int, int]:
        """Return the shape of the matrix that a node multiplies by; (0, 0) for other nodes."""
        tensor = self.tensors.get(node.input[1]) if node.op_type == "MatMul" else None
        if tensor is None or len(tensor.dims) != 2 or tensor.external_data:
            return 0, 0
        return tensor.dims[0], tensor.dims[1]

    def parts(self, last: onnx.NodeProto, widest: int) -> int:
        """Return in how many parts the columns before a product are computed."""
        return _count(self.shape(last)[0], widest)

    def feed_forward(self, last: onnx.NodeProto) -> list[onnx.NodeProto]:
        """Return the nodes of a feed-forward in order, if a node is the second product of one.

        Between the products each column is computed by itself, and nothing is read elsewhere.
        """
        columns = self.shape(last)[0]
        inner: dict[str, onnx.NodeProto] = {}
        waiting = [last.input[0]] if columns else []
        while waiting:
            name = waiting.pop()
            node = self.makers.get(name)
            if node is None:
                return []
            if node.op_type in _ELEMENTWISE:
                inputs = [one for one in node.input if one not in inner]
                waiting += [one for one in inputs if not self._is_fixed(one, columns)]
            elif self.shape(node)[1] != columns:
                return []
            inner[name] = node
        within = Counter(name for node in inner.values() for name in set(node.input))
        within.update([last.input[0]] if columns else [])
        if any(within[name] != self.reads[name] for name in inner):
            return []
        ordered = sorted(inner.values(), key=lambda node: self.places[node.output[0]])
        return [*ordered, last] if ordered else []

    def _is_fixed(self, name: str, columns: int) -> bool:
        """Return whether a name stands for one number, or for one a column."""
        if name in self.tensors:
            return list(self.tensors[name].dims) in ([], [1], [columns])
        maker = self.makers.get(name)
        if maker is None or maker.op_type != "Constant" or maker.attribute[0].name != "value":
            return False
        return list(maker.attribute[0].t.dims) in ([], [1])


def _count(columns: int, widest: int) -> int:
    """Return in how many equal parts columns are computed.

    >>> _count(3072, 1536), _count(4096, 1536), _count(1536, 1536), _count(0, 1536)
    (2, 4, 1, 1)
    """
    least = max(1, -(-columns // widest))
    return next(parts for parts in range(least, columns + 2) if columns % parts == 0)


def _in_parts(
    graph: onnx.GraphProto, seen: _Graph, nodes: Sequence[onnx.NodeProto], count: int
) -> list[onnx.NodeProto]:
    """Return nodes that compute a feed-forward in parts; what they read goes to the graph."""
    *inner, last = nodes
    made: list[onnx.NodeProto] = []
    total = ""
    for part in range(count):
        own = {name: f"{name}.part{part}" for node in nodes for name in node.output}
        for node in inner:
            columns = node.input[1:] if node.op_type == "MatMul" else node.input
            own |= _cut(graph, seen, columns, part, count, axis=-1)
        own |= _cut(graph, seen, last.input[1:], part, count, axis=0)
        for node in nodes:
            copy = onnx.NodeProto()
            copy.CopyFrom(node)
            copy.name = f"{node.name}.part{part}"
            copy.input[:] = [own.get(name, name) for name in node.input]
            copy.output[:] = [own[name] for name in node.output]
            made.append(copy)
        product = made[-1].output[0]
        if total:
            sum_ = last.output[0] if part == count - 1 else f"{last.output[0]}.sum{part}"
            made.append(helper.make_node("Add", [total, product], [sum_], name=sum_))
            product = sum_
        total = product
    return made


def _cut(
    graph: onnx.GraphProto,
    seen: _Graph,
    names: Sequence[str],
    part: int,
    count: int,
    *,
    axis: int,
) -> dict[str, str]:
    """Add a part of each tensor with an axis to cut to the graph, and return the names of both."""
    cut = {}
    for name in names:
        tensor = seen.tensors.get(name)
        if tensor is None or list(tensor.dims) in ([], [1]):
            continue
        cut[name] = f"{name}.part{part}"
        values = np.split(numpy_helper.to_array(tensor), count, axis=axis)[part]
        graph.initializer.append(numpy_helper.from_array(np.ascontiguousarray(values), cut[name]))
    return cut
