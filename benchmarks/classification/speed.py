"""How fast classification is by number of labels and length of text, onepass beside others.

Usage: python benchmarks/classification/speed.py --output DIR [--threads N] [--limit SECONDS]

Makes two random checkpoints of the size of DeBERTa-v3-base: a GLiClass uni-encoder, which onepass
and gliclass run, and a classifier of entailment, which onepass and transformers run. First the
scores of each pair must be equal to 1e-4, or nothing is timed and the exit code is 1. Then the
systems read the same texts in turn, cell by cell: examples a second, as in Table 6 of the GLiClass
paper, and the latency of one text, as in Table 4 of the GLiNER2 paper.

A cell that is expected to take longer than the limit is written down as not measured. DIR receives
speed.json (after each cell), speed.txt and speed-DEVICE.svg. Needs the extra parity and 6 GB.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import numpy as np  # noqa: E402
import torch  # noqa: E402
from benchmarks.classification import checkpoints, report  # noqa: E402
from benchmarks.classification.checkpoints import make_labels, make_texts  # noqa: E402
from benchmarks.classification.systems import SYSTEMS, System, open_system  # noqa: E402
from benchmarks.common.timing import spread, take_turns  # noqa: E402

from onepass.backends.cpu import cpu  # noqa: E402
from onepass.backends.onnx import available_cores  # noqa: E402
from onepass.cli.machine import cores, versions  # noqa: E402

TOLERANCE = 1e-4
LATENCY_LABELS, LATENCY_LENGTH = (5, 10, 20, 50), 256
HYPOTHESIS = 9  # pieces of a hypothesis with its frame


@dataclass(frozen=True)
class Cell:
    """One measurement: so many texts of so many pieces with so many labels."""

    kind: str  # "throughput" or "latency"
    batch: int
    length: int
    labels: int

    def work(self, system: System) -> int:
        """Return the pieces that a system reads."""
        if system.pairs:
            return self.batch * self.labels * (self.length + HYPOTHESIS)
        return self.batch * (self.length + checkpoints.PIECES_A_LABEL * self.labels)

    def run(self, system: System) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Return the scores of the cell's texts and labels."""
        return system.scores(make_texts(self.batch, self.length), make_labels(self.labels))


def cells(options: argparse.Namespace) -> list[Cell]:
    """Return all cells, cheap ones first within a length."""
    grid = [
        Cell("throughput", batch, length, labels)
        for batch in options.batches
        for length in options.lengths
        for labels in options.labels
    ]
    return grid + [Cell("latency", 1, options.latency_length, n) for n in options.latency]


def agreement(systems: Sequence[System], options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    """Yield the largest difference of scores of what runs the same checkpoint, cell by cell."""
    lengths = options.lengths
    counts = sorted({*options.labels, 2})  # of one label alone, scores cannot be all alike
    joint = [Cell("throughput", 1, length, n) for length in lengths for n in counts]
    # Pairs take long, and are the same one by one whatever their number.
    some = [Cell("throughput", 1, min(lengths), min(4, max(counts)))]
    for pairs, asked in ((False, joint), (True, some)):
        same = [one for one in systems if one.pairs is pairs]
        for other in same[1:]:
            for cell in asked:
                a, b = cell.run(same[0]), cell.run(other)
                yield {
                    "systems": [same[0].name, other.name],
                    "length": cell.length,
                    "labels": cell.labels,
                    "largest_difference": float(np.abs(a - b).max()),
                    "spread": float(np.ptp(a)),
                }


def fails(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Return whether scores differ, or say nothing because they are all alike."""
    names = {tuple(row["systems"]) for row in rows}
    spread = {n: max(row["spread"] for row in rows if tuple(row["systems"]) == n) for n in names}
    alike = any(value < 10 * TOLERANCE for value in spread.values())
    return alike or any(row["largest_difference"] > TOLERANCE for row in rows)


Timings = dict[str, list[tuple[Cell, float]]]  # of each system, what its cells took


def expected(system: System, cell: Cell, timings: Timings) -> float:
    """Return how long one run may take, judged by the largest cell that was not larger.

    Attention grows faster than this, so it is a little less than what it will be.
    """
    known = [(one.work(system), seconds) for one, seconds in timings[system.name]]
    smaller = [pair for pair in known if pair[0] <= cell.work(system)]
    if not smaller:
        return 0.0
    work, seconds = max(smaller)
    return seconds * cell.work(system) / work


def measure(
    cell: Cell, systems: Sequence[System], timings: Timings, *, repeats: int, limit: float
) -> dict[str, dict[str, Any]]:
    """Return what each system took, run in turn: the first round warms up and is left out.

    A system stops when its next run would pass the limit; then what it has is kept, the first run
    too if it is the only one.
    """
    forecast = {system.name: expected(system, cell, timings) for system in systems}
    calls = {system.name: partial(cell.run, system) for system in systems}
    seconds = take_turns(calls, repeats=repeats, limit=limit, forecast=forecast)
    out: dict[str, dict[str, Any]] = {}
    for system in systems:
        own = seconds[system.name]
        if not own:
            why = f"expected {forecast[system.name]:.0f} s for one run, the limit is {limit:.0f} s"
            out[system.name] = {"not_measured": why}
            continue
        took = spread(own)
        timings[system.name].append((cell, took["median_seconds"]))
        rate = round(cell.batch / took["median_seconds"], 4)
        out[system.name] = took | {"examples_per_second": rate}
    return out


def run(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """Make the checkpoints, compare scores, measure all cells, and return the result."""
    size = checkpoints.TINY if options.quick else checkpoints.BASE
    result = facts(options, size)
    save = writer(result, options.output)
    paths = {}
    for pairs, make in ((False, checkpoints.make_gliclass), (True, checkpoints.make_nli)):
        if any(SYSTEMS[name][1] is pairs for name in options.systems):
            paths[pairs] = make(scratch / ("nli" if pairs else "gliclass"), size)
    for device in options.devices:
        systems = [
            open_system(name, paths, device=device, threads=options.threads)
            for name in options.systems
        ]
        rows = list(agreement(systems, options))
        found: dict[str, Any] = {"agreement": rows, "cells": []}
        result["devices"][device] = found
        save()
        if fails(rows):
            sys.stderr.write("The scores are not the same, or all alike; nothing is timed.\n")
            result["failed"] = True
            return result
        timings: Timings = {name: [] for name in options.systems}
        for cell in cells(options):
            took = measure(cell, systems, timings, repeats=options.repeats, limit=options.limit)
            found["cells"].append({**vars(cell), "systems": took})
            sys.stderr.write(f"{device}: {cell}\n")
            save()
        del systems
    return result


def facts(options: argparse.Namespace, size: checkpoints.Size) -> dict[str, Any]:
    """Return what is known before anything is measured."""
    name, features = cpu()
    gpus = [torch.cuda.get_device_name(0)] if torch.cuda.is_available() else []
    packages = ("gliclass", "transformers")
    return {
        "command": [Path(__file__).name, *options.command],
        "machine": {"cpu": name, "features": features, "cores": cores(), "gpu": gpus},
        "threads": options.threads,
        "versions": {**versions(), **{package: version(package) for package in packages}},
        "encoder": {
            "like": "DeBERTa-v3-base" if size == checkpoints.BASE else "tiny",
            **vars(size),
        },
        "pieces_a_label": checkpoints.PIECES_A_LABEL,
        "repeats": options.repeats,
        "limit_seconds": options.limit,
        "began": time.strftime("%Y-%m-%d %H:%M:%S"),
        "load_before": round(os.getloadavg()[0], 2),
        "devices": {},
    }


def writer(result: dict[str, Any], output: Path) -> Callable[[], None]:
    """Return what writes the result as it is now."""
    began = time.perf_counter()

    def save() -> None:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        result["minutes"] = round((time.perf_counter() - began) / 60, 1)
        result["peak_memory_mib"] = round(peak / 1024)  # Linux counts in KiB
        text = json.dumps(result, indent=1) + "\n"
        (output / "speed.json").write_text(text, encoding="utf-8")

    return save


def whole(text: str) -> list[int]:
    """Read "1,2,4"."""
    return sorted({int(one) for one in text.split(",")})


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="directory of the result")
    parser.add_argument("--systems", default=",".join(SYSTEMS), help="%(default)s")
    devices = "cpu,cuda" if torch.cuda.is_available() else "cpu"
    parser.add_argument("--devices", default=devices, help="%(default)s")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--labels", type=whole, default="1,2,4,8,16,32,64,128")
    parser.add_argument("--lengths", type=whole, default="64,256,512", help="pieces of a text")
    parser.add_argument("--batches", type=whole, default="1,8", help="texts of a call")
    parser.add_argument("--latency", type=whole, default=",".join(map(str, LATENCY_LABELS)))
    parser.add_argument("--latency-length", type=int, default=LATENCY_LENGTH)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--limit", type=float, default=60.0, help="seconds of a cell and system")
    parser.add_argument("--quick", action="store_true", help="a tiny encoder and a small grid")
    options = parser.parse_args(arguments)
    options.command = list(arguments)
    options.systems = options.systems.split(",")
    options.devices = options.devices.split(",")
    unknown = set(options.systems) - SYSTEMS.keys()
    if unknown:
        parser.error(f"there is no system {unknown}; there are {', '.join(SYSTEMS)}")
    if options.quick:
        options.labels, options.lengths, options.batches = [1, 4], [16], [1, 2]
        options.latency, options.latency_length, options.repeats = [5], 16, min(options.repeats, 2)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all, print the tables, and return the exit code."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    before = os.environ.get("ONEPASS_CACHE")
    with tempfile.TemporaryDirectory() as scratch:
        os.environ["ONEPASS_CACHE"] = str(Path(scratch) / "cache")
        try:
            result = run(options, Path(scratch))
        finally:
            os.environ.pop("ONEPASS_CACHE")
            if before is not None:
                os.environ["ONEPASS_CACHE"] = before
    text = report.tables(result)
    (options.output / "speed.txt").write_text(text, encoding="utf-8")
    for device in result["devices"]:
        plot = report.plot(result, device)
        (options.output / f"speed-{device}.svg").write_text(plot, encoding="utf-8")
    sys.stdout.write(text)
    return int(result.get("failed", False))


if __name__ == "__main__":
    sys.exit(main())
