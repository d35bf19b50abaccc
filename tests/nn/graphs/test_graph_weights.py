"""Weights found in exported graphs, in parts, turned and multiplied, and read back from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from onepass.errors import BackendError, CheckpointError
from onepass.hub.exports import PLACES
from onepass.nn.graphs.graph_weights import read_weights_of, write_places
from onepass.nn.graphs.quantize import quantize_file

SIZE = 96
UNUSED = ("unused.", "kinds.")


class Network(nn.Module):
    """What exporters do to weights: thirds, halves, factors, single rows, gates in other orders."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(50, SIZE)
        self.kinds = nn.Embedding(2, SIZE)
        self.qkv = nn.Linear(SIZE, 3 * SIZE)
        self.halves = nn.Linear(2 * SIZE, SIZE, bias=False)
        self.gru = nn.GRU(SIZE, SIZE, batch_first=True)
        self.norm = nn.LayerNorm(SIZE)
        self.score = nn.Linear(SIZE, 1)
        self.unused = nn.Linear(SIZE, SIZE)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        x = self.words(ids) + self.kinds.weight[0]
        weights, biases = self.qkv.weight.chunk(3), self.qkv.bias.chunk(3)
        query = x @ (weights[0].t() * 0.25) + biases[0] * 0.25
        key, value = (x @ w.t() + b for w, b in zip(weights[1:], biases[1:], strict=True))
        first, second = self.halves.weight.split(SIZE, 1)
        y = self.norm(query * key @ first.t() + value @ second.t())
        return self.score(self.gru(y)[0])


@pytest.fixture(scope="module")
def network() -> Network:
    torch.manual_seed(0)
    made = Network().eval()
    for parameter in made.parameters():  # no two alike, as in a trained network
        parameter.data += 0.05 * torch.randn_like(parameter)
    return made


@pytest.fixture(scope="module")
def state(network: Network) -> dict[str, np.ndarray]:
    return {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory, network: Network) -> Path:
    """The graph in the folders fp32 and int8."""
    root = tmp_path_factory.mktemp("graphs")
    (root / "fp32").mkdir()
    (root / "int8").mkdir()
    torch.onnx.export(
        network,
        (torch.ones(2, 5, dtype=torch.int64),),
        str(root / "fp32" / "encode.onnx"),
        input_names=["ids"],
        output_names=["y"],
        dynamic_axes={"ids": {0: "batch", 1: "pieces"}},
        opset_version=17,
        dynamo=False,
    )
    quantize_file(root / "fp32" / "encode.onnx", root / "int8" / "encode.onnx", products=True)
    return root


@pytest.mark.parametrize(("precision", "error"), [("fp32", 1e-6), ("int8", 1 / 200)])
def test_weights_are_read_back(
    graphs: Path, state: dict[str, np.ndarray], precision: str, error: float
) -> None:
    write_places(graphs / precision, graphs / "fp32", state, UNUSED)
    found = read_weights_of(graphs / precision)
    assert set(state) - set(found) == {"unused.weight", "unused.bias"}
    assert not found["kinds.weight"][1].any()  # no graph holds it
    found["kinds.weight"][1] = state["kinds.weight"][1]
    for name, values in found.items():
        assert values.shape == state[name].shape, name
        assert np.abs(values - state[name]).max() <= error * np.abs(state[name]).max(), name


def test_numbers_that_are_no_weight(graphs: Path, state: dict[str, np.ndarray], tmp_path: Path):
    others = {name: values for name, values in state.items() if name != "halves.weight"}
    with pytest.raises(BackendError, match=r"of the graph encode is not found in the weights"):
        write_places(tmp_path, graphs / "fp32", others, UNUSED)
    assert not list(tmp_path.iterdir())


def test_a_weight_that_no_graph_uses(graphs: Path, state: dict[str, np.ndarray], tmp_path: Path):
    with pytest.raises(BackendError, match=r"2 weights are not found .* unused\.weight among them"):
        write_places(tmp_path, graphs / "fp32", state, ("kinds.",))
    assert not list(tmp_path.iterdir())


def test_a_broken_table_and_broken_graphs(
    graphs: Path, state: dict[str, np.ndarray], tmp_path: Path
):
    def refused(match: str) -> None:
        with pytest.raises(CheckpointError, match=match) as caught:
            read_weights_of(tmp_path)
        assert "\n" not in str(caught.value)

    write_places(tmp_path, graphs / "fp32", state, UNUSED)
    refused("cannot be read back")  # there are no graphs
    whole = (graphs / "int8" / "encode.onnx").read_bytes()
    (tmp_path / "encode.onnx").write_bytes(whole[: len(whole) // 2])
    refused("cannot be read back")
    (tmp_path / PLACES).write_text(json.dumps({"shapes": {}, "places": [[1, 2]]}))
    refused("install or export them again")
    (tmp_path / PLACES).write_text(json.dumps({"shapes": [1], "places": []}))
    refused("install or export them again")
    (tmp_path / PLACES).write_text("[" * 100_000)
    refused("install or export them again")


class Alike(nn.Module):
    """Weights of equal values, which the exporter writes once, and nearly empty ones."""

    def __init__(self) -> None:
        super().__init__()
        self.one, self.two = nn.LayerNorm(SIZE), nn.LayerNorm(SIZE)
        self.first, self.second = nn.Linear(SIZE, SIZE), nn.Linear(SIZE, SIZE)
        self.tied = nn.Linear(SIZE, SIZE, bias=False)
        self.sparse = nn.Linear(SIZE, SIZE, bias=False)
        with torch.no_grad():
            self.first.bias.zero_()
            self.second.bias.zero_()
            self.second.weight.copy_(self.first.weight)
            self.sparse.weight.zero_()
            self.sparse.weight[5, 7] = 0.25
        self.tied.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = self.one(self.first(x)) + self.two(self.second(x).relu())
        return self.sparse(self.tied(y))


def test_weights_of_equal_values(tmp_path: Path) -> None:
    network = Alike().eval()
    torch.onnx.export(
        network, (torch.randn(2, SIZE),), str(tmp_path / "encode.onnx"), input_names=["x"],
        dynamic_axes={"x": {0: "batch"}}, opset_version=17, dynamo=False,
    )  # fmt: skip
    state = {name: tensor.detach().numpy() for name, tensor in network.state_dict().items()}
    write_places(tmp_path, tmp_path, state)
    found = read_weights_of(tmp_path)
    assert found.keys() == state.keys()
    for name, values in found.items():
        np.testing.assert_allclose(values, state[name], atol=1e-6, err_msg=name)
