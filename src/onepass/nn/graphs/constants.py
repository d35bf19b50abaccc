"""The weights of an ONNX graph in one place, however the exporter wrote them, and who reads them.

It knows nothing about what is done with them.
"""

from __future__ import annotations

import numpy as np
import onnx
from onnx import numpy_helper

LARGE = 4096  # numbers in a tensor from which on its size matters


def lift_constants(graph: onnx.GraphProto) -> None:
    """Turn large ``Constant`` nodes into initializers, in place.

    The exporter writes parameters as initializers, but what was computed from them before as
    nodes: the scaled projections and the tables of distances of DeBERTa.

    >>> from onnx import helper
    >>> value = numpy_helper.from_array(np.ones((64, 64), np.float32))
    >>> node = helper.make_node("Constant", [], ["w"], value=value)
    >>> graph = helper.make_graph([node], "g", [], [])
    >>> lift_constants(graph)
    >>> len(graph.node), graph.initializer[0].name
    (0, 'w')
    """
    for node in list(graph.node):
        if node.op_type != "Constant" or node.attribute[0].name != "value":
            continue
        values = numpy_helper.to_array(node.attribute[0].t)
        if values.size >= LARGE:
            # A copy: the tensor goes with its node.
            tensor = numpy_helper.from_array(np.array(values), node.output[0])
            graph.initializer.append(tensor)
            graph.node.remove(node)


def read_by(node: onnx.NodeProto) -> set[str]:
    """Return the names that a node reads, in its branches too.

    >>> from onnx import helper
    >>> sorted(read_by(helper.make_node("Add", ["a", "b"], ["c"])))
    ['a', 'b']
    """
    names = set(node.input)
    for attribute in node.attribute:
        for inner in attribute.g.node:
            names |= read_by(inner)
    return names
