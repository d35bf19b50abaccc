"""Branches of a graph that OpenVINO takes always, put into the graph around them.

Graphs go one of two ways by the length of the text, and both compute the same
(`onepass.nn.graphs.branches`). After a change of shape this runtime returns wrong numbers from a
branch (OpenVINO 2026.4), so the one for short texts takes the place of both.
"""

from __future__ import annotations

from onepass.backends.base import IS_LONG
from onepass.backends.openvino_runtime import openvino

_SHORT = 1  # of the two bodies, the one where the condition does not hold


def take_short_branches(model: openvino.Model) -> int:
    """Put the branch for short texts in the place of both, in place; return how often.

    Args:
        model: as it was read.
    """
    found = 0
    for node in model.get_ordered_ops():
        if node.get_type_name() == "If":
            condition = node.input_value(0).get_node()
            if condition.get_friendly_name().endswith(IS_LONG):
                _unfold(node)
                found += 1
    return found


def _unfold(node: openvino.Node) -> None:
    body = node.get_else_body()
    parameters, results = body.get_parameters(), body.get_results()
    for given in node.get_input_descriptions(_SHORT):
        parameter = parameters[given.body_parameter_index]
        parameter.output(0).replace(node.input_value(given.input_index))
    for made in node.get_output_descriptions(_SHORT):
        result = results[made.body_value_index].input_value(0)
        node.output(made.output_index).replace(result)
