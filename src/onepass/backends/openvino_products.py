"""Products of int8 graphs as OpenVINO computes them from integers.

A graph in eight bits restores its weights by a scale a column and a factor a row (see
`onepass.nn.graphs.quantize`), which OpenVINO does while it compiles, and multiplies in fp32.
Written as integers with one scale, and the factors put on the input, it keeps the integers, rounds
the input to eight bits as well, and multiplies those. The input is rounded by the largest of each
`GROUP` of its columns, so what a row becomes depends on that row alone.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from onepass.backends.openvino_runtime import openvino

ops = openvino.opset13
GROUP = 128  # columns of a row with a scale of their own; with 64 it is slower, and with whole rows


def multiply_integers(model: openvino.Model) -> int:
    """Rewrite the products whose weights are in eight bits, in place; return how many there are.

    A weight whose scale is not a plain list belongs to products that stay in fp32: it is restored.

    Args:
        model: read from ``NAME.onnx`` of an int8 export.
    """
    found = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() == "MatMul":
            parts = _parts(_input(node, 1))
            if parts is not None:
                _replace(node, *parts)
                found += 1
        elif (pair := _scaled(node)) is not None and pair[1].ndim > 1:
            node.output(0).replace(ops.constant(pair[0] * pair[1]).output(0))
    return found


def _replace(node: openvino.Node, small: Any, scale: Any, factors: Any) -> None:
    """Put a product of integers into the place of one with a restored weight.

    Args:
        node: the product.
        small: (rows, columns) the weight in eight bits.
        scale: (columns,) that a column of it is multiplied by.
        factors: (rows,) that a row of it is multiplied by; None for none.
    """
    integers = ops.convert(ops.constant(np.ascontiguousarray(small.T)), "f32")
    weight = ops.multiply(integers, ops.constant(scale[:, None]))
    x = node.input_value(0)
    if factors is not None:
        x = ops.multiply(x, ops.constant(factors)).output(0)
    product = ops.matmul(x, weight, transpose_a=False, transpose_b=True)
    product.set_friendly_name(node.get_friendly_name())
    node.output(0).replace(product.output(0))


def _parts(node: openvino.Node) -> tuple[Any, Any, Any] | None:
    """Return what a weight for products of integers is restored from; None for another one."""
    factors = None
    if node.get_type_name() == "Multiply" and _input(node, 1).get_type_name() == "Unsqueeze":
        factors = _constant(_input(_input(node, 1), 0))
        node = _input(node, 0)
    pair = _scaled(node)
    return None if pair is None or pair[1].ndim != 1 else (*pair, factors)


def _scaled(node: openvino.Node) -> tuple[Any, Any] | None:
    """Return the integers of a constant and their scale; None for anything else."""
    if node.get_type_name() != "Multiply" or _input(node, 0).get_type_name() != "Convert":
        return None
    small, scale = _constant(_input(_input(node, 0), 0)), _constant(_input(node, 1))
    return None if small is None or scale is None or small.dtype != np.int8 else (small, scale)


def _input(node: openvino.Node, place: int) -> openvino.Node:
    return node.input_value(place).get_node()


def _constant(node: openvino.Node) -> Any:
    return node.data if node.get_type_name() == "Constant" else None
