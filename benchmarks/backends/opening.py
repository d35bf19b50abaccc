"""How long it takes to open the graphs of a checkpoint, and how much memory they stay in.

Run as a program, it is one process that opens them once:
``opening.py BACKEND DIRECTORY THREADS [CACHE]``; it prints JSON.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from onepass.models.gliner2.graphs import GRAPHS  # noqa: E402

OPENED = ("encode", "spans", "queries", "count")


def time_opening(directory: Path, repeats: int, threads: int) -> dict[str, Any]:
    """Return seconds and MiB of each way to open graphs, each run a process of its own.

    Args:
        directory: of the graphs.
        repeats: runs of each; before them, caches are filled, and that is measured once.
        threads: of a session.
    """
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as cache:
        ways = {
            f"{backend}{', cached' if kept else ''}": (backend, kept)
            for backend in ("onnx", "openvino")
            for kept in ((), (cache,))
        }
        filling = {}
        for name, (backend, kept) in ways.items():
            one = _child(backend, str(directory), str(threads), *kept)
            if kept:
                filling[name] = one
        for _ in range(repeats):
            for name, (backend, kept) in ways.items():
                found.setdefault(name, []).append(
                    _child(backend, str(directory), str(threads), *kept)
                )
        size = sum(path.stat().st_size for path in Path(cache).rglob("*") if path.is_file())
    return {
        "ways": {name: _medians(runs) for name, runs in found.items()},
        "first_time": filling,
        "cache_mib_of_both": round(size / 2**20),
    }


def _medians(runs: list[dict[str, float]]) -> dict[str, float]:
    return {key: round(median(run[key] for run in runs), 4) for key in runs[0]}


def _child(*arguments: str) -> dict[str, float]:
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, capture_output=True, text=True
    )
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _open(backend: str, directory: Path, threads: int, cache: Path | None) -> dict[str, float]:
    run = _opener(backend, directory, threads, cache)
    before, wall, used = _resident(), time.perf_counter(), time.process_time()
    run()
    return {
        "wall_seconds": round(time.perf_counter() - wall, 4),
        "cpu_seconds": round(time.process_time() - used, 4),
        "resident_mib": _resident() - before,
    }


def _opener(backend: str, directory: Path, threads: int, cache: Path | None) -> Any:
    """Return what opens the graphs; importing the runtime is not part of it."""
    if backend == "onnx":
        from onepass.backends.onnx import OnnxBackend as Chosen
    else:
        from onepass.backends.openvino import OpenvinoBackend as Chosen

    def run() -> None:
        made = Chosen(directory, GRAPHS, threads=threads, cache=cache)
        kept.append(made)
        for name in OPENED:
            made.open(name)

    kept: list[Any] = []
    return run


def _resident() -> int:
    """Return how many MiB this process holds in memory now."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


if __name__ == "__main__":
    name, path, count, *rest = sys.argv[1:]
    print(json.dumps(_open(name, Path(path), int(count), Path(rest[0]) if rest else None)))
