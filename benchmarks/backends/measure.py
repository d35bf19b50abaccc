"""ONNX Runtime beside OpenVINO, and what it takes to start: the numbers of docs/runtimes.md.

Usage: python benchmarks/backends/measure.py --output RESULT.json [--threads N] [--quick]

Three parts; the README beside this file says what each of them is.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.backends.opening import time_opening  # noqa: E402
from benchmarks.common.encoders import BASE, TINY  # noqa: E402
from benchmarks.common.int8 import write_int8  # noqa: E402
from benchmarks.common.timing import ratio, spread  # noqa: E402
from benchmarks.speed.checkpoints import make  # noqa: E402
from benchmarks.speed.wording import make_batch, make_labels, make_text  # noqa: E402

from onepass import Extractor  # noqa: E402
from onepass.backends.cpu import available_cores, cpu  # noqa: E402
from onepass.cli.machine import cores, versions  # noqa: E402
from onepass.errors import OnepassError  # noqa: E402
from onepass.hub import export_dir, locate  # noqa: E402

PARTS = ("reading", "opening", "starting")
LABELS = 5
WORDS = (30, 200, 500)
MIXED = 8  # texts of 10 to 350 words
BUILTIN, RANDOM = "built-in", "random, base size"
EXACT = "onnx fp32"
# Of each checkpoint: name to backend and precision; the first is what others are compared with.
SYSTEMS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    BUILTIN: {"onnx int8": ("onnx", "int8"), "openvino int8": ("openvino", "int8")},
    RANDOM: {
        EXACT: ("onnx", "fp32"),
        "openvino fp32": ("openvino", "fp32"),
        "openvino bf16": ("openvino", "bf16"),
        "onnx int8": ("onnx", "int8"),
        "openvino int8": ("openvino", "int8"),
    },
}


def main() -> None:
    """Measure and write the result."""
    options = parse()
    with tempfile.TemporaryDirectory() as own:
        root = options.checkpoints or Path(own)
        size = TINY if options.quick else BASE
        directory = make("gliner2", root, size)
        write_int8(directory)
        result: dict[str, Any] = {
            "machine": describe(options.threads),
            "texts": {"labels": LABELS, "mixed": MIXED},
        }
        if "starting" in options.only:
            result["starting"] = _starting(options.repeats, options.threads)
        if "reading" in options.only:
            result["reading"] = [
                found
                for kind in SYSTEMS
                for found in time_reading(kind, None if kind == BUILTIN else directory, options)
            ]
        if "opening" in options.only:
            graphs = {BUILTIN: _builtin_graphs(), RANDOM: _graphs(directory)}
            result["opening"] = {
                kind: time_opening(graphs[kind], options.repeats, options.threads)
                for kind in graphs
            }
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text(json.dumps(result, indent=2) + "\n", encoding="utf-8")


def parse() -> argparse.Namespace:
    """Return the options of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--quick", action="store_true", help="with a tiny checkpoint")
    parser.add_argument("--checkpoints", type=Path, help="where the random one is kept")
    return parser.parse_args()


def describe(threads: int) -> dict[str, Any]:
    """Return what the numbers were measured on."""
    name, features = cpu()
    return {
        "cpu": name, "features": list(features or ()), "cores": cores(), "threads": threads,
        "versions": versions(),
    }  # fmt: skip


def time_reading(
    kind: str, directory: Path | None, options: argparse.Namespace
) -> list[dict[str, Any]]:
    """Return what each system takes for the same texts, in turn, in one process."""
    models: dict[str, Extractor] = {}
    for name, (backend, precision) in SYSTEMS[kind].items():
        asked: Any = {"backend": backend, "precision": precision, "threads": options.threads}
        try:
            models[name] = (
                Extractor(**asked)
                if directory is None
                else Extractor.from_pretrained(directory, **asked)
            )
        except OnepassError as error:
            sys.stderr.write(f"{name} is left out: {error}\n")
    first = next(iter(models))
    schema = {"entities": list(make_labels(LABELS))}
    found = []
    for about, texts in _texts(options.quick).items():
        calls: dict[str, Callable[[], object]] = {
            name: partial(model.extract, texts, schema) for name, model in models.items()
        }
        seconds = _take_turns(calls, options.repeats)
        took = {name: spread(own) for name, own in seconds.items()}
        ratios = {name: ratio(took[first], own) for name, own in took.items() if name != first}
        found.append({"checkpoint": kind, "texts": about, "systems": took, "ratios": ratios})
        sys.stderr.write(f"{kind}, {about}: { {n: r['median'] for n, r in ratios.items()} }\n")
    return found


def _take_turns(calls: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the CPU seconds of each run of each system, the first of which warms up.

    With one thread they are what the clock on the wall shows where nothing else runs, and they are
    the same where something does.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(repeats + 1):
        for name, call in calls.items():
            began = time.process_time()
            call()
            seconds[name].append(time.process_time() - began)
    return seconds


def _texts(quick: bool) -> dict[str, Sequence[str]]:
    lengths = WORDS[:1] if quick else WORDS
    alone = {f"one of {words} words": [make_text(words)] for words in lengths}
    return alone if quick else {**alone, f"{MIXED} of 10 to 350 words": make_batch(MIXED)}


def _starting(repeats: int, threads: int) -> Any:
    """Return what starting.py finds, run as a process of its own.

    A child of this large process would be counted as large as its parent.
    """
    command = [sys.executable, str(Path(__file__).with_name("starting.py"))]
    done = subprocess.run(
        [*command, str(repeats), str(threads)], check=True, capture_output=True, text=True
    )
    return json.loads(done.stdout)


def _builtin_graphs() -> Path:
    from onepass.builtin import builtin_checkpoint

    return builtin_checkpoint().directory / "onnx" / "int8"


def _graphs(directory: Path) -> Path:
    Extractor.from_pretrained(directory, backend="onnx", precision="fp32")  # writes them
    return export_dir(locate(directory), precision="fp32") / "fp32"


if __name__ == "__main__":
    main()
