"""OpenVINO runs the graphs of ONNX Runtime, in fp32 as exactly, and from many threads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from math import isqrt
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("openvino", reason="the extra openvino is not installed")

import torch
from torch import nn

from onepass.backends import openvino as openvino_backend
from onepass.backends.base import Graph
from onepass.backends.onnx import OnnxBackend
from onepass.backends.openvino import OpenvinoBackend
from onepass.backends.openvino_runtime import openvino
from onepass.errors import BackendError, RunFailed
from onepass.nn.backbones.deberta import DebertaBackbone, DebertaConfig
from onepass.nn.graphs.branches import MANY
from onepass.nn.graphs.export import export_graphs

HIDDEN = 64
GRAPHS = (
    Graph("layer", {"x": ("batch", "hidden")}, {"y": ("batch", "hidden")}),
    Graph(
        "both",
        {"x": ("batch", "hidden"), "item_mask": ("batch", "items")},
        {"y": ("batch", "hidden"), "z": ("batch", "hidden")},
    ),
)
HAS_BF16 = "BF16" in openvino.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("graphs")
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Linear(HIDDEN, 256), nn.GELU(), nn.Linear(256, HIDDEN)).eval()
    functions = {"layer": layer, "both": lambda x, item_mask: (x + 1, x - 1)}
    export_graphs(layer, functions, GRAPHS, directory, hidden=HIDDEN)
    return directory


def rows(count: int) -> np.ndarray:
    return np.random.default_rng(count).normal(size=(count, HIDDEN)).astype(np.float32)


def test_outputs_in_their_order(made: Path) -> None:
    backend = OpenvinoBackend(made, GRAPHS, threads=1)
    x = rows(3)
    y, z = backend.run("both", {"x": x, "item_mask": np.ones((3, 2), dtype=np.int64)})
    np.testing.assert_array_equal(y, x + 1)
    np.testing.assert_array_equal(z, x - 1)
    assert (backend.name, backend.precision) == ("openvino", "fp32")


@torch.no_grad()
def test_short_and_long_texts_in_turn(tmp_path: Path) -> None:
    graph = Graph(
        "encode",
        {"ids": ("batch", "pieces"), "mask": ("batch", "pieces")},
        {"vectors": ("batch", "pieces", "hidden")},
    )
    torch.manual_seed(0)
    sizes = {"vocab_size": 50, "hidden_size": HIDDEN, "intermediate_size": 96}
    shape = {"num_hidden_layers": 2, "num_attention_heads": 2, "relative_attention": True}
    distances = {"position_buckets": 32, "pos_att_type": ["c2p", "p2c"], "share_att_key": True}
    backbone = DebertaBackbone(DebertaConfig.from_dict(sizes | shape | distances))
    backbone.prepare()
    export_graphs(backbone, {"encode": backbone}, (graph,), tmp_path, hidden=HIDDEN)
    backend = OpenvinoBackend(tmp_path, (graph,), threads=1)
    many = isqrt(MANY)
    for pieces in (12, many, many + 44, many + 45, 30, many + 140):
        ids = np.random.default_rng(pieces).integers(0, 50, (1, pieces))
        mask = np.ones_like(ids)
        (vectors,) = backend.run("encode", {"ids": ids, "mask": mask})
        expected = backbone(torch.from_numpy(ids), torch.from_numpy(mask)).numpy()
        np.testing.assert_allclose(vectors, expected, atol=2e-5)


def test_outputs_belong_to_the_caller(made: Path) -> None:
    backend = OpenvinoBackend(made, GRAPHS, threads=1)
    mask = np.ones((3, 2), dtype=np.int64)
    first, _ = backend.run("both", {"x": rows(3), "item_mask": mask})
    kept = first.copy()
    backend.run("both", {"x": -rows(3), "item_mask": mask})
    np.testing.assert_array_equal(first, kept)
    assert first.flags.writeable


def test_fp32_is_fp32(made: Path) -> None:
    """On CPUs with bf16 the runtime would use it, if it were not told otherwise."""
    (expected,) = OnnxBackend(made, GRAPHS, threads=1).run("layer", {"x": rows(20)})
    (out,) = OpenvinoBackend(made, GRAPHS, threads=1).run("layer", {"x": rows(20)})
    np.testing.assert_allclose(out, expected, atol=1e-5)


def test_bf16_is_bf16_or_refused(made: Path) -> None:
    if not HAS_BF16:
        with pytest.raises(BackendError, match="This CPU has no bf16 products"):
            OpenvinoBackend(made, GRAPHS, precision="bf16")
        return
    (expected,) = OnnxBackend(made, GRAPHS, threads=1).run("layer", {"x": rows(20)})
    backend = OpenvinoBackend(made, GRAPHS, threads=1, precision="bf16")
    (out,) = backend.run("layer", {"x": rows(20)})
    assert out.dtype == np.float32
    assert 1e-5 < np.abs(out - expected).max() < 0.05
    assert backend.precision == "bf16"


def test_many_threads(made: Path) -> None:
    backend = OpenvinoBackend(made, GRAPHS, threads=1)
    sizes = [1 + n % 5 for n in range(64)]
    expected = {n: backend.run("layer", {"x": rows(n)})[0] for n in set(sizes)}
    with ThreadPoolExecutor(8) as pool:
        outs = list(pool.map(lambda n: backend.run("layer", {"x": rows(n)})[0], sizes))
    for n, out in zip(sizes, outs, strict=True):
        np.testing.assert_allclose(out, expected[n], atol=1e-6)


@pytest.mark.parametrize("content", [b"", b"nonsense", None])
def test_a_damaged_cache_is_not_used(made: Path, tmp_path: Path, content: bytes | None) -> None:
    (expected,) = OpenvinoBackend(made, GRAPHS, cache=tmp_path).run("layer", {"x": rows(2)})
    blobs = list(tmp_path.rglob("*.blob"))
    assert blobs
    for path in blobs:
        whole = path.read_bytes()
        path.write_bytes(whole[: len(whole) // 2] if content is None else content)
    (out,) = OpenvinoBackend(made, GRAPHS, cache=tmp_path).run("layer", {"x": rows(2)})
    np.testing.assert_array_equal(out, expected)


SIGNALED = """
import gc, os, signal, sys
from pathlib import Path
from onepass.backends.base import Graph
from onepass.backends.openvino import OpenvinoBackend

graphs = (Graph("layer", {"x": ("batch", "hidden")}, {"y": ("batch", "hidden")}),)
first, second = (OpenvinoBackend(Path(sys.argv[1]), graphs, threads=1) for _ in range(2))
for one in (first, second):
    one.open("layer")
del first, one
gc.collect()
del second
gc.collect()
signal.signal(signal.SIGUSR1, lambda *_: print("heard"))
os.kill(os.getpid(), signal.SIGUSR1)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="has no such signals")
def test_signals_are_heard_after_models_are_gone(made: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", SIGNALED, str(made)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (said.returncode, said.stdout) == (0, "heard\n"), said.stderr


def test_compiled_models_that_were_not_used_for_longest_go(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = tmp_path / "1.blob", tmp_path / "2.blob"
    for path, hours in ((old, 9), (new, 2)):
        path.write_bytes(bytes(100))
        os.utime(path, (time.time() - hours * 3600,) * 2)
    monkeypatch.setattr(openvino_backend, "MOST", 1 << 20)
    OpenvinoBackend(made, GRAPHS, cache=tmp_path).open("layer")
    assert {old, new} < set(tmp_path.glob("*.blob"))  # there is room for all
    monkeypatch.setattr(openvino_backend, "MOST", 0)
    OpenvinoBackend(made, GRAPHS, cache=tmp_path).open("both")
    kept = set(tmp_path.glob("*.blob"))
    assert kept, "those of this hour stay"
    assert not {old, new} & kept


def test_a_cache_that_cannot_be_written(made: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    backend = OpenvinoBackend(made, GRAPHS, cache=tmp_path / "file" / "cache")
    (out,) = backend.run("layer", {"x": rows(2)})
    (expected,) = OpenvinoBackend(made, GRAPHS).run("layer", {"x": rows(2)})
    np.testing.assert_array_equal(out, expected)


@pytest.mark.skipif(sys.platform == "win32", reason="no rights of others")
def test_a_cache_that_others_may_write_stays_empty(made: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    OpenvinoBackend(made, GRAPHS, cache=tmp_path).run("layer", {"x": rows(2)})
    assert list(tmp_path.iterdir()) == []


def test_inputs_that_a_graph_fails_on(made: Path) -> None:
    backend = OpenvinoBackend(made, GRAPHS)
    with pytest.raises(RunFailed, match=r"layer\.onnx fails on the text .*onepass export") as error:
        backend.run("layer", {"x": np.ones((), dtype=np.float32)})  # others pass on some CPUs
    assert "\n" not in str(error.value)


def test_missing_and_broken_graphs_are_named(made: Path, tmp_path: Path) -> None:
    directory = Path(shutil.copytree(made, tmp_path / "graphs"))
    (directory / "layer.onnx").write_bytes(b"nonsense")
    with pytest.raises(BackendError, match=r"layer\.onnx cannot be run .*onepass export") as error:
        OpenvinoBackend(directory, GRAPHS).run("layer", {"x": rows(1)})
    assert "\n" not in str(error.value)
    (directory / "both.onnx").unlink()
    with pytest.raises(BackendError, match=r"lacks the graphs both; run  onepass export"):
        OpenvinoBackend(directory, GRAPHS)
