"""Feed-forwards in parts compute what they did whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests.nn.tracing import traced
from tests.tiny import make_tiny_checkpoint
from torch import nn

from onepass.models.gliner2.graphs import GRAPHS
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.nn.backbones.activations import ACTIVATIONS
from onepass.nn.graphs import feed_forward
from onepass.nn.graphs.export import export_graphs
from onepass.nn.graphs.feed_forward import split_feed_forwards

HIDDEN, COLUMNS = 12, 24


class Plain(nn.Module):
    """Two feed-forwards with residuals, the second with the biases of the first."""

    def __init__(self, activation: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.up, self.up2 = (nn.Linear(HIDDEN, COLUMNS) for _ in range(2))
        self.down, self.down2 = (nn.Linear(COLUMNS, HIDDEN) for _ in range(2))
        self.up2.bias.data = self.up.bias.data.clone()  # written once by the exporter
        self.activation = activation

    def forward(self, x: Any) -> Any:
        x = x + self.down(self.activation(self.up(x)))
        return x + self.down2(self.activation(self.up2(x)))


class Gated(Plain):
    """A product whose columns are multiplied by those of another one."""

    def forward(self, x: Any) -> Any:
        return self.down(self.activation(self.up(x)) * self.up2(x))


class Three(Plain):
    """Three products, of which the second ends one feed-forward and begins another."""

    def __init__(self, activation: Callable[[torch.Tensor], torch.Tensor]) -> None:
        super().__init__(activation)
        self.middle = nn.Linear(COLUMNS, COLUMNS)

    def forward(self, x: Any) -> Any:
        inner = self.activation(self.middle(self.activation(self.up(x))))
        return self.down(inner)


class ReadElsewhere(Plain):
    """What is between the products is read by something else, too."""

    def forward(self, x: Any) -> Any:
        inner = self.activation(self.up(x))
        return self.down(inner) + inner.mean(-1, keepdim=True)


class NotByColumn(Plain):
    """What is between the products depends on all columns."""

    def forward(self, x: Any) -> Any:
        return self.down(torch.softmax(self.up(x), -1))


def both(module: nn.Module, path: Path, widest: int) -> tuple[int, float, onnx.ModelProto]:
    """Return how many feed-forwards were split, the largest difference, and the graph."""
    x = torch.randn(2, 5, HIDDEN, generator=torch.Generator().manual_seed(1))
    axes: Mapping[str, tuple[str, ...]] = {
        "x": ("batch", "pieces", "hidden"), "out": ("batch", "pieces", "hidden"),
    }  # fmt: skip
    whole = traced(module.eval(), {"x": x}, axes, path)
    model = onnx.load(path)
    count = split_feed_forwards(model, widest)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    other = torch.randn(3, 7, HIDDEN, generator=torch.Generator().manual_seed(2))
    [out] = session.run(None, {"x": other.numpy()})
    return count, float(np.abs(out - whole(other).numpy()).max()), model


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
@pytest.mark.parametrize("widest", [1, 8, 23])
def test_the_same_in_parts(activation: str, widest: int, tmp_path: Path) -> None:
    count, difference, model = both(Plain(ACTIVATIONS[activation]), tmp_path / "g.onnx", widest)
    assert count == 2
    assert difference < 1e-6
    names = [name for node in model.graph.node for name in node.output]
    assert len(names) == len(set(names))
    columns = [t.dims[1] for t in model.graph.initializer if list(t.dims)[:-1] == [HIDDEN]]
    assert set(columns) == {{1: 1, 8: 8, 23: 12}[widest]}  # no weight is left whole


def test_gates_are_cut_likewise(tmp_path: Path) -> None:
    count, difference, _ = both(Gated(ACTIVATIONS["silu"]), tmp_path / "g.onnx", 8)
    assert count == 1
    assert difference < 1e-6


def test_a_product_is_of_one_feed_forward_only(tmp_path: Path) -> None:
    count, difference, _ = both(Three(ACTIVATIONS["relu"]), tmp_path / "g.onnx", 8)
    assert count == 1
    assert difference < 1e-6


@pytest.mark.parametrize(
    ("module", "widest"),
    [(Plain, COLUMNS), (ReadElsewhere, 8), (NotByColumn, 8)],
    ids=["narrow", "read elsewhere", "not by column"],
)
def test_others_stay_as_they_are(module: type[Plain], widest: int, tmp_path: Path) -> None:
    count, difference, _ = both(module(ACTIVATIONS["relu"]), tmp_path / "g.onnx", widest)
    assert (count, difference) == (0, 0)


def test_weights_in_a_file_of_their_own_stay(tmp_path: Path) -> None:
    x = torch.zeros(1, 2, HIDDEN)
    axes: Mapping[str, tuple[str, ...]] = {"x": ("b", "p", "hidden"), "out": ("b", "p", "hidden")}
    traced(Plain(torch.relu).eval(), {"x": x}, axes, tmp_path / "g.onnx")
    model = onnx.load(tmp_path / "g.onnx")
    onnx.save(model, tmp_path / "h.onnx", save_as_external_data=True, size_threshold=0)
    assert split_feed_forwards(onnx.load(tmp_path / "h.onnx", load_external_data=False), 8) == 0


@pytest.mark.parametrize("backbone", ["bert", "deberta-v2"])
def test_exported_backbones(backbone: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_tiny_checkpoint(tmp_path, backbone=backbone)
    network = load_network(tmp_path)
    network.backbone.prepare()
    outputs = []
    for in_parts in (False, True):
        monkeypatch.setattr(feed_forward, "WIDEST", 8)
        export_graphs(network, network.graphs(), GRAPHS[:1], tmp_path, hidden=32, in_parts=in_parts)
        session = onnxruntime.InferenceSession(tmp_path / "encode.onnx")
        generator = np.random.default_rng(0)
        ids = generator.integers(5, 60, (2, 11))
        given = {
            "ids": ids, "mask": np.ones_like(ids), "types": np.zeros_like(ids),
            "words": generator.integers(3, 11, (2, 6, 1)), "markers": np.array([[1, 2], [1, 2]]),
        }  # fmt: skip
        taken = {one.name for one in session.get_inputs()}
        outputs.append(session.run(None, {k: v for k, v in given.items() if k in taken}))
    nodes = [node.name for node in onnx.load(tmp_path / "encode.onnx").graph.node]
    assert any(".part1" in name for name in nodes)
    for whole, parts in zip(*outputs, strict=True):
        np.testing.assert_allclose(parts, whole, atol=1e-5)
