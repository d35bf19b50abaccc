"""What the inputs of products look like, found by running a graph on arrays that it was given.

It knows ONNX graphs and nothing about texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import onnx

from onepass.arrays import Array
from onepass.backends.onnx_runtime import onnxruntime
from onepass.nn.graphs.products import find_products
from onepass.nn.graphs.rounding import Moments


def product_moments(
    model: onnx.ModelProto, runs: Iterable[Mapping[str, Array]]
) -> dict[str, Moments]:
    """Return the moments of the inputs of each product, by the name of its weight.

    Args:
        model: in fp32, after `onepass.nn.graphs.constants.lift_constants`.
        runs: the inputs of the graph, by name, for each run; those that it does not take are
            ignored.

    Returns:
        What `find_products` finds; nothing if there were no runs.
    """
    products = find_products(model.graph)
    rows = {tensor.name: tensor.dims[0] for tensor in model.graph.initializer}
    moments: dict[str, Moments] = {}
    session: onnxruntime.InferenceSession | None = None
    inputs = list(dict.fromkeys(node.input[0] for node in products.values()))
    for arrays in runs if products else ():
        session = session or _session_with(model, inputs)
        taken = {one.name for one in session.get_inputs()}
        found = session.run(inputs, {name: a for name, a in arrays.items() if name in taken})
        seen = dict(zip(inputs, found, strict=True))
        for name, node in products.items():
            one = moments.setdefault(name, Moments.empty(rows[name]))
            one.add(seen[node.input[0]].reshape(-1, rows[name]))
    return moments


def _session_with(model: onnx.ModelProto, names: list[str]) -> onnxruntime.InferenceSession:
    """Return a session whose outputs are the tensors of these names as well."""
    more = onnx.ModelProto()
    more.CopyFrom(model)
    known = {one.name for one in more.graph.output}
    for name in names:
        if name not in known:
            more.graph.output.append(onnx.ValueInfoProto(name=name))
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(
        more.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
