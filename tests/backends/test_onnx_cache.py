"""Optimized graphs are kept for this machine, and nothing depends on them."""

from __future__ import annotations

import os
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from onepass.backends import base, onnx_cache
from onepass.backends.onnx import OnnxBackend
from onepass.backends.onnx_cache import open_cached
from onepass.builtin import builtin_checkpoint
from onepass.hub import exports
from onepass.models.gliner2.graphs import GRAPHS

BUILTIN = builtin_checkpoint().directory / "onnx" / "int8"
INPUTS = {
    "ids": np.array([[5, 900, 77, 30, 6, 7]]),
    "mask": np.ones((1, 6), dtype=np.int64),
    "words": np.array([[[2], [3], [4]]]),
    "markers": np.array([[1]]),
    "types": np.array([[0, 0, 1, 8, 15, 0]]),  # shapes of words
}


@pytest.fixture
def graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory of a small graph, which is kept all the same."""
    monkeypatch.setattr(onnx_cache, "SMALLEST", 0)
    directory = tmp_path / "graphs"
    directory.mkdir()
    for one in GRAPHS:
        shutil.copyfile(BUILTIN / "count.onnx", directory / f"{one.name}.onnx")
    return directory


def run(directory: Path, cache: Path | None) -> np.ndarray:
    backend = OnnxBackend(directory, GRAPHS, threads=1, cache=cache)
    (out,) = backend.run("count", {"parents": np.linspace(-1, 1, 384, dtype=np.float32)[None]})
    return out


def kept(cache: Path) -> list[Path]:
    return sorted(cache.iterdir()) if cache.is_dir() else []


def test_the_optimized_graph_says_the_same(tmp_path: Path) -> None:
    plain = OnnxBackend(BUILTIN, GRAPHS, threads=1).run("encode", INPUTS)
    for _ in range(2):  # made, then found
        cached = OnnxBackend(BUILTIN, GRAPHS, threads=1, cache=tmp_path).run("encode", INPUTS)
        for one, other in zip(plain, cached, strict=True):
            np.testing.assert_array_equal(one, other)
    (directory,) = kept(tmp_path)
    sizes = {path.name: path.stat().st_size for path in directory.iterdir()}
    assert sizes["weights.bin"] > 10 * sizes["graph.onnx"]  # which is what can be mapped


def test_it_is_made_once(graph: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(graph, cache)
    before = [path.stat().st_mtime_ns for path in cache.rglob("*")]
    assert len(before) >= 2
    run(graph, cache)
    assert [path.stat().st_mtime_ns for path in cache.rglob("*")] == before


def test_a_graph_that_has_changed_is_another(graph: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    run(graph, cache)
    os.utime(graph / "count.onnx", (1, 1))
    run(graph, cache)
    assert len(kept(cache)) == 2


@pytest.mark.parametrize("name", ["count.weights", "graphs.json"])
def test_other_weights_beside_the_same_graph_are_another(
    graph: Path, tmp_path: Path, name: str
) -> None:
    cache = tmp_path / "cache"
    (graph / name).write_bytes(b"{}")
    assert open_cached(graph / "count.onnx", 1, cache)
    state = (graph / name).stat()
    (graph / name).write_bytes(b"[]")
    if name == "graphs.json":  # of the same size and time
        os.utime(graph / name, ns=(state.st_atime_ns, state.st_mtime_ns))
    else:
        os.utime(graph / name, (1, 1))
    assert open_cached(graph / "count.onnx", 1, cache)
    assert len(list(cache.glob("[!.]*"))) == 2


def test_the_manifest_has_the_name_that_exports_give_it() -> None:
    assert base.MANIFEST == exports.MANIFEST  # `onepass --help` does without this package


def test_small_graphs_open_as_they_are(tmp_path: Path) -> None:
    run(BUILTIN, tmp_path / "cache")
    assert open_cached(BUILTIN / "count.onnx", 1, tmp_path / "cache") is None
    assert kept(tmp_path / "cache") == []


@pytest.mark.parametrize("name", ["graph.onnx", "weights.bin"])
@pytest.mark.parametrize("size", [0, 40])
def test_a_damaged_one_is_not_used(
    graph: Path, tmp_path: Path, name: str, size: int, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache"
    expected = run(graph, cache)
    (directory,) = kept(cache)
    path = directory / name
    path.write_bytes(path.read_bytes()[:size])
    with caplog.at_level("DEBUG", "onepass.backends"):
        np.testing.assert_array_equal(run(graph, cache), expected)
    assert f"in {directory} is removed" in caplog.text
    np.testing.assert_array_equal(run(graph, cache), expected)  # it is made anew
    assert path.stat().st_size > size


def test_a_place_that_cannot_be_written(
    graph: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    expected = run(graph, None)
    (tmp_path / "file").touch()
    with caplog.at_level("DEBUG", "onepass.backends"):
        np.testing.assert_array_equal(run(graph, tmp_path / "file" / "cache"), expected)
    assert "count.onnx is not kept in" in caplog.text
    assert "Not a directory" in caplog.text
    assert open_cached(graph / "count.onnx", 1, tmp_path / "file") is None


def test_a_place_that_cannot_be_looked_into(graph: Path, tmp_path: Path) -> None:
    closed = tmp_path / ("long" * 100)  # no name of a file, also for root, who enters all others
    np.testing.assert_array_equal(run(graph, closed), run(graph, None))


def test_several_may_make_it_at_once(graph: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    with ThreadPoolExecutor(4) as pool:
        outs = list(pool.map(lambda _: run(graph, cache), range(8)))
    for out in outs:
        np.testing.assert_array_equal(out, outs[0])
    assert len(kept(cache)) == 1  # nothing half-made is left


@pytest.mark.skipif(sys.platform == "win32", reason="no rights of others")
def test_what_others_may_write_is_not_used(
    graph: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "a" / "cache"
    before = os.umask(0)
    try:
        expected = run(graph, cache)
    finally:
        os.umask(before)
    (directory,) = kept(cache)
    assert all(place.stat().st_mode & 0o777 == 0o700 for place in (cache, directory))
    weights = directory / "weights.bin"
    weights.write_bytes(bytes(weights.stat().st_size))
    for place in (cache, directory):
        place.chmod(0o777)
        with caplog.at_level("DEBUG", "onepass.backends"):
            np.testing.assert_array_equal(run(graph, cache), expected)
        assert f"in {directory} is another user's, or others may write" in caplog.text
        caplog.clear()
        place.chmod(0o770)  # a group may
    assert not np.array_equal(run(graph, cache), expected)


@pytest.mark.skipif(sys.platform == "win32" or os.geteuid() != 0, reason="only root gives away")
def test_what_another_user_put_there_is_not_used(
    graph: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cache = tmp_path / "cache"
    expected = run(graph, cache)
    (directory,) = kept(cache)
    weights = directory / "weights.bin"
    weights.write_bytes(bytes(weights.stat().st_size))
    os.chown(weights, 12345, 12345)
    with caplog.at_level("DEBUG", "onepass.backends"):
        np.testing.assert_array_equal(run(graph, cache), expected)
    assert f"in {directory} is another user's" in caplog.text
