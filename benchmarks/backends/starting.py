"""What whole processes take, from their start to their end: an import, and the first extraction.

Run as a program, it prints the result: ``starting.py [REPEATS [THREADS]]``.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping
from statistics import median

EXTRACT = ("-m", "onepass", "extract", "Tim Cook runs Apple in Cupertino.", "-e", "person")
COMMANDS: Mapping[str, tuple[str, ...]] = {
    "python": ("-c", "pass"),
    "import": ("-c", "import onepass"),
    "extract": EXTRACT,
}


def time_starting(repeats: int, threads: int) -> dict[str, dict[str, float]]:
    """Return medians of wall seconds, CPU seconds and peak MiB of each command, run in turns.

    Args:
        repeats: runs of each, after one that warms up and fills the cache.
        threads: of a model.

    Returns:
        Also "extract, empty cache", "extract, openvino" where it is installed, and in "import" how
        much longer it takes than Python alone.
    """
    runs: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as cache:
        for _ in range(repeats + 1):
            for name, command in COMMANDS.items():
                runs.setdefault(name, []).append(_run(command, cache, "onnx", threads))
            with tempfile.TemporaryDirectory() as empty:
                one = _run(EXTRACT, empty, "onnx", threads)
                runs.setdefault("extract, empty cache", []).append(one)
            if _has_openvino():
                one = _run(EXTRACT, cache, "openvino", threads)
                runs.setdefault("extract, openvino", []).append(one)
    found = {
        name: {key: round(median(run[key] for run in own[1:]), 4) for key in own[0]}
        | {"fastest_seconds": round(min(run["wall_seconds"] for run in own[1:]), 4)}
        for name, own in runs.items()
    }
    found["import"]["beyond_python_seconds"] = round(
        found["import"]["wall_seconds"] - found["python"]["wall_seconds"], 4
    )
    return found


def _run(command: tuple[str, ...], cache: str, backend: str, threads: int) -> dict[str, float]:
    """Run Python once and return what it took."""
    own = {"ONEPASS_CACHE": cache, "ONEPASS_BACKEND": backend, "OMP_NUM_THREADS": str(threads)}
    if command is EXTRACT:
        command = (*command, "--threads", str(threads))
    began = time.perf_counter()
    nothing = [(os.POSIX_SPAWN_OPEN, 1, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(
        sys.executable, [sys.executable, *command], os.environ | own, file_actions=nothing
    )
    _, status, usage = os.wait4(child, 0)
    if os.waitstatus_to_exitcode(status):
        raise SystemExit(f"failed: {' '.join(command)}")
    return {
        "wall_seconds": time.perf_counter() - began,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_mib": usage.ru_maxrss // 1024,  # Linux counts in KiB
    }


def _has_openvino() -> bool:
    from importlib.util import find_spec

    return find_spec("openvino") is not None


if __name__ == "__main__":
    given = [int(one) for one in sys.argv[1:]]
    print(json.dumps(time_starting(*given, *(5, 1)[len(given) :]), indent=2))
