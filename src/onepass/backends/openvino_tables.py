"""Tables whose rows only products read, kept in bf16 where OpenVINO computes in bf16.

The vectors of distances of an attention are looked up for each run (`disentangled` in
`onepass.nn.backbones`) and then multiplied. In bf16 they are rounded for the product anyway;
rounded in the table, half as much is copied, and nothing is converted on the way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onepass.backends.openvino_runtime import openvino

ops = openvino.opset13
_SHAPES = frozenset({"Reshape", "Squeeze", "Unsqueeze"})  # numbers stay as they are, in their order
_MOVES = _SHAPES | {"Transpose"}


def halve_tables(model: openvino.Model) -> int:
    """Keep tables in bf16 whose rows only products read, in place; return how many there are.

    Args:
        model: without branches (`onepass.backends.openvino_branches`).
    """
    found = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() != "Gather" or not _only_multiplied(node):
            continue
        table = _table(node)
        if table is None:
            continue
        rows = ops.gather(_rounded(table), node.input_value(1), node.input_value(2))
        node.output(0).replace(ops.convert(rows, "f32").output(0))
        found += 1
    return found


def _only_multiplied(node: openvino.Node) -> bool:
    """Return whether only products read what a node computes, whatever its shape becomes."""
    readers = [one.get_node() for one in node.output(0).get_target_inputs()]
    return bool(readers) and all(
        reader.get_type_name() == "MatMul"
        or (reader.get_type_name() in _MOVES and _only_multiplied(reader))
        for reader in readers
    )


def _table(node: openvino.Node) -> Any:
    """Return the table in fp32 that a node reads rows of; None where it reads anything else."""
    read = node.input_value(0)
    shape = read.get_partial_shape()
    while read.get_node().get_type_name() in _SHAPES:
        read = read.get_node().input_value(0)
    made = read.get_node()
    if made.get_type_name() != "Constant" or made.data.dtype != np.float32 or shape.is_dynamic:
        return None
    return made.data.reshape(tuple(shape.to_shape()))


def _rounded(table: Any) -> openvino.Node:
    """Return a constant in bf16, each number the nearest one and the even one of two."""
    bits = np.ascontiguousarray(table).view(np.uint32)
    halves = ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)
    tensor = openvino.Tensor(halves, openvino.Shape(table.shape), openvino.Type.bf16)
    return openvino.op.Constant(tensor, shared_memory=False)
