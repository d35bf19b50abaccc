"""What is measured over whole processes: cold start, import, memory, and the built-in model.

Run as a program, it is one such process: ``processes.py memory SYSTEM DIRECTORY THREADS`` or
``processes.py builtin THREADS RUNS CLOCK``; it prints JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.timing import CLOCKS, Clock, timed  # noqa: E402
from benchmarks.speed.wording import make_labels, make_text  # noqa: E402

COLD = ("-m", "onepass", "extract", "Tim Cook runs Apple in Cupertino.", "-e", "person")
WORDS, LABELS = 200, 5  # of the built-in model's text
_LARGE = 500  # words whose reading shows how much memory a system needs


def _children() -> float:
    """Return the CPU seconds of all processes that this one started."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def starts(repeats: int, clock: str) -> dict[str, dict[str, float]]:
    """Return the seconds of whole processes: Python alone, an import of onepass, a cold extract.

    Modules are compiled once, as those of an installed package are, whatever the environment says.
    """
    now = _children if clock == "cpu" else CLOCKS[clock]
    commands = {
        "python": ("-c", "pass"),
        "import": ("-c", "import onepass"),
        "extract": COLD,
    }
    seconds: dict[str, list[float]] = {name: [] for name in commands}
    with tempfile.TemporaryDirectory() as compiled:
        own = {"PYTHONDONTWRITEBYTECODE": "", "PYTHONPYCACHEPREFIX": compiled}
        run = partial(subprocess.run, check=True, capture_output=True, env=os.environ | own)
        for _ in range(repeats + 1):
            for name, command in commands.items():
                began = now()
                run([sys.executable, *command])
                seconds[name].append(now() - began)
    out = {
        name: {
            "runs": repeats,
            "median_seconds": round(median(own[1:]), 4),
            "fastest_seconds": round(min(own[1:]), 4),
            "slowest_seconds": round(max(own[1:]), 4),
        }
        for name, own in seconds.items()
    }
    more = [a - b for a, b in zip(seconds["import"][1:], seconds["python"][1:], strict=True)]
    out["import"]["beyond_python_seconds"] = round(median(more), 4)
    return out


def child(*arguments: str) -> dict[str, Any]:
    """Return what a process of this program prints."""
    done = subprocess.run(
        [sys.executable, __file__, *arguments], check=True, capture_output=True, text=True
    )
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _peak() -> int:
    """Return the most memory that this process had, in MiB.

    Linux gives a new program the peak of the one that started it in its resource usage.
    """
    status = Path("/proc/self/status")
    if status.is_file():
        lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return int(lines["VmHWM"].split()[0]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024**2


def _memory(system: str, directory: str, threads: int) -> dict[str, Any]:
    """Open a checkpoint in one system, read a text, and return the peaks in MiB."""
    labels, text = list(make_labels(LABELS)), make_text(_LARGE)
    if system == "gliner2":
        import torch
        from gliner2 import GLiNER2

        torch.set_num_threads(threads)
        peer = GLiNER2.from_pretrained(directory).eval()
        opened = _peak()
        peer.extract_entities(text, labels)
    else:
        from onepass import Extractor

        backend, precision = system.split("-")
        model = Extractor.from_pretrained(
            directory, backend=backend, precision=precision, threads=threads
        )
        opened = _peak()
        model.entities(text, labels)
    return {"opened_mib": opened, "peak_mib": _peak(), "words": _LARGE}


def _builtin(threads: int, repeats: int, clock: Clock) -> dict[str, Any]:
    """Return what the built-in model takes for a text of 200 words, and the peak in MiB."""
    from onepass import Extractor

    model = Extractor(threads=threads)
    text, labels = make_text(WORDS), ["person", "company", "city", "product", "date"][:LABELS]
    seconds = []
    for _ in range(repeats + 3):
        seconds.append(timed(partial(model.entities, text, labels), clock))
    kept = seconds[3:]
    return {
        "words": WORDS,
        "labels": LABELS,
        "runs": len(kept),
        "median_seconds": round(median(kept), 5),
        "fastest_seconds": round(min(kept), 5),
        "slowest_seconds": round(max(kept), 5),
        "texts_per_second": round(1 / median(kept), 2),
        "peak_mib": _peak(),
    }


def main(arguments: Sequence[str]) -> int:
    """Run one of the measurements and print it."""
    what, *rest = arguments
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    if what == "memory":
        system, directory, threads = rest
        found = _memory(system, directory, int(threads))
    else:
        found = _builtin(int(rest[0]), int(rest[1]), CLOCKS[rest[2]])
    sys.stdout.write(json.dumps(found) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
