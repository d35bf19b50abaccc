"""ONNX Runtime runs exported graphs: what is missing or broken is said in a sentence."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from onepass.backends.base import Graph
from onepass.backends.onnx import OnnxBackend
from onepass.errors import BackendError, RunFailed
from onepass.nn.graphs.export import export_graphs

GRAPHS = (
    Graph("double", {"x": ("batch", "hidden")}, {"y": ("batch", "hidden")}),
    Graph(
        "both",
        {"x": ("batch", "hidden"), "item_mask": ("batch", "items")},
        {"y": ("batch", "hidden"), "z": ("batch", "hidden")},
    ),
    Graph("table", {"x": ("batch", "hidden")}, {"y": ("batch", "others")}),
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("graphs")
    functions = {
        "double": lambda x: 2 * x,
        "both": lambda x, item_mask: (x + 1, x - 1),
        "table": lambda x: x[:, :1] * x[:, 0],
    }
    export_graphs(nn.Identity(), functions, GRAPHS, directory, hidden=4)
    return directory


def test_outputs_in_their_order(made: Path) -> None:
    backend = OnnxBackend(made, GRAPHS, threads=1)
    x = np.arange(12, dtype=np.float32).reshape(3, 4)
    (y,) = backend.run("double", {"x": x})
    np.testing.assert_array_equal(y, 2 * x)
    y, z = backend.run("both", {"x": x, "item_mask": np.ones((3, 2), dtype=np.int64)})
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(z, x - 1)
    assert (backend.name, backend.precision) == ("onnx", "fp32")
    assert OnnxBackend(made, GRAPHS, precision="int8").precision == "int8"


def test_inputs_stay_as_they_are(made: Path) -> None:
    x = np.ones((2, 4), dtype=np.float32)
    x.flags.writeable = False
    OnnxBackend(made, GRAPHS, threads=1).run("double", {"x": x})
    np.testing.assert_array_equal(x, 1)


def test_a_session_is_opened_once_when_it_is_needed(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = Path(shutil.copytree(made, tmp_path / "graphs"))
    backend = OnnxBackend(directory, GRAPHS, threads=1)
    x = np.ones((1, 4), dtype=np.float32)
    with ThreadPoolExecutor(8) as pool:
        outs = list(pool.map(lambda n: backend.run("double", {"x": n * x})[0], range(32)))
    for n, out in enumerate(outs):
        np.testing.assert_array_equal(out, 2 * n * x)
    shutil.rmtree(directory)
    backend.run("double", {"x": x})  # it is open


def test_missing_graphs_are_named(made: Path, tmp_path: Path) -> None:
    shutil.copyfile(made / "double.onnx", tmp_path / "double.onnx")
    with pytest.raises(BackendError, match=r"lacks the graphs both, table; run  onepass export"):
        OnnxBackend(tmp_path, GRAPHS)


@pytest.mark.parametrize("size", [0, 50])
def test_a_broken_graph(made: Path, tmp_path: Path, size: int) -> None:
    directory = Path(shutil.copytree(made, tmp_path / "graphs"))
    path = directory / "double.onnx"
    path.write_bytes(path.read_bytes()[:size])
    backend = OnnxBackend(directory, GRAPHS)
    with pytest.raises(BackendError, match=r"double\.onnx cannot be run .*onepass export") as error:
        backend.run("double", {"x": np.ones((1, 4), dtype=np.float32)})
    assert "\n" not in str(error.value)


def test_inputs_that_a_graph_fails_on(made: Path) -> None:
    backend = OnnxBackend(made, GRAPHS)
    with pytest.raises(
        RunFailed, match=r"double\.onnx fails on the text .*onepass export"
    ) as error:
        backend.run("double", {"x": np.ones((1, 5), dtype=np.float32)})
    assert "\n" not in str(error.value)


def test_a_run_for_which_memory_does_not_suffice(made: Path) -> None:
    rows = np.ones((1 << 23, 4), dtype=np.float32)  # squared, 256 TiB
    with pytest.raises(
        RunFailed,
        match=r"table\.onnx needs more memory than there is .*; free some, or use less",
    ) as error:
        OnnxBackend(made, GRAPHS, threads=1).run("table", {"x": rows})
    assert "export" not in str(error.value)
