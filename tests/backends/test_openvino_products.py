"""Products of int8 graphs in OpenVINO: integers where the CPU has them, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino", reason="the extra openvino is not installed")

import torch
from torch import nn

from onepass.backends import openvino as openvino_backend
from onepass.backends.base import PRODUCTS, Graph
from onepass.backends.cpu import cpu, has_int8_products
from onepass.backends.onnx import OnnxBackend
from onepass.backends.openvino import OpenvinoBackend
from onepass.backends.openvino_products import multiply_integers
from onepass.backends.openvino_runtime import openvino
from onepass.nn.graphs.export import export_graphs
from onepass.nn.graphs.quantize import quantize_file

SIZE = 128
AXES = ("batch", "pieces", "hidden")
GRAPH = Graph("encode", {"x": AXES}, {"y": AXES})
fast_cpu = pytest.mark.skipif(
    not has_int8_products(cpu()[1]), reason="this CPU has no int8 products"
)


class Network(nn.Module):
    """Two products of a backbone, and one of a head, which stays exact."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(nn.Linear(SIZE, 256), nn.GELU(), nn.Linear(256, SIZE))
        self.head = nn.Linear(SIZE, SIZE)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.head(self.backbone(x))


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    x = np.random.default_rng(0).standard_normal((4, 20, SIZE)).astype(np.float32)
    x[..., 5] *= 30  # as in real encoders
    return x


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, inputs: np.ndarray) -> Path:
    """Graphs in the folders fp32, plain (rounded to the nearest) and fitted (to inputs)."""
    root = tmp_path_factory.mktemp("graphs")
    for name in ("fp32", "plain", "fitted"):
        (root / name).mkdir()
    torch.manual_seed(0)
    network = Network().eval()
    export_graphs(network, {"encode": network}, (GRAPH,), root / "fp32", hidden=SIZE)
    for name, runs in (("plain", []), ("fitted", [{"x": inputs[:2]}])):
        source, target = root / "fp32" / "encode.onnx", root / name / "encode.onnx"
        quantize_file(source, target, runs, products=True)
    return root


def read(path: Path, x: np.ndarray, kind: type = OpenvinoBackend, **options: object) -> np.ndarray:
    [y] = kind(path, (GRAPH,), threads=1, **options).run("encode", {"x": x})
    return np.asarray(y)


def test_products_of_the_backbone_are_rewritten(directory: Path) -> None:
    core = openvino.Core()
    for name in ("plain", "fitted"):
        assert multiply_integers(core.read_model(directory / name / "encode.onnx")) == 2
    assert multiply_integers(core.read_model(directory / "fp32" / "encode.onnx")) == 0


@pytest.mark.parametrize("name", ["plain", "fitted"])
def test_what_is_rewritten_computes_the_same(
    directory: Path, inputs: np.ndarray, name: str
) -> None:
    core = openvino.Core()
    model = core.read_model(directory / name / "encode.onnx")
    exact = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}
    before = core.compile_model(model, "CPU", exact)(inputs)[0]
    multiply_integers(model)
    after = core.compile_model(model, "CPU", exact)(inputs)[0]
    np.testing.assert_allclose(after, before, atol=1e-4)


@fast_cpu
@pytest.mark.parametrize("name", ["plain", "fitted"])
def test_integers_are_multiplied_where_the_cpu_can(
    directory: Path, inputs: np.ndarray, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fast = read(directory / name, inputs, precision="int8")
    alone = read(directory / name, inputs[1:2, 3:4], precision="int8")
    np.testing.assert_allclose(alone[0, 0], fast[1, 3], rtol=1e-4, atol=1e-4)
    monkeypatch.setattr(openvino_backend, "has_int8_products", lambda features: False)
    plain = read(directory / name, inputs, precision="int8")
    theirs = read(directory / name, inputs, OnnxBackend, precision="int8")
    size = np.abs(plain - inputs).mean()  # of what the network adds
    assert 1e-4 < np.abs(fast - plain).mean() / size < 0.05
    # Where the CPU has bf16, what comes between the products is rounded, too.
    assert np.abs(fast - plain).mean() < 2.0 * np.abs(theirs - plain).mean()


def test_without_a_form_for_integers_they_are_restored(
    directory: Path, inputs: np.ndarray, tmp_path: Path
) -> None:
    quantize_file(directory / "fp32" / "encode.onnx", tmp_path / "encode.onnx")
    assert not (tmp_path / "encode.onnx").with_suffix(PRODUCTS).exists()
    ours = read(tmp_path, inputs, precision="int8")
    np.testing.assert_allclose(ours, read(tmp_path, inputs, OnnxBackend), atol=1e-4)


@fast_cpu
def test_other_weights_are_restored(
    tmp_path: Path, inputs: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    head = nn.Linear(SIZE, SIZE)
    network = nn.ModuleDict({"backbone": nn.Linear(SIZE, SIZE), "head": head}).eval()
    graphs = tuple(Graph(name, {"x": AXES}, {"y": AXES}) for name in ("encode", "score"))
    functions = {"encode": lambda x: network["head"](network["backbone"](x)), "score": head}
    for name in ("fp32", "int8"):
        (tmp_path / name).mkdir()
    export_graphs(network, functions, graphs, tmp_path / "fp32", hidden=SIZE)
    for one in graphs:
        source, target = (tmp_path / kind / f"{one.name}.onnx" for kind in ("fp32", "int8"))
        quantize_file(source, target, products=True)
    backend = OpenvinoBackend(tmp_path / "int8", graphs, precision="int8", threads=1)
    [y] = backend.run("encode", {"x": inputs})
    monkeypatch.setattr(openvino_backend, "has_int8_products", lambda features: False)
    plain = OpenvinoBackend(tmp_path / "int8", graphs, precision="int8", threads=1)
    [middle] = plain.run("encode", {"x": inputs})
    assert 0 < np.abs(y - middle).mean() / np.abs(middle).mean() < 0.05
    model = openvino.Core().read_model(tmp_path / "int8" / "encode.onnx")
    assert multiply_integers(model) == 1
    kinds = [one.get_type_name() for one in model.get_ops()]
    assert kinds.count("Convert") == 1  # of the one weight that is still in eight bits
