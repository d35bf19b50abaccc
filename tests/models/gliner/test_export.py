"""Exported graphs are the networks of all architectures, for every size of every axis."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import torch
from tests.gliner_checkpoints import HIDDEN, KINDS, RELATED
from tests.models.gliner.conftest import Case

from onepass.arrays import Array
from onepass.backends.base import Graph
from onepass.models.gliner.graphs import graphs
from onepass.models.gliner.network.network import GlinerNetwork
from onepass.nn.graphs.export import export_graphs

EVERY = (*KINDS, *RELATED)
ENCODER_PARTS = {
    "encoder", "encoder_hidden", "subtoken_pooling", "num_rnn_layers", "fuse_layers",
    "labels_encoder", "decoder",
}  # fmt: skip
Sizes = Mapping[str, int]
Exported = tuple[Case, Path]
SIZES: Mapping[str, Sizes] = {
    "least": {
        "batch": 1, "pieces": 1, "words": 1, "depth": 1, "labels": 1, "types": 1, "spans": 1,
        "pairs": 1,
    },
    "many": {
        "batch": 3, "pieces": 70, "words": 33, "depth": 4, "labels": 20, "types": 7, "spans": 30,
        "pairs": 40,
    },
}  # fmt: skip
FIXED = {"hidden": HIDDEN, "two": 2}


@pytest.fixture(scope="module")
def exported(
    case_of: Callable[[str], Case], tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Exported]:
    """Exports each kind of checkpoint once."""

    @cache
    def make(name: str) -> Exported:
        case = case_of(name)
        directory = tmp_path_factory.mktemp("graphs")
        network = case.network
        network.prepare()
        own = written(name, network)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            export_graphs(network, network.graphs(), own, directory, hidden=network.hidden)
        return case, directory

    return make


def written(name: str, network: GlinerNetwork) -> list[Graph]:
    """Return the graphs to compare: `encode` once for all kinds with the same encoder."""
    options = {**KINDS, **RELATED}
    first = next(
        one for one in EVERY if encoder_parts(options[one]) == encoder_parts(options[name])
    )
    return [graph for graph in graphs(network.config) if graph.name != "encode" or name == first]


def encoder_parts(options: Mapping[str, Any]) -> object:
    """Return what the graph `encode` depends on."""
    parts = {name: options[name] for name in options.keys() & ENCODER_PARTS}
    return parts | {"related": "relations_layer" in options}


def inputs_of(graph: Graph, sizes: Sizes, vocabulary: int) -> dict[str, Array]:
    """Return random inputs with padding in every row but the first; none of it is picked."""
    generator = np.random.default_rng(0)
    real = np.full((sizes["batch"], 1), sizes["pieces"])
    made: dict[str, Array] = {}
    for name, axes in graph.inputs.items():
        shape = [{**sizes, **FIXED}[axis] for axis in axes]
        if axes[-1] == "hidden":
            made[name] = generator.standard_normal(shape, dtype=np.float32)
        elif name.endswith("_counts"):
            most = sizes[name.removesuffix("_counts") + "s"]
            made[name] = generator.integers(0, most, size=shape)
            made[name][0] = most
        elif name.endswith("mask"):
            real = generator.integers(1, shape[1] + 1, size=(shape[0], 1))
            real[0] = shape[1]
            made[name] = (np.arange(shape[1]) < real).astype(np.int64)
        elif name == "places":
            ends = np.sort(generator.integers(0, sizes["words"], size=shape), axis=-1)
            made[name] = np.minimum(ends, ends[..., :1] + 3)
        elif name == "words":
            picked = generator.integers(-1, sizes["pieces"], size=shape)
            made[name] = np.where(picked < 0, -1, picked % real[..., None])
        elif name.endswith("ids"):
            made[name] = generator.integers(0, vocabulary, size=shape)
        else:
            picked = generator.integers(0, sizes["pieces"], size=shape)
            made[name] = picked % real if axes[0] == "batch" else picked
    return made


@cache
def opened(path: Path) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(path)


def assert_same_numbers(exported: Exported, graph: Graph, sizes: Sizes) -> None:
    case, directory = exported
    inputs = inputs_of(graph, sizes, vocabulary=130)
    session = opened(directory / f"{graph.name}.onnx")
    taken = {one.name for one in session.get_inputs()}
    got: Any = session.run(None, {name: array for name, array in inputs.items() if name in taken})
    with torch.no_grad():
        run = case.network.graphs()[graph.name]
        expected = run(*(torch.from_numpy(array) for array in inputs.values()))
    outputs = expected if isinstance(expected, tuple) else (expected,)
    assert len(got) == len(outputs) == len(graph.outputs)
    for ours, theirs in zip(got, outputs, strict=True):
        assert ours.dtype == np.float32
        assert ours.shape == tuple(theirs.shape)
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("name", EVERY)
def test_same_numbers_at_every_size(
    name: str, sizes: str, exported: Callable[[str], Exported]
) -> None:
    made = exported(name)
    for graph in written(name, made[0].network):
        assert_same_numbers(made, graph, SIZES[sizes])
