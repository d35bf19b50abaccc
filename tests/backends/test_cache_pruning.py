"""The cache stays small: what was not used for longest goes, whoever else uses it."""

from __future__ import annotations

import multiprocessing
import os
import shutil
import time
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest

from onepass.backends import cache_pruning, onnx_cache
from onepass.backends.cache_pruning import mark_used, prune
from onepass.backends.onnx import OnnxBackend
from onepass.builtin import builtin_checkpoint
from onepass.models.gliner2.graphs import GRAPHS

BUILTIN = builtin_checkpoint().directory / "onnx" / "int8"
SIZE = 100


def put(cache: Path, name: str, *, hours: float, size: int = SIZE) -> Path:
    """Keep something that was last used so many hours ago."""
    place = cache / name
    place.mkdir(parents=True)
    (place / "graph").write_bytes(bytes(size // 2))
    (place / "weights").write_bytes(bytes(size - size // 2))
    then = time.time() - hours * 3600
    os.utime(place / "graph", (then, then))
    return place


def names(cache: Path) -> list[str]:
    return sorted(path.name for path in cache.iterdir())


def test_what_was_not_used_for_longest_goes(tmp_path: Path) -> None:
    for name, hours in (("a", 2), ("b", 9), ("c", 5), ("d", 3)):
        put(tmp_path, name, hours=hours)
    prune(tmp_path, "graph", 4 * SIZE)
    assert names(tmp_path) == ["a", "b", "c", "d"]
    prune(tmp_path, "graph", 2 * SIZE)
    assert names(tmp_path) == ["a", "d"]
    mark_used(tmp_path / "d" / "graph")
    prune(tmp_path, "graph", SIZE)
    assert names(tmp_path) == ["d"]


def test_use_changes_nothing_but_the_time_of_access(tmp_path: Path) -> None:
    file = put(tmp_path, "a", hours=5) / "graph"
    before = file.stat()
    mark_used(file)
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    assert time.time() - file.stat().st_atime < 60
    mark_used(tmp_path / "none")  # nothing happens


def test_what_is_in_use_stays_however_large_it_is(tmp_path: Path) -> None:
    put(tmp_path, "new", hours=0, size=10 * SIZE)
    put(tmp_path, "new too", hours=0.5, size=10 * SIZE)
    put(tmp_path, "old", hours=2)
    prune(tmp_path, "graph", SIZE)
    assert names(tmp_path) == ["new", "new too"]


def test_what_others_make_or_left_behind(tmp_path: Path) -> None:
    making = put(tmp_path, ".a-1", hours=0)
    left = put(tmp_path, ".b-2", hours=0)
    os.utime(left, (1, 1))
    (tmp_path / "note").write_text("not ours")
    prune(tmp_path, "graph", 0)
    assert making.is_dir()
    assert names(tmp_path) == [".a-1", "note"]
    prune(tmp_path / "none", "graph", 0)


def test_what_is_mapped_is_still_there_for_who_mapped_it(tmp_path: Path) -> None:
    place = put(tmp_path, "a", hours=2)
    (place / "weights").write_bytes(b"\x07" * SIZE)
    os.utime(place / "graph", (1, 1))
    mapped = np.memmap(place / "weights", mode="r")
    prune(tmp_path, "graph", 0)
    assert os.name == "nt" or names(tmp_path) == []
    assert (mapped == 7).all()


def _keep_pruning(cache: str, stop: Event) -> None:
    """Prune without mercy, in a process of its own, until it is told to stop."""
    cache_pruning.IN_USE = -1e9
    while not stop.is_set():
        prune(Path(cache), "graph.onnx", 0)


def test_processes_that_open_and_prune_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes meanwhile, a graph opens and says the same."""
    monkeypatch.setattr(onnx_cache, "SMALLEST", 0)
    graphs, cache = tmp_path / "graphs", tmp_path / "cache"
    graphs.mkdir()
    for one in GRAPHS:
        shutil.copyfile(BUILTIN / "count.onnx", graphs / f"{one.name}.onnx")
    inputs = {"parents": np.linspace(-1, 1, 384, dtype=np.float32)[None]}
    (expected,) = OnnxBackend(graphs, GRAPHS, threads=1).run("count", inputs)
    context = multiprocessing.get_context("spawn")
    stop = context.Event()
    others = [
        context.Process(target=_keep_pruning, args=(str(cache), stop), daemon=True)
        for _ in range(2)
    ]
    for process in others:
        process.start()
    end = time.monotonic() + 3.0
    try:
        while time.monotonic() < end:
            (out,) = OnnxBackend(graphs, GRAPHS, threads=1, cache=cache).run("count", inputs)
            np.testing.assert_array_equal(out, expected)
    finally:
        stop.set()
        for process in others:
            process.join()
    assert [process.exitcode for process in others] == [0, 0]
    assert all(not name.startswith(".") for name in names(cache))


def test_a_graph_that_is_added_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_cache, "SMALLEST", 0)
    monkeypatch.setattr(onnx_cache, "MOST", 1)
    cache = tmp_path / "cache"
    backend = OnnxBackend(BUILTIN, GRAPHS, threads=1, cache=cache)
    backend.open("count")
    (first,) = names(cache)
    then = time.time() - 7200
    os.utime(cache / first / "graph.onnx", (then, then))
    backend.open("classify")
    (second,) = names(cache)
    assert second != first
    then = time.time() - 7200
    os.utime(cache / second / "graph.onnx", (then, then))
    OnnxBackend(BUILTIN, GRAPHS, threads=1, cache=cache).open("classify")  # found: it is used now
    assert time.time() - (cache / second / "graph.onnx").stat().st_atime < 60
