"""Weights in eight bits: a quarter of the bytes, nearly the same numbers, whatever is beside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from onepass.nn.graphs.quantize import quantize_file, quantize_weights

SIZE = 96


class Everything(nn.Module):
    """One of each: a table, products with and without bias, a recurrent layer, a lone vector."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(200, SIZE)
        self.linear = nn.Linear(SIZE, 2 * SIZE)
        self.plain = nn.Linear(2 * SIZE, SIZE, bias=False)
        self.gru = nn.GRU(SIZE, SIZE)
        self.norm = nn.LayerNorm(SIZE)
        self.small = nn.Linear(SIZE, 4)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.plain(torch.relu(self.linear(self.table(ids))))  # (batch, pieces, hidden)
        out, _ = self.gru(self.norm(x).transpose(0, 1))
        return self.small(out)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The graph of a random network, and the same with int8 weights."""
    directory = tmp_path_factory.mktemp("graphs")
    torch.manual_seed(0)
    network = Everything().eval()
    with torch.no_grad():  # columns of different sizes: one scale for all would lose the small
        network.linear.weight *= torch.logspace(-3, 1, 2 * SIZE)[:, None]
        network.table.weight *= torch.logspace(-1, 1, 200)[:, None]
        network.table.weight[7] = 0
    options: dict[str, Any] = {"dynamo": False, "opset_version": 17}
    torch.onnx.export(
        network,
        (torch.ones(2, 5, dtype=torch.long),),
        directory / "fp32.onnx",
        input_names=["ids"],
        output_names=["out"],
        dynamic_axes={"ids": {0: "batch", 1: "pieces"}},
        **options,
    )
    quantize_file(directory / "fp32.onnx", directory / "int8.onnx")
    return directory / "fp32.onnx", directory / "int8.onnx"


def run(path: Path, ids: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path)
    out: np.ndarray = session.run(None, {"ids": ids})[0]
    return out


def test_nearly_the_same_numbers(files: tuple[Path, Path]) -> None:
    ids = np.random.default_rng(0).integers(0, 200, size=(4, 30))
    full, small = (run(path, ids) for path in files)
    assert np.isfinite(small).all()
    assert 0 < np.abs(full - small).max() < 0.05 * full.std()


def test_a_quarter_of_the_size(files: tuple[Path, Path]) -> None:
    full, small = (path.stat().st_size for path in files)
    assert small < 0.3 * full


def test_the_graph_is_valid(files: tuple[Path, Path]) -> None:
    onnx.checker.check_model(onnx.load(files[1]), full_check=True)


def test_large_matrices_are_int8_and_nothing_else(files: tuple[Path, Path]) -> None:
    tensors = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(files[1]).graph.initializer}
    small = [name for name, values in tensors.items() if values.dtype == np.int8]
    assert len(small) == 5  # table, two products, two of the recurrent layer
    for name in small:
        assert np.abs(tensors[name].astype(int)).max() == 127
    for name, values in tensors.items():
        if values.dtype == np.float32 and not name.endswith(".scale"):
            assert values.ndim < 2 or values.size < 4096
    before = {t.name: t for t in onnx.load(files[0]).graph.initializer}
    for name, values in tensors.items():
        if name in before:
            np.testing.assert_array_equal(values, onnx.numpy_helper.to_array(before[name]))


def test_every_weight_is_within_half_a_step(files: tuple[Path, Path]) -> None:
    before = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(files[0]).graph.initializer}
    after = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(files[1]).graph.initializer}
    checked = 0
    for name, values in before.items():
        if f"{name}.int8" in after:
            scale = after[f"{name}.scale"]
            restored = after[f"{name}.int8"].astype(np.float32) * scale
            assert (np.abs(restored - values) <= 0.501 * scale + 1e-12).all()
            checked += 1
    assert checked == 5


def test_each_column_has_its_own_scale(files: tuple[Path, Path]) -> None:
    after = {t.name: onnx.numpy_helper.to_array(t) for t in onnx.load(files[1]).graph.initializer}
    sizes = {after[f"{name[:-5]}.scale"].size for name in after if name.endswith(".int8")}
    assert sizes == {200, 2 * SIZE, SIZE, 3 * SIZE}  # rows of the table, outputs of the others


def test_results_do_not_depend_on_the_batch(files: tuple[Path, Path]) -> None:
    ids = np.random.default_rng(1).integers(0, 200, size=(5, 12))
    together = run(files[1], ids)  # (pieces, batch, 4)
    for row in range(5):
        np.testing.assert_allclose(
            run(files[1], ids[row : row + 1])[:, 0], together[:, row], atol=1e-5
        )


def test_a_second_time_changes_nothing(files: tuple[Path, Path]) -> None:
    model = onnx.load(files[1])
    before = model.SerializeToString()
    quantize_weights(model)
    assert model.SerializeToString() == before


def graph_of(nodes: list[onnx.NodeProto], table: np.ndarray) -> onnx.ModelProto:
    """Return a graph over one weight."""
    integers, floats = onnx.TensorProto.INT64, onnx.TensorProto.FLOAT
    value = onnx.helper.make_tensor_value_info
    return onnx.helper.make_model(
        onnx.helper.make_graph(
            nodes,
            "test",
            [value("ids", integers, ["rows"])],
            [value("out", floats, None)],
            [onnx.numpy_helper.from_array(table, "table")],
        ),
        opset_imports=[onnx.helper.make_opsetid("", 17)],
        ir_version=8,
    )


def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> onnx.NodeProto:
    return onnx.helper.make_node(kind, inputs, [output], **attributes)


def branch(only: onnx.NodeProto) -> onnx.GraphProto:
    out = onnx.helper.make_tensor_value_info(only.output[0], onnx.TensorProto.FLOAT, None)
    return onnx.helper.make_graph([only], only.output[0], [], [out])


SHARED = {
    "two look-ups": [
        node("Gather", ["table", "ids"], "a"),
        node("Gather", ["table", "ids"], "b"),
        node("Add", ["a", "b"], "out"),
    ],
    "a look-up and a product": [
        node("Gather", ["table", "ids"], "a"),
        node("MatMul", ["a", "table"], "out"),
    ],
    "branches": [
        node("Size", ["ids"], "size"),
        node("Cast", ["size"], "some", to=onnx.TensorProto.BOOL),
        node(
            "If",
            ["some"],
            "out",
            then_branch=branch(node("Gather", ["table", "ids"], "columns", axis=1)),
            else_branch=branch(node("Gather", ["table", "ids"], "rows")),
        ),
    ],
    "columns": [node("Gather", ["table", "ids"], "out", axis=1)],
}


@pytest.mark.parametrize("name", SHARED)
def test_a_weight_may_have_several_users(name: str, tmp_path: Path) -> None:
    table = np.random.default_rng(2).standard_normal((80, 80)).astype(np.float32)
    model = graph_of(SHARED[name], table)
    onnx.save(model, tmp_path / "fp32.onnx")
    quantize_file(tmp_path / "fp32.onnx", tmp_path / "int8.onnx")
    full, small = (run(tmp_path / f"{p}.onnx", np.array([3, 70, 0])) for p in ("fp32", "int8"))
    assert (tmp_path / "int8.onnx").stat().st_size < 0.5 * (tmp_path / "fp32.onnx").stat().st_size
    assert 0 < np.abs(full - small).max() < 0.03 * np.abs(full).max()
