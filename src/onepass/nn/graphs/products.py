"""Products with weights in an ONNX graph, computed in eight bits: one scale a row and a column.

Each row of the input, which is one word piece, is quantized by its own largest value while the
graph runs, once for all products with it. A row's result depends on that row alone: not on the
other texts of a batch, nor on padding, as it does where one scale is found for a whole tensor
(`onnxruntime.quantization.quantize_dynamic`). Everything between the products stays in fp32.

Products of the backbone and of the span head are meant (`onepass.nn.graphs.rounding.PARTS`). This
module knows no family and no file.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

from onepass.arrays import Array
from onepass.nn.graphs.constants import LARGE, read_by
from onepass.nn.graphs.rounding import PARTS, Rounded

CONTRIB = "com.microsoft"  # the domain of ONNX Runtime's own operators
_PREFIX = "onepass."  # of what all products of a graph share


def find_products(graph: onnx.GraphProto) -> dict[str, onnx.NodeProto]:
    """Return the products with a large weight that are meant, by the name of the weight.

    A weight that something else uses as well is left out.

    Args:
        graph: after `onepass.nn.graphs.constants.lift_constants`.
    """
    weights = {tensor.name: tensor for tensor in graph.initializer}
    uses = Counter(name for node in graph.node for name in read_by(node))
    found = {}
    for node in graph.node:
        tensor = weights.get(node.input[1]) if node.op_type == "MatMul" else None
        part = any(part in node.name for part in PARTS)
        if tensor is None or not part or uses[tensor.name] > 1:
            continue
        if _is_large_matrix(tensor):
            found[tensor.name] = node
    return found


def quantize_products(model: onnx.ModelProto, rounded: Mapping[str, Rounded]) -> None:
    """Replace products by products of integers, in place.

    Args:
        model: opset 13 to 17.
        rounded: the weights in eight bits, for any of the names that `find_products` returns.
    """
    graph = model.graph
    chosen = {
        node.output[0]: name for name, node in find_products(graph).items() if name in rounded
    }
    if not chosen:
        return
    weights = {tensor.name: tensor for tensor in graph.initializer}
    nodes: list[onnx.NodeProto] = []
    before: dict[str, tuple[Rounded, tuple[str, str]]] = {}
    for node in graph.node:
        name = chosen.get(node.output[0])
        if name is None:
            nodes.append(node)
            continue
        matrix, x = rounded[name], node.input[0]
        graph.initializer.remove(weights[name])
        put_weight(graph, name, matrix)
        _put_shift(graph, name, matrix)
        if x not in before or not before[x][0].takes_inputs_of(matrix):
            added, steps = _in_steps(node, matrix)
            nodes += added
            before[x] = matrix, steps
        nodes += _product(node, matrix, *before[x][1])
    _share_constants(graph)
    del graph.node[:]
    graph.node.extend(nodes)
    import_contrib(model)


def make_unsigned(model: onnx.ModelProto) -> None:
    """Raise the weights of products of integers above zero, in place; the sums stay the same.

    Where a CPU adds up products of bytes in pairs of 16 bits (AVX2 without VNNI), those of
    unsigned inputs and signed weights overflow; unsigned ones are multiplied otherwise, exactly.
    Weights are raised when the graph is opened, so that their file serves both forms.

    Args:
        model: after `quantize_products`.
    """
    raised: list[onnx.NodeProto] = []
    for node in model.graph.node:
        if node.op_type != "MatMulIntegerToFloat":
            continue
        make, _, made = _maker(node.input[1])
        wide = make("Cast", [node.input[1]], "wide", to=onnx.TensorProto.INT32)
        above = make("Add", [wide, f"{_PREFIX}middle"], "above")
        node.input[1] = make("Cast", [above], "unsigned", to=onnx.TensorProto.UINT8)
        node.input.append(f"{_PREFIX}zero")
        raised += made
    middle = numpy_helper.from_array(np.array(128, np.int32), f"{_PREFIX}middle")
    model.graph.initializer.append(middle)
    nodes = [*raised, *model.graph.node]
    del model.graph.node[:]
    model.graph.node.extend(nodes)


def import_contrib(model: onnx.ModelProto) -> None:
    """Let a graph have operators of `CONTRIB`, in place."""
    if all(one.domain != CONTRIB for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid(CONTRIB, 1))


def put_weight(graph: onnx.GraphProto, name: str, rounded: Rounded) -> None:
    """Add ``NAME.int8``, ``NAME.scale`` and, where there are factors, ``NAME.inverse``.

    >>> graph = helper.make_graph([], "g", [], [])
    >>> put_weight(graph, "w", Rounded(np.zeros((2, 3), np.int8), np.ones(3, np.float32)))
    >>> [tensor.name for tensor in graph.initializer]
    ['w.int8', 'w.scale']
    """
    arrays: dict[str, Array] = {"int8": rounded.small, "scale": rounded.scale}
    if rounded.factors is not None:
        arrays["inverse"] = (1 / rounded.factors).astype(np.float32)
    for part, values in arrays.items():
        graph.initializer.append(numpy_helper.from_array(values, f"{name}.{part}"))


def _put_shift(graph: onnx.GraphProto, name: str, rounded: Rounded) -> None:
    """Add ``NAME.shift`` and ``NAME.excess`` where inputs are shifted."""
    if rounded.shift:
        for part, values in (("shift", np.float32(rounded.shift)), ("excess", rounded.excess)):
            graph.initializer.append(numpy_helper.from_array(np.asarray(values), f"{name}.{part}"))


def _is_large_matrix(tensor: onnx.TensorProto) -> bool:
    is_matrix = tensor.data_type == onnx.TensorProto.FLOAT and len(tensor.dims) == 2
    return is_matrix and int(np.prod(tensor.dims)) >= LARGE


def _share_constants(graph: onnx.GraphProto) -> None:
    for name, value in (
        ("zero", np.array(128, np.uint8)),  # what stands for 0 in an input
        ("bottom", np.array(0, np.uint8)),  # and in one that is never negative
        ("one", np.array(1, np.float32)),
        ("step", np.array(1 / 127, np.float32)),
        ("fine", np.array(1 / 255, np.float32)),
        ("least", np.array(1e-12, np.float32)),  # the scale of a row of zeros
        ("first", np.array([0], np.int64)),
        ("last", np.array([-1], np.int64)),
        ("column", np.array([1], np.int64)),
    ):
        graph.initializer.append(numpy_helper.from_array(value, _PREFIX + name))


def _in_steps(
    node: onnx.NodeProto, rounded: Rounded
) -> tuple[list[onnx.NodeProto], tuple[str, str]]:
    """Return the nodes that quantize the input of a product, and the names of what they compute.

    These are (n, rows) steps and (n, 1) what one is worth. Unsigned inputs with zero at 128, and
    signed weights, are what the runtime has instructions for; with signed inputs it is an order of
    magnitude slower.
    """
    x, weight = node.input
    make, constant, made = _maker(node.output[0])
    zero, step = (
        _PREFIX + name for name in (("bottom", "fine") if rounded.shift else ("zero", "step"))
    )
    raised = make("Add", [x, f"{weight}.shift"], "raised") if rounded.shift else x
    even = raised
    if rounded.factors is not None:
        even = make("Mul", [raised, f"{weight}.inverse"], "even")
    flat = make("Reshape", [even, constant("inner", [-1, len(rounded.small)])], "flat")  # (n, rows)
    sizes_of = flat if rounded.shift else make("Abs", [flat], "abs")
    largest = make("ReduceMax", [sizes_of], "largest", axes=[1], keepdims=0)
    scale = make("Max", [make("Mul", [largest, step], "step"), f"{_PREFIX}least"], "s")
    zeros = make("Expand", [zero, make("Shape", [scale], "count")], "zeros")
    small = make("QuantizeLinear", [flat, scale, zeros], "int8", axis=0)
    return made, (small, make("Unsqueeze", [scale, f"{_PREFIX}column"], "factors"))


def _product(
    node: onnx.NodeProto, rounded: Rounded, small: str, factors: str
) -> list[onnx.NodeProto]:
    """Return the nodes that compute what ``node`` does, from integers.

    Args:
        node: a product.
        rounded: its weight.
        small: (n, rows) its input in steps.
        factors: (n, 1) what a step is worth.
    """
    x, weight = node.input
    out = node.output[0]
    make, constant, made = _maker(out)
    zero = _PREFIX + ("bottom" if rounded.shift else "zero")
    product = f"{out}.product"
    inputs = [small, f"{weight}.int8", f"{_PREFIX}one", f"{weight}.scale", zero]
    made.append(helper.make_node("MatMulIntegerToFloat", inputs, [product], domain=CONTRIB))
    scaled = make("Mul", [product, factors], "scaled")
    if rounded.shift:
        scaled = make("Sub", [scaled, f"{weight}.excess"], "lowered")
    sizes = make("Shape", [x], "sizes")
    outer = make("Slice", [sizes, f"{_PREFIX}first", f"{_PREFIX}last"], "outer")
    columns = constant("outputs", [rounded.small.shape[1]])
    shape = make("Concat", [outer, columns], "shape", axis=0)
    made.append(helper.make_node("Reshape", [scaled, shape], [out]))
    return made


def _maker(
    out: str,
) -> tuple[Callable[..., str], Callable[[str, list[int]], str], list[onnx.NodeProto]]:
    """Return what makes nodes and constants named after an output, and the list they go to."""
    made: list[onnx.NodeProto] = []

    def make(kind: str, inputs: list[str], name: str, **attributes: Any) -> str:
        made.append(helper.make_node(kind, inputs, [f"{out}.{name}"], **attributes))
        return f"{out}.{name}"

    def constant(name: str, values: list[int]) -> str:
        value = numpy_helper.from_array(np.array(values, np.int64))
        made.append(helper.make_node("Constant", [], [f"{out}.{name}"], value=value))
        return f"{out}.{name}"

    return make, constant, made
