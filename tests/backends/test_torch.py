"""The torch backend calls the functions of a network with arrays, in the order of the graph."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
import torch
from torch import nn

from onepass.backends.base import Graph
from onepass.backends.torch import TorchBackend

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
