"""onepass beside gliner2, gliner and gliclass: the same checkpoints, the same texts, in turn.

Usage: python benchmarks/speed/speed.py --output RESULT.json [--threads N] [--only PARTS] [--quick]

Makes random checkpoints of the size of DeBERTa-v3-base with the libraries that they are of, and
asks both sides the same. Answers in fp32, on ONNX Runtime and on OpenVINO, must be equal to the
peer's to 1e-4 in every cell, or the exit code is 1. The README beside this file says what is
measured and how long it takes.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))
for name in ("onnx_runtime", "openvino_runtime"):  # gliner loads both; here they send nothing
    import_module(f"onepass.backends.{name}")

from benchmarks.common.encoders import BASE, TINY, Size  # noqa: E402
from benchmarks.common.timing import CLOCKS, ratio, spread, take_turns, timed  # noqa: E402
from benchmarks.speed import checkpoints, exact, installed, ours, processes  # noqa: E402
from benchmarks.speed.cells import ASKED, Cell, Grid, about, cells  # noqa: E402
from benchmarks.speed.peers import open_peer  # noqa: E402
from benchmarks.speed.question import Question, System, equality, settle  # noqa: E402
from benchmarks.speed.rate import measure_rate, operations  # noqa: E402
from benchmarks.speed.wording import make_batch, make_text  # noqa: E402

from onepass.backends.cpu import available_cores, cpu  # noqa: E402
from onepass.cli.machine import cores, versions  # noqa: E402

TOLERANCE = 1e-4
PARTS = ("install", "builtin", "encoder", "labels", "one", "mixed", "long", "memory")
_MANY = 24  # texts that are enough to be read side by side
# Parts that are no cells, and where they are in a result.
_KEYS = {
    "install": "install", "builtin": "builtin", "encoder": "encoder_share", "labels": "label_cost",
    "memory": "memory",
}  # fmt: skip
QUICK = Grid(labels=(2, 4), words=(8, 16), mixed=4, long=60, middle=16)
LIBRARIES = ("gliner2", "gliner", "gliclass")


@dataclass(frozen=True)
class Opened:
    """One checkpoint in all systems."""

    kind: str
    directory: Path
    ours: Mapping[str, System]
    peer: System


def measure(cell: Cell, opened: Opened, options: argparse.Namespace) -> dict[str, Any]:
    """Return what each system took for a cell, whether answers are equal, and ratios."""
    texts = cell.read()
    peer = opened.peer
    some = texts[:4] if cell.part == "mixed" else texts
    question = settle(opened.ours[ours.EXACT], cell.question, some)
    answers: dict[str, list[Any]] = {}

    def ask(name: str, system: System, batch: int) -> None:
        answers[name] = system.answer(texts, question, batch)

    calls: dict[str, Callable[[], object]] = {}
    names: list[str] = []
    for batch in cell.batches:
        name = peer.name if len(cell.batches) == 1 else f"{peer.name}, batch {batch}"
        names.append(name)
        calls[name] = partial(ask, name, peer, batch)
    if cell.part == "long":
        assert peer.windows is not None
        calls[names[0]] = partial(peer.windows, texts[0], question)
    compared = cell.part == "mixed" or cell.words == options.grid.middle
    shown = [name for name in opened.ours if compared or name in exact.SYSTEMS]
    for name in shown:
        calls[name] = partial(ask, name, opened.ours[name], 0)
    seconds = take_turns(calls, repeats=options.repeats, limit=options.limit, clock=options.ticks)
    took = {name: spread(own) for name, own in seconds.items()}
    found: dict[str, Any] = asdict(cell) | {"threshold": question.threshold, "systems": took}
    found["ratios"] = {
        theirs: {name: ratio(took[theirs], took[name]) for name in shown} for theirs in names
    }
    if cell.part != "long":  # windows are not the same ones
        alike = {name: opened.ours[name] for name in exact.SYSTEMS if name in opened.ours}
        theirs = dict.fromkeys(names, peer)
        found["equality"] = equality(answers, alike, theirs, question, TOLERANCE)
    return found


def opened_kinds(options: argparse.Namespace, root: Path) -> Iterator[Opened]:
    """Yield each kind of checkpoint, opened; one at a time, so that memory holds them."""
    for kind in options.kinds:
        directory = checkpoints.make(kind, root, options.size)
        library = checkpoints.LIBRARIES[kind]
        variants = [one for one in options.variants if kind == "gliner2" or one in exact.SYSTEMS]
        mine, skipped = ours.open_variants(variants, directory, options.threads)
        options.skipped.update(skipped)
        for task in ASKED[kind]:  # graphs open when they are first needed, in seconds
            question = Question(task, 1, related=kind == "gliner-relations")
            for system in mine.values():
                system.answer([make_text(5)], question, 1)
        if {"mixed", "long"} & set(options.only):  # they open once more for runs side by side
            question = Question(ASKED[kind][0], 1, related=kind == "gliner-relations")
            for system in mine.values():
                system.answer([make_text(options.grid.middle)] * _MANY, question, 1)
        yield Opened(kind, directory, mine, open_peer(library, directory, options.threads))


def encoder(options: argparse.Namespace) -> dict[str, Any]:
    """Return the encoder's share of the machine's rate, and what a run takes outside it."""
    inside = options.inside
    rates = measure_rate(options.threads, options.clock)
    grid: Grid = options.grid
    found: dict[str, Any] = {"rates": rates, "runs": []}
    for name, texts in (
        (f"one text of {grid.middle} words", [make_text(grid.middle)]),
        (f"{grid.mixed} mixed texts", make_batch(grid.mixed)),
    ):
        question = settle(options.exact, Question("entities", grid.labels[0]), texts[:1])
        shapes, again = inside.encodings(texts, question)
        need = sum(operations(options.size, *shape) for shape in shapes)
        rounds = [timed(again, options.ticks) for _ in range(options.repeats + 1)]
        took = spread(rounds)
        best = max(
            rates["best"], measure_rate(options.threads, options.clock)["best"]
        )  # before and after
        rate = need / took["median_seconds"] / 1e9
        parts = [inside.profile(texts, question) for _ in range(options.repeats + 1)][1:]
        whole = min(sum(part.values()) for part in parts)
        first = min(parts, key=lambda part: sum(part.values()))
        found["runs"].append(
            took
            | {
                "name": name,
                "operations": need,
                "giga_per_second": round(rate, 2),
                "share": round(rate / best, 3),
                "parts": {key: round(value / whole, 4) for key, value in first.items()},
            }
        )
    return found


def label_cost(options: argparse.Namespace) -> list[dict[str, Any]]:
    """Return how much slower many labels are than one with a text that makes up for their pieces.

    The sequences are equally long, so what remains is the price of the labels themselves.
    """
    grid: Grid = options.grid
    most = grid.labels[-1]
    out = []
    for task in ("entities", "classes"):
        many, one = Question(task, most), Question(task, 1)
        text = make_text(grid.middle)
        many = settle(options.exact, many, [text])
        more = options.inside.pieces([text], many) - options.inside.pieces([text], one)
        longer = make_text(grid.middle + round(more / 1.25))
        one = settle(options.exact, one, [longer])
        seconds = take_turns(
            {
                "many": partial(options.exact.answer, [text], many, 0),
                "one": partial(options.exact.answer, [longer], one, 0),
            },
            repeats=options.repeats,
            limit=options.limit,
            clock=options.ticks,
        )
        took = {name: spread(own) for name, own in seconds.items()}
        pieces = {
            "many": options.inside.pieces([text], many),
            "one": options.inside.pieces([longer], one),
        }
        row = {"task": task, "labels": most, "pieces": pieces, "systems": took}
        out.append(row | {"ratio": ratio(took["many"], took["one"])})
    return out


def memory(directory: Path, options: argparse.Namespace) -> dict[str, Any]:
    """Return the peak of each system in a process of its own."""
    systems = ["gliner2", *("-".join(ours.VARIANTS[name]) for name in options.memory_of)]
    return {
        system: processes.child("memory", system, str(directory), str(options.threads))
        for system in systems
    }


def builtin(options: argparse.Namespace) -> dict[str, Any]:
    """Return what the built-in model takes, and cold starts."""
    runs = 5 if options.quick else 50
    found = processes.child("builtin", str(options.threads), str(runs), options.clock)
    return {"text": found, "starts": processes.starts(1 if options.quick else 7, options.clock)}


def run(options: argparse.Namespace, root: Path) -> dict[str, Any]:
    """Measure all parts that are asked for, and return the result."""
    result = facts(options)
    if options.resume and options.output.is_file():
        result = json.loads(options.output.read_text(encoding="utf-8"))
        options.only = [part for part in options.only if _KEYS.get(part) not in result]
    known = {_key(cell) for cell in result["cells"]}
    save = writer(result, options)
    if "install" in options.only:
        result["install"] = [installed.installed(python) for python in options.pythons]
        save()
    if "builtin" in options.only:
        result["builtin"] = builtin(options)
        save()
    parts = [part for part in ("one", "mixed", "long") if part in options.only]
    inner = {"encoder", "labels", "memory"} & set(options.only)
    kinds = options.kinds if parts else (["gliner2"] if inner else [])
    options.kinds = list(kinds)
    for opened in opened_kinds(options, root):
        if opened.kind == "gliner2" and inner:
            within(opened, options, result)
            save()
        library = checkpoints.LIBRARIES[opened.kind]
        for part in parts:
            for cell in cells(part, opened.kind, library, options.grid):
                if _key(asdict(cell)) in known:
                    continue
                found = measure(cell, opened, options)
                result["cells"].append(found)
                said = {
                    n: f"{r[exact.faster(r)]['median']:.2f}" for n, r in found["ratios"].items()
                }
                sys.stderr.write(f"{' '.join(about(cell))}: {said}\n")
                save()
    result["skipped"] = options.skipped
    save()
    return result


def _key(cell: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(cell[name] for name in ("part", "kind", "task", "labels", "words", "texts"))


def within(opened: Opened, options: argparse.Namespace, result: dict[str, Any]) -> None:
    """Measure what looks into onepass alone."""
    options.exact = opened.ours[ours.EXACT]
    options.memory_of = list(opened.ours)
    options.inside = ours.Inside(opened.directory, options.threads, options.ticks)
    if "encoder" in options.only:
        result["encoder_share"] = encoder(options)
    if "labels" in options.only:
        result["label_cost"] = label_cost(options)
    if "memory" in options.only:
        result["memory"] = memory(opened.directory, options)


def facts(options: argparse.Namespace) -> dict[str, Any]:
    """Return what is known before anything is measured."""
    name, features = cpu()
    return {
        "command": ["speed.py", *options.command],
        "machine": {
            "cpu": name,
            "features": list(features or ()),
            "cores": cores(),
            "platform": platform.platform(terse=True),
            "threads": options.threads,
            "clock": options.clock,
            "note": options.note,
        },
        "versions": versions() | {library: version(library) for library in LIBRARIES},
        "encoder": asdict(options.size),
        "grid": asdict(options.grid),
        "repeats": options.repeats,
        "limit_seconds": options.limit,
        "tolerance": TOLERANCE,
        "cells": [],
    }


def writer(result: dict[str, Any], options: argparse.Namespace) -> Callable[[], None]:
    """Return what writes the result as it is now."""
    began = time.perf_counter() - 60 * result.get("minutes", 0.0)

    def save() -> None:
        result["minutes"] = round((time.perf_counter() - began) / 60, 1)
        options.output.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    return save


def unequal(result: Mapping[str, Any]) -> list[str]:
    """Return the cells in which answers differ."""
    return [
        f"{cell['part']} {cell['kind']} {cell['task']} {cell['labels']} {cell['words']}: {systems}"
        for cell in result["cells"]
        for systems, found in cell.get("equality", {}).items()
        if not found["equal"]
    ]


def whole(text: str) -> tuple[int, ...]:
    """Read "5,20"."""
    return tuple(sorted({int(one) for one in text.split(",")}))


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="the JSON file of the result")
    parser.add_argument("--threads", type=int, default=available_cores())
    parser.add_argument("--only", default=",".join(PARTS), help="parts: %(default)s")
    parser.add_argument("--kinds", default=",".join(ASKED), help="checkpoints: %(default)s")
    parser.add_argument("--variants", default=",".join(ours.VARIANTS), help="%(default)s")
    parser.add_argument("--checkpoints", type=Path, help="where they are kept for the next run")
    parser.add_argument("--repeats", type=int, default=3, help="after a run that warms up")
    parser.add_argument("--clock", choices=list(CLOCKS), default="wall", help="cpu: of one thread")
    parser.add_argument("--limit", type=float, default=12.0, help="seconds of a cell and system")
    parser.add_argument("--labels", type=whole, default=Grid.labels, help="numbers of labels")
    parser.add_argument("--words", type=whole, default=Grid.words, help="lengths of single texts")
    parser.add_argument("--mixed", type=int, default=Grid.mixed, help="texts of the mixed batch")
    parser.add_argument("--whole", action="store_true", help="all labels with all lengths")
    parser.add_argument("--resume", action="store_true", help="keep what the output file has")
    parser.add_argument("--pythons", default=sys.executable, help="of environments: %(default)s")
    parser.add_argument("--note", default="", help="what else the machine did")
    parser.add_argument("--quick", action="store_true", help="a tiny encoder and a small grid")
    options = parser.parse_args(arguments)
    options.command = list(arguments)
    for name, known in (("only", PARTS), ("kinds", ASKED), ("variants", ours.VARIANTS)):
        chosen = getattr(options, name).split(",")
        unknown = set(chosen) - set(known)
        if unknown:
            parser.error(f"--{name} has {', '.join(unknown)}; there are {', '.join(known)}")
        setattr(options, name, chosen)
    options.pythons = options.pythons.split(",")
    size: Size = TINY if options.quick else BASE
    options.size, options.skipped = size, {}
    options.variants = list(dict.fromkeys((ours.EXACT, *options.variants)))
    options.ticks = CLOCKS[options.clock]
    if options.clock == "cpu" and options.threads > 1:
        parser.error("--clock cpu adds up the time of all threads; it needs --threads 1")
    chosen_grid = Grid(options.labels, options.words, options.mixed, whole=options.whole)
    options.grid = QUICK if options.quick else chosen_grid
    if options.quick:
        options.repeats = min(options.repeats, 1)
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all and return the exit code."""
    options = parse(sys.argv[1:] if arguments is None else arguments)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        root = options.checkpoints or Path(scratch)
        root.mkdir(parents=True, exist_ok=True)
        before = os.environ.get("ONEPASS_CACHE")
        os.environ["ONEPASS_CACHE"] = str(root / "cache")
        try:
            result = run(options, root)
        finally:
            os.environ.pop("ONEPASS_CACHE")
            if before is not None:
                os.environ["ONEPASS_CACHE"] = before
    different = unequal(result)
    for line in different:
        sys.stderr.write(f"answers differ: {line}\n")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
