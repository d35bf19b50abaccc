"""Graphs with products of integers: nearly the same numbers, row by row, from shared weights."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from onepass.backends import onnx as onnx_backend
from onepass.backends.base import Graph
from onepass.backends.cpu import cpu, has_int8_products
from onepass.backends.onnx import OnnxBackend
from onepass.nn.graphs.export import export_graphs
from onepass.nn.graphs.quantize import quantize_file

SIZE = 96
GRAPH = Graph("encode", {"x": ("batch", "pieces", "hidden")}, {"y": ("batch", "pieces", "hidden")})


class Network(nn.Module):
    """Two products of a backbone, one of which the exporter writes as a node, and one of a head."""

    def __init__(self) -> None:
        super().__init__()
        self.backbone = nn.Sequential(
            nn.Linear(SIZE, 3 * SIZE), nn.GELU(), nn.Linear(3 * SIZE, SIZE, bias=False)
        )
        self.head = nn.Linear(SIZE, SIZE)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.head(self.backbone(x))


@pytest.fixture(scope="module")
def inputs() -> np.ndarray:
    rng = np.random.default_rng(0)
    x = rng.standard_normal((4, 50, 20)) @ rng.standard_normal((20, SIZE)) / 5
    x[..., 5] *= 30  # as in real encoders
    return x.astype(np.float32)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory, inputs: np.ndarray) -> Path:
    """Graphs in the folders fp32, plain and fitted."""
    root = tmp_path_factory.mktemp("graphs")
    for name in ("fp32", "plain", "fitted"):
        (root / name).mkdir()
    torch.manual_seed(0)
    torch.onnx.export(
        Network().eval(),
        (torch.ones(2, 5, SIZE),),
        str(root / "fp32" / "encode.onnx"),
        input_names=["x"],
        output_names=["y"],
        dynamic_axes={"x": {0: "batch", 1: "pieces"}, "y": {0: "batch", 1: "pieces"}},
        opset_version=17,
        dynamo=False,
    )
    runs = [{"x": inputs[:2], "unused": inputs}]
    for name, given in (("plain", []), ("fitted", runs)):
        quantize_file(
            root / "fp32" / "encode.onnx", root / name / "encode.onnx", given, products=True
        )
    return root


def run(path: Path, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    out: np.ndarray = session.run(None, {"x": x})[0]
    return out


def lost(directory: Path, name: str, x: np.ndarray) -> float:
    exact = run(directory / "fp32" / "encode.onnx", x)
    return float(np.abs(run(directory / name, x) - exact).max() / np.abs(exact - x).max())


# Elsewhere their sums overflow, and the backend leaves them alone.
SIGNED = pytest.param(
    "encode.products.onnx",
    marks=pytest.mark.skipif(not has_int8_products(cpu()[1]), reason="no int8 products"),
)


@pytest.mark.parametrize("form", ["encode.onnx", SIGNED, "encode.unsigned.onnx"])
def test_nearly_the_same_numbers(directory: Path, inputs: np.ndarray, form: str) -> None:
    plain, fitted = (lost(directory, f"{name}/{form}", inputs[2:]) for name in ("plain", "fitted"))
    assert 0 < fitted < plain < 0.1


def test_products_of_the_backbone_are_of_integers(directory: Path) -> None:
    fast, exact = (
        onnx.load(directory / "fitted" / name) for name in ("encode.products.onnx", "encode.onnx")
    )
    kinds = [node.op_type for node in fast.graph.node]
    assert kinds.count("MatMulIntegerToFloat") == 2
    assert kinds.count("MatMul") == 1  # of the head
    assert not any(node.op_type.startswith("MatMulInteger") for node in exact.graph.node)


def test_a_row_depends_on_itself_alone(directory: Path, inputs: np.ndarray) -> None:
    path = directory / "fitted" / "encode.products.onnx"
    beside = inputs.copy()
    beside[1:] *= 1000
    np.testing.assert_allclose(run(path, beside)[0], run(path, inputs[:1])[0], atol=1e-5)
    assert np.isfinite(run(path, 0 * inputs)).all()


def test_all_forms_read_the_same_weights(directory: Path) -> None:
    files = {path.name: path.stat().st_size for path in (directory / "fitted").iterdir()}
    forms = {"encode.onnx", "encode.products.onnx", "encode.unsigned.onnx"}
    assert set(files) == forms | {"encode.weights"}
    whole = (directory / "fp32" / "encode.onnx").stat().st_size
    assert sum(files.values()) < 0.4 * whole
    plain = {path.name for path in (directory / "fp32").iterdir()}
    assert plain == {"encode.onnx"}


@pytest.mark.parametrize(
    ("features", "form"),
    [
        (("avx2", "avx512_vnni"), "encode.products.onnx"),
        (("avx2", "fma"), "encode.unsigned.onnx"),
        ((), "encode.onnx"),
        (None, "encode.onnx"),
    ],
)
def test_the_backend_runs_the_form_that_suits_the_cpu(
    directory: Path,
    inputs: np.ndarray,
    monkeypatch: pytest.MonkeyPatch,
    features: tuple[str, ...] | None,
    form: str,
) -> None:
    monkeypatch.setattr(onnx_backend, "cpu", lambda: ("a CPU", features))
    folder = directory / "fitted"
    expected = run(folder / form, inputs)
    [ours] = OnnxBackend(folder, [GRAPH], precision="int8", threads=1).run("encode", {"x": inputs})
    np.testing.assert_array_equal(ours, expected)


def test_graphs_without_the_form_for_a_cpu_run_as_they_are(
    directory: Path, tmp_path: Path, inputs: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("encode.onnx", "encode.products.onnx", "encode.weights"):  # of an older version
        shutil.copy(directory / "fitted" / name, tmp_path)
    monkeypatch.setattr(onnx_backend, "cpu", lambda: ("a CPU", ("avx2",)))
    [ours] = OnnxBackend(tmp_path, [GRAPH], threads=1).run("encode", {"x": inputs})
    np.testing.assert_array_equal(ours, run(tmp_path / "encode.onnx", inputs))


def test_sums_of_unsigned_products_do_not_overflow(tmp_path: Path) -> None:
    class Ones(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = nn.ModuleList([nn.Linear(SIZE, SIZE, bias=False)])
            nn.init.ones_(self.backbone[0].weight)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            out: torch.Tensor = self.backbone[0](x)
            return out

    export_graphs(Ones().eval(), {"encode": Ones().eval()}, [GRAPH], tmp_path, hidden=SIZE)
    quantize_file(tmp_path / "encode.onnx", tmp_path / "encode.onnx", products=True)
    x = np.ones((1, 3, SIZE), np.float32)  # 255 * 127 twice is more than 16 bits hold
    np.testing.assert_allclose(run(tmp_path / "encode.unsigned.onnx", x), SIZE * x, rtol=1e-5)


def test_without_products_there_is_one_file(directory: Path, tmp_path: Path) -> None:
    quantize_file(directory / "fp32" / "encode.onnx", tmp_path / "encode.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["encode.onnx"]


def test_an_input_is_quantized_once_for_all_products_with_it(
    tmp_path: Path, inputs: np.ndarray
) -> None:
    class Heads(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.backbone = nn.ModuleList(nn.Linear(SIZE, SIZE * 2, bias=False) for _ in range(3))

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            one, two, three = (part(x) for part in self.backbone)
            return one[..., :SIZE] + 2 * two[..., :SIZE] - three[..., SIZE:]

    torch.manual_seed(0)
    heads = Heads().eval()
    with torch.no_grad():
        heads.backbone[1].weight *= torch.linspace(0.1, 3, SIZE)  # the factors suit all of them
    export_graphs(heads, {"encode": heads}, [GRAPH], tmp_path, hidden=SIZE)
    exact = run(tmp_path / "encode.onnx", inputs[2:])
    for name, runs in (("plain", []), ("fitted", [{"x": inputs[:2]}])):
        target = tmp_path / name / "encode.onnx"
        target.parent.mkdir()
        quantize_file(tmp_path / "encode.onnx", target, runs, products=True)
        fast = target.with_suffix(".products.onnx")
        kinds = [node.op_type for node in onnx.load(fast).graph.node]
        assert (kinds.count("QuantizeLinear"), kinds.count("MatMulIntegerToFloat")) == (1, 3)
        runs_here = [fast] if has_int8_products(cpu()[1]) else []
        for path in (target, target.with_suffix(".unsigned.onnx"), *runs_here):
            difference = np.abs(run(path, inputs[2:]) - exact)
            assert 0 < difference.max() < 0.1 * np.abs(exact).max()
