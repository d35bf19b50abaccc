"""The torch backend calls the functions of a network with arrays, in the order of the graph."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from onepass.backends.base import Graph
from onepass.backends.torch import DTYPES, DeviceRows, TorchBackend, resolve_device
from onepass.errors import BackendError

GRAPHS = (
    Graph("minus", {"left": ("batch",), "right": ("batch",)}, {"out": ("batch",)}),
    Graph("pair", {"x": ("batch",)}, {"low": ("batch",), "high": ("batch",)}),
)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def backend(threads: int | None = None) -> TorchBackend:
    return TorchBackend(
        {"minus": lambda a, b: a - b, "pair": lambda x: (x - 1, x + 1)}, GRAPHS, threads=threads
    )


def test_arguments_go_by_name() -> None:
    left, right = np.array([3.0, 4.0], dtype=np.float32), np.array([1.0, 9.0], dtype=np.float32)
    (out,) = backend().run("minus", {"right": right, "left": left})
    np.testing.assert_array_equal(out, left - right)
    assert out.dtype == np.float32


def test_several_outputs() -> None:
    low, high = backend().run("pair", {"x": np.array([5], dtype=np.int64)})
    assert (low.tolist(), high.tolist()) == ([4], [6])


def test_no_gradients_are_kept() -> None:
    layer = nn.Linear(2, 2)
    graph = Graph("layer", {"x": ("batch", "hidden")}, {"y": ("batch", "hidden")})
    (out,) = TorchBackend({"layer": layer}, [graph]).run(
        "layer", {"x": np.ones((1, 2), dtype=np.float32)}
    )
    assert isinstance(out, np.ndarray)  # a tensor that needs a gradient could not become one


@pytest.mark.usefixtures("threads")
def test_threads() -> None:
    before = torch.get_num_threads()
    backend()
    assert torch.get_num_threads() == before
    backend(threads=1)
    assert torch.get_num_threads() == 1
    assert (backend().name, backend().precision) == ("torch", "fp32")


def test_outputs_are_fp32_whatever_it_computes_with() -> None:
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(64, 64), nn.GELU(), nn.Linear(64, 8))
    graph = Graph("layer", {"x": ("batch", "hidden")}, {"y": ("batch", "hidden")})
    x = np.random.default_rng(0).normal(size=(4, 64)).astype(np.float32)
    (expected,) = TorchBackend({"layer": layer}, [graph]).run("layer", {"x": x})
    half = layer.to(DTYPES["bf16"])
    # Functions of networks make constants of fp32 as well.
    (out,) = TorchBackend(
        {"layer": lambda x: half(x + torch.zeros(64))}, [graph], precision="bf16"
    ).run("layer", {"x": x})
    assert out.dtype == np.float32
    assert 1e-5 < np.abs(out - expected).max() < 0.05


KEEPING = (
    Graph(
        "split",
        {"x": ("batch", "hidden")},
        {"a": ("batch",), "b": ("batch",)},
        kept=frozenset({"a"}),
    ),
    Graph("sum", {"a": ("batch", "hidden"), "b": ("batch", "hidden")}, {"y": ("batch",)}),
)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_what_a_graph_keeps_goes_into_others_as_it_is(precision: str) -> None:
    functions = {"split": lambda x: (x * 2, x), "sum": lambda a, b: (a + b).sum(1)}
    x = np.arange(6, dtype=np.float32).reshape(3, 2)
    answers = []
    for keep in (False, True):
        made = TorchBackend(functions, KEEPING, precision=precision, keep=keep)
        a, b = made.run("split", {"x": x})
        assert (a.shape, len(a), isinstance(a, DeviceRows)) == ((3, 2), 3, keep)
        assert isinstance(b, np.ndarray)
        rows = np.array([2, 0])
        for own in (rows, slice(1, None)):
            (y,) = made.run("sum", {"a": a[own], "b": b[own]})
            assert isinstance(y, np.ndarray)
            np.testing.assert_array_equal(y, 3 * x[own].sum(1))
        answers.append(made.run("sum", {"b": b, "a": a})[0].tolist())
    assert answers[0] == answers[1]


def test_on_a_cpu_nothing_is_kept() -> None:
    a, _ = TorchBackend({"split": lambda x: (x, x)}, KEEPING).run(
        "split", {"x": np.ones((1, 2), dtype=np.float32)}
    )
    assert isinstance(a, np.ndarray)


@pytest.mark.filterwarnings("error")
def test_arrays_that_must_not_be_written() -> None:
    x = np.ones(2, dtype=np.float32)
    x.flags.writeable = False
    assert backend().run("pair", {"x": x})[1].tolist() == [2, 2]


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_a_gpu_that_is_not_there() -> None:
    assert resolve_device("auto", "fp32") == resolve_device("cpu", "bf16") == "cpu"
    with pytest.raises(BackendError, match="Torch finds no CUDA device here"):
        resolve_device("cuda", "fp32")
    for device in ("auto", "cpu"):
        with pytest.raises(BackendError, match="fp16 runs on a GPU only, and this is a CPU"):
            resolve_device(device, "fp16")


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("precision", DTYPES)
def test_a_gpu(precision: str) -> None:
    device = resolve_device("auto", precision)
    layer = nn.Linear(8, 4).to(device=device, dtype=DTYPES[precision])
    graph = Graph("layer", {"x": ("batch", "hidden")}, {"y": ("batch", "hidden")})
    made = TorchBackend({"layer": layer}, [graph], precision=precision, device=device)
    (out,) = made.run("layer", {"x": np.ones((2, 8), dtype=np.float32)})
    assert (out.shape, out.dtype) == ((2, 4), np.float32)


def test_compiled_functions_say_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """Traced as on a GPU, and run without kernels: making those takes a minute."""
    graphs: list[Any] = []

    def traced(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend=traced))

    def function(x: torch.Tensor) -> torch.Tensor:
        return torch.sigmoid(x) * 2 + x

    graph = Graph("f", {"x": ("batch",)}, {"y": ("batch",)})
    plain, compiled = (
        TorchBackend({"f": function}, [graph], compiled=compiled) for compiled in (False, True)
    )
    for count in (3, 5, 8, 13):
        x = np.linspace(-2, 2, count, dtype=np.float32)
        np.testing.assert_allclose(
            compiled.run("f", {"x": x})[0], plain.run("f", {"x": x})[0], atol=1e-6
        )
    assert len(graphs) == 1  # not one for each length
