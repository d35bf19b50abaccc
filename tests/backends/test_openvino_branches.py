"""Branches by the length of the text are gone before OpenVINO compiles a graph."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

pytest.importorskip("openvino", reason="the extra openvino is not installed")

from onepass.backends.base import IS_LONG
from onepass.backends.openvino_branches import take_short_branches
from onepass.backends.openvino_runtime import openvino


def graph(path: Path, condition: str) -> Path:
    """Write one that adds 1 to ``x`` where its sum is above 10, else takes 1 away; then doubles."""

    def branch(operator: str) -> onnx.GraphProto:
        out = helper.make_tensor_value_info("changed", TensorProto.FLOAT, None)
        return helper.make_graph(
            [helper.make_node(operator, ["x", "one"], ["changed"])], "b", [], [out]
        )

    nodes = [
        helper.make_node("ReduceSum", ["x"], ["sum"], keepdims=0),
        helper.make_node("Greater", ["sum", "ten"], [condition], name=condition),
        helper.make_node(
            "If", [condition], ["either"], then_branch=branch("Add"), else_branch=branch("Sub")
        ),
        helper.make_node("Mul", ["either", "two"], ["y"]),
    ]
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n"]) for name in "xy")
    numbers = {"one": 1.0, "two": 2.0, "ten": 10.0}
    held = [helper.make_tensor(n, TensorProto.FLOAT, [], [v]) for n, v in numbers.items()]
    made = helper.make_graph(nodes, "g", [x], [y], held)
    onnx.save(helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def run(model: openvino.Model, x: list[float]) -> list[float]:
    (y,) = openvino.Core().compile_model(model, "CPU")([np.array(x, np.float32)]).values()
    return list(y)


def test_the_short_branch_takes_the_place_of_both(tmp_path: Path) -> None:
    model = openvino.Core().read_model(graph(tmp_path / "g.onnx", "text" + IS_LONG))
    assert run(model, [20.0]) == [42.0]
    assert take_short_branches(model) == 1
    assert all(node.get_type_name() != "If" for node in model.get_ordered_ops())
    assert run(model, [20.0, 1.0]) == [38.0, 0.0]
    assert take_short_branches(model) == 0


def test_other_branches_stay(tmp_path: Path) -> None:
    model = openvino.Core().read_model(graph(tmp_path / "g.onnx", "large"))
    assert take_short_branches(model) == 0
    assert run(model, [20.0]) == [42.0]
