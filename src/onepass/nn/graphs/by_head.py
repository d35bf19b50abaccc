"""Attention over content and distance with one head after the other, as nodes of a graph.

All heads at once are fastest for short texts. For long ones what lies between two operations
outgrows the caches of a processor, and one head after the other is faster: 20 for 34 ms a layer of
12 heads with 640 pieces. Each head is then some thirty small operations, so the arithmetic of
shapes counts: it is written once for all layers and heads, where an exporter writes it for every
operation (12 layers of 12 heads ran 10,000 nodes, and run 3,600). What is computed is
`onepass.nn.backbones.disentangled.attend`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import helper, numpy_helper

from onepass.nn.backbones.disentangled import BLOCKS

_LAST = np.iinfo(np.int64).max


class Nodes:
    """Nodes in order, each with one output that is named after a prefix.

    >>> nodes = Nodes("a.")
    >>> nodes.add("Add", "x", nodes.constant([1.0, 2.0]))
    'a.1'
    >>> [node.op_type for node in nodes.made]
    ['Constant', 'Add']
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self.made: list[onnx.NodeProto] = []

    def add(self, operator: str, *inputs: str, **attributes: int | Sequence[int]) -> str:
        """Append a node and return the name of its output."""
        return self.split(operator, 1, *inputs, **attributes)[0]

    def split(
        self, operator: str, outputs: int, *inputs: str, **attributes: int | Sequence[int]
    ) -> list[str]:
        """Append a node with so many outputs and return their names."""
        number = f"{self.prefix}{len(self.made)}"
        names = [number] if outputs == 1 else [f"{number}.{one}" for one in range(outputs)]
        made = helper.make_node(operator, inputs, names, name=number)
        made.attribute.extend(helper.make_attribute(*one) for one in attributes.items())
        self.made.append(made)
        return names

    def constant(self, values: ArrayLike) -> str:
        """Append a constant and return its name; whole numbers are int64, others fp32."""
        array = np.asarray(values)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        tensor = numpy_helper.from_array(array)
        name = f"{self.prefix}{len(self.made)}"
        self.made.append(helper.make_node("Constant", [], [name], name=name, value=tensor))
        return name


@dataclass(frozen=True, slots=True)
class Shared:
    """Names of what all layers need to know of the length of the texts.

    Attributes:
        rows: (1,) of a block.
        pieces: (1,).
        moved: the shape (batch, BLOCKS, rows, columns - 1), as Reshape takes it.
        square: the shape (batch, pieces, pieces), likewise.
        by_query: rows of the table for queries, of all heads in one: (BLOCKS, columns) a head.
        by_key: likewise, for keys.
    """

    rows: str
    pieces: str
    moved: str
    square: str
    by_query: tuple[str, ...]
    by_key: tuple[str, ...]


def share(nodes: Nodes, by_query: str, by_key: str, *, heads: int, distances: int) -> Shared:
    """Append what all layers share.

    Args:
        nodes: of the graph that the layers belong to.
        by_query: name of (BLOCKS, columns) rows, as `attend` takes them.
        by_key: likewise.
        heads: their number.
        distances: rows of a table.
    """
    shape = nodes.add("Shape", by_query)
    columns = nodes.add("Gather", shape, nodes.constant([1]), axis=0)  # pieces + pieces / BLOCKS
    rows = nodes.add("Div", columns, nodes.constant([BLOCKS + 1]))
    pieces = nodes.add("Sub", columns, rows)
    first = nodes.constant(np.arange(heads)[:, None, None] * distances)
    return Shared(
        rows,
        pieces,
        nodes.add("Concat", nodes.constant([0, BLOCKS]), rows, nodes.constant([-1]), axis=0),
        nodes.add("Concat", nodes.constant([0, -1]), pieces, axis=0),
        _rows_of_heads(nodes, by_query, first, heads),
        _rows_of_heads(nodes, by_key, first, heads),
    )


def _rows_of_heads(nodes: Nodes, rows: str, first: str, heads: int) -> tuple[str, ...]:
    of_all = nodes.add("Add", rows, first)  # (heads, BLOCKS, columns)
    if heads == 1:
        return (of_all,)
    return tuple(nodes.split("Split", heads, of_all, axis=0))  # (1, BLOCKS, columns) each


def attend_by_head(
    nodes: Nodes, shared: Shared, inputs: tuple[str, str, str, str], *, heads: int, size: int
) -> str:
    """Append the attention of a layer and return its name, (batch, pieces, heads * size).

    Args:
        nodes: of the branch.
        shared: of the graph around it.
        inputs: names of qkv, bias and the two tables, as `attend` takes them.
        heads: their number.
        size: of a head.
    """
    qkv, bias, *tables = inputs
    parts = nodes.split("Split", 3 * heads, qkv, axis=2)  # (batch, pieces, size) each
    one_by_one = nodes.constant([-1, size])
    key_rows, query_rows = (nodes.add("Reshape", table, one_by_one) for table in tables)
    distances = _Distances(nodes, shared, size)
    mixed = []
    for head in range(heads):
        q, k, v = parts[head], parts[heads + head], parts[2 * heads + head]
        content = nodes.add("MatMul", k, nodes.add("Transpose", q, perm=(0, 2, 1)))
        of_keys = distances.multiply(k, query_rows, shared.by_key[head])
        scores = nodes.add("Transpose", nodes.add("Add", content, of_keys), perm=(0, 2, 1))
        scores = nodes.add("Add", scores, distances.multiply(q, key_rows, shared.by_query[head]))
        weights = nodes.add("Softmax", nodes.add("Add", scores, bias), axis=-1)
        mixed.append(nodes.add("MatMul", weights, v))
    return nodes.add("Concat", *mixed, axis=2)


class _Distances:
    """The products with vectors of distances in one branch; its constants are made once."""

    def __init__(self, nodes: Nodes, shared: Shared, size: int) -> None:
        self._nodes, self._shared = nodes, shared
        self._blocks = nodes.constant([0, BLOCKS, -1, size])
        self._flat = nodes.constant([0, BLOCKS, -1])
        self._start, self._end = nodes.constant([0]), nodes.constant([_LAST])
        self._columns, self._elements = nodes.constant([3]), nodes.constant([2])

    def multiply(self, x: str, table: str, rows: str) -> str:
        """Append x (batch, pieces, size) times the vector of each distance; see `attend`."""
        add, shared = self._nodes.add, self._shared
        near = add("Gather", table, rows, axis=0)  # (1, BLOCKS, columns, size)
        near = add("Transpose", near, perm=(0, 1, 3, 2))
        products = add("MatMul", add("Reshape", x, self._blocks), near)
        flat = add("Reshape", products, self._flat)  # (batch, BLOCKS, rows * columns)
        # Row r of a block moves r places to the left: see `disentangled`.
        flat = add("Slice", flat, shared.rows, self._end, self._elements)
        moved = add("Reshape", flat, shared.moved)
        moved = add("Slice", moved, self._start, shared.pieces, self._columns)
        return add("Reshape", moved, shared.square)
