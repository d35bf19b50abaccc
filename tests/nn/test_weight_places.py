"""Weights found in exported graphs, in parts, turned and multiplied, and read back from them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from onepass.errors import BackendError, CheckpointError
from onepass.nn.quantize import quantize_file
from onepass.nn.weight_places import TABLE, read_weights_of, write_places

SIZE = 96


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
    write_places(graphs / precision, graphs / "fp32", state)
    found = read_weights_of(graphs / precision)
    assert set(state) - set(found) == {"unused.weight", "unused.bias"}
    assert not found["kinds.weight"][1].any()  # no graph holds it
    found["kinds.weight"][1] = state["kinds.weight"][1]
    for name, values in found.items():
        assert values.shape == state[name].shape, name
        assert np.abs(values - state[name]).max() <= error * np.abs(state[name]).max(), name


def test_numbers_that_are_no_weight(graphs: Path, state: dict[str, np.ndarray], tmp_path: Path):
    others = {name: values for name, values in state.items() if name != "halves.weight"}
    with pytest.raises(BackendError, match=r"of the graph encode is no weight of the network"):
        write_places(tmp_path, graphs / "fp32", others)
    assert not list(tmp_path.iterdir())


def test_a_broken_table(graphs: Path, state: dict[str, np.ndarray], tmp_path: Path):
    write_places(tmp_path, graphs / "fp32", state)
    with pytest.raises(CheckpointError, match="cannot be read back"):
        read_weights_of(tmp_path)  # there are no graphs
    (tmp_path / TABLE).write_text(json.dumps({"shapes": {}, "places": [[1, 2]]}))
    with pytest.raises(CheckpointError, match="install the model again"):
        read_weights_of(tmp_path)
