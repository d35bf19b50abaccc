"""Exported graphs are the network for every size of every axis that may change."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from tests.tiny import make_tiny_checkpoint

from onepass.arrays import Array
from onepass.backends.base import FIXED_AXES
from onepass.models.gliner2.config import COUNTING_LAYERS
from onepass.models.gliner2.graphs import GRAPHS
from onepass.models.gliner2.network.checkpoint import load_network
from onepass.nn.graphs.export import OPSET, export_graphs

HIDDEN, VOCABULARY = 32, 90
Sizes = Mapping[str, int]

SIZES: tuple[Sizes, ...] = (
    {"batch": 1, "pieces": 1, "words": 1, "depth": 1, "markers": 1, "groups": 1, "items": 1,
     "steps": 1, "queries": 1, "labels": 1},
    {"batch": 3, "pieces": 70, "words": 33, "depth": 1, "markers": 20, "groups": 5, "items": 30,
     "steps": 19, "queries": 40, "labels": 200},
    {"batch": 2, "pieces": 300, "words": 1, "depth": 1, "markers": 2, "groups": 1, "items": 150,
     "steps": 2, "queries": 1, "labels": 2},
)  # fmt: skip


@pytest.fixture(
    scope="module",
    params=[*(("bert", layer) for layer in COUNTING_LAYERS), ("deberta-v2", "count_lstm")],
)
def exported(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A network with the directory of its graphs."""
    directory = tmp_path_factory.mktemp("network")
    make_tiny_checkpoint(directory, backbone=request.param[0], counting_layer=request.param[1])
    network = load_network(directory)
    network.backbone.prepare()
    export_graphs(network, network.graphs(), GRAPHS, directory, hidden=HIDDEN)
    return network, directory


def inputs_of(graph: Any, sizes: Sizes, generator: np.random.Generator) -> dict[str, Array]:
    made: dict[str, Array] = {}
    for name, axes in graph.inputs.items():
        shape = [HIDDEN if axis == "hidden" else sizes[axis] for axis in axes]
        if axes[-1] == "hidden":
            made[name] = generator.standard_normal(shape, dtype=np.float32)
        elif name == "steps":
            made[name] = np.arange(shape[0])
        elif name.endswith("mask"):  # at least one is real, padding is on the right
            real = generator.integers(1, shape[1] + 1, size=(shape[0], 1))
            made[name] = (np.arange(shape[1]) < real).astype(np.int64)
        else:
            most = VOCABULARY if name == "ids" else sizes["pieces"]
            made[name] = generator.integers(0, most, size=shape)
    return made


@pytest.mark.parametrize("sizes", SIZES, ids=["least", "many", "long"])
@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_same_numbers_at_every_size(exported: Any, graph: Any, sizes: Sizes) -> None:
    network, directory = exported
    inputs = inputs_of(graph, sizes, np.random.default_rng(0))
    session = onnxruntime.InferenceSession(directory / f"{graph.name}.onnx")
    taken = {one.name for one in session.get_inputs()}
    got = session.run(None, {name: array for name, array in inputs.items() if name in taken})
    with torch.no_grad():
        expected = network.graphs()[graph.name](*(torch.from_numpy(a) for a in inputs.values()))
    outputs = expected if isinstance(expected, tuple) else (expected,)
    assert len(got) == len(outputs) == len(graph.outputs)
    for ours, theirs in zip(got, outputs, strict=True):
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("graph", GRAPHS, ids=lambda graph: graph.name)
def test_axes_have_their_names(exported: Any, graph: Any) -> None:
    model = onnx.load(exported[1] / f"{graph.name}.onnx")
    assert [one.version for one in model.opset_import if not one.domain] == [OPSET]
    assert [one.name for one in model.graph.output] == list(graph.outputs)
    assert {one.name for one in model.graph.input} <= set(graph.inputs)
    for value in [*model.graph.input, *model.graph.output]:
        axes = {**graph.inputs, **graph.outputs}[value.name]
        dimensions = value.type.tensor_type.shape.dim
        assert len(dimensions) == len(axes)
        for axis, dimension in zip(axes, dimensions, strict=True):
            if axis in FIXED_AXES:
                assert not dimension.dim_param or dimension.dim_param not in axes
            else:
                assert dimension.dim_param == axis


def test_every_graph_of_the_network_is_written(exported: Any) -> None:
    network, directory = exported
    assert {path.stem for path in directory.glob("*.onnx")} == set(network.graphs())
    assert {graph.name for graph in GRAPHS} == set(network.graphs())


def test_an_unknown_directory(exported: Any, tmp_path: Path) -> None:
    network, _ = exported
    with pytest.raises(FileNotFoundError):
        export_graphs(network, network.graphs(), GRAPHS, tmp_path / "absent", hidden=HIDDEN)
