"""onepass beside gliner2 on a GPU: the same random checkpoint, texts and labels, in turn.

Usage: python benchmarks/gpu/throughput.py --output RESULT.json [--seconds S] [--quick]

Cells are measured in the order of their weight until the seconds are used up, and the result is
written after each, so that a run that is stopped loses nothing. It exits with 1 if answers in fp32
differ. The README beside this file says what is measured.
"""

from __future__ import annotations

import argparse
import json
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from benchmarks.common.encoders import BASE, TINY, Size  # noqa: E402
from benchmarks.common.timing import ratio, spread, take_turns  # noqa: E402
from benchmarks.gpu import device as devices  # noqa: E402
from benchmarks.gpu import inside  # noqa: E402
from benchmarks.gpu.systems import (  # noqa: E402
    EXACT,
    EXACT_PEER,
    NAMES,
    OURS,
    Opened,
    open_system,
    usual,
)  # fmt: skip
from benchmarks.gpu.tables import tables  # noqa: E402
from benchmarks.speed import checkpoints  # noqa: E402
from benchmarks.speed.question import Facts, Question, compare, settle  # noqa: E402
from benchmarks.speed.wording import make_batch, make_text  # noqa: E402

from onepass.backends.cpu import cpu  # noqa: E402
from onepass.cli.machine import cores, versions  # noqa: E402
from onepass.errors import OnepassError  # noqa: E402
from onepass.nn.backbones import fused  # noqa: E402

TOLERANCE = 1e-3  # of scores in fp32; sums are in another order on a GPU
MIXED, EVEN = "mixed", "even"  # texts of 10 to 350 words, and of 200
# What matters most stands first.
CELLS = (
    (MIXED, 64), (MIXED, 256), (EVEN, 256), (EVEN, 1), (MIXED, 8), (EVEN, 64), (MIXED, 128),
    (MIXED, 32), (EVEN, 128), (EVEN, 8), (EVEN, 32),
)  # fmt: skip
QUICK = ((MIXED, 4), (EVEN, 2))
LIBRARIES = ("gliner2", "transformers", "triton")


@dataclass
class Run:
    """One run of the benchmark.

    Attributes:
        options: of the command line.
        until: `time.perf_counter` after which nothing new is begun.
        result: what was found.
        opened: systems by name.
        question: that is asked of all texts.
        words: of an even text.
        per_text: seconds of all systems for one text, as far as is known.
    """

    options: argparse.Namespace
    until: float
    result: dict[str, Any]
    opened: dict[str, Opened] = field(default_factory=dict)
    question: Question = field(default_factory=lambda: Question("entities", 5))
    words: int = 200
    per_text: float = 0.05

    def left(self) -> float:
        """Return the seconds that are left."""
        return self.until - time.perf_counter()

    def save(self) -> None:
        """Write the result as it is now."""
        self.result["seconds"] = round(self.options.seconds - self.left(), 1)
        text = json.dumps(self.result, indent=1) + "\n"
        self.options.output.write_text(text, encoding="utf-8")

    def say(self, line: str) -> None:
        """Tell a person how far it is."""
        sys.stderr.write(f"[{self.options.seconds - self.left():5.1f} s] {line}\n")
        sys.stderr.flush()

    def texts(self, kind: str, count: int) -> list[str]:
        """Return the texts of a cell."""
        if kind == MIXED:
            return make_batch(count, longest=20 if self.options.quick else 350)
        return [make_text(self.words, seed) for seed in range(count)]

    def ask(self, name: str, texts: Sequence[str]) -> list[Any]:
        """Return the answers of a system, when the device has done everything."""
        found = self.opened[name].system.answer(texts, self.question, len(texts))
        devices.wait(self.options.device)
        return found


def prepare(run: Run, directory: Path) -> None:
    """Open all systems, and settle the question."""
    device = run.options.device
    for name in run.options.systems:
        try:
            one = open_system(name, directory, device)
            one.system.answer([make_text(5), make_text(9)], run.question, 2)
        except Exception as error:
            if name == EXACT:
                raise
            run.result["skipped"][name] = f"{type(error).__name__}: {error}"
            run.say(f"{name} is left out: {error}")
            continue
        run.opened[name] = one
        run.say(f"{name} is open")
    some = run.texts(MIXED, 8)[:4]
    run.question = settle(run.opened[EXACT].system, run.question, some)
    run.result["threshold"] = run.question.threshold


def measure(run: Run, kind: str, count: int) -> dict[str, Any]:
    """Return what each system takes for a cell, what they find, and ratios."""
    device = run.options.device
    texts = run.texts(kind, count)
    answers: dict[str, list[Any]] = {}
    peaks: dict[str, int] = {}

    def ask(name: str) -> None:
        answers[name] = run.ask(name, texts)

    calls: dict[str, Callable[[], object]] = {}
    failed: dict[str, str] = {}
    for name in run.opened:
        call = partial(ask, name)
        try:
            needs = devices.peak(device, call)  # warms up, too
        except (RuntimeError, OnepassError) as error:  # no memory is the likeliest of them
            failed[name] = f"{type(error).__name__}: {error}"
            run.say(f"{name} failed: {error}")
            continue
        peaks[name] = (needs + run.opened[name].weights) // 2**20
        calls[name] = call
    seconds = take_turns(calls, repeats=run.options.repeats, limit=run.options.limit)
    took = {name: spread(own) for name, own in seconds.items()}
    systems = {
        name: one
        | {"texts_per_second": round(count / one["median_seconds"], 2), "peak_mib": peaks[name]}
        for name, one in took.items()
    }
    ratios = {
        peer: {name: ratio(took[peer], took[name]) for name in took if name in OURS}
        for peer in took
        if peer not in OURS
    }
    cell = {"texts": kind, "batch": count, "words": sum(len(one.split()) for one in texts)}
    return cell | {
        "systems": systems,
        "failed": failed,
        "ratios": ratios,
        "answers": _compared(run, answers),
    }


def _compared(run: Run, answers: Mapping[str, list[Any]]) -> dict[str, Any]:
    """Return how the exact systems compare, and how far reduced precisions are from them."""
    facts: dict[str, list[Facts]] = {
        name: [run.opened[name].system.facts(one, run.question) for one in found]
        for name, found in answers.items()
    }
    threshold = run.question.threshold
    found: dict[str, Any] = {}
    if EXACT in facts and EXACT_PEER in facts:
        found["exact"] = compare(facts[EXACT], facts[EXACT_PEER], threshold, TOLERANCE)
    for name, own in facts.items():
        exact = EXACT if name in OURS else EXACT_PEER
        if name != exact and exact in facts:
            found[name] = _agreement(own, facts[exact])
    return found


def _agreement(own: Sequence[Facts], exact: Sequence[Facts]) -> dict[str, Any]:
    """Return which share of facts two systems have in common, and how far their scores are."""
    both, either, largest = 0, 0, 0.0
    for a, b in zip(own, exact, strict=True):
        same = set(a) & set(b)
        both, either = both + len(same), either + len(set(a) | set(b))
        largest = max([largest, *(abs(a[key] - b[key]) for key in same)])
    return {"facts": either, "same": round(both / max(either, 1), 5), "largest_difference": largest}


def look_inside(run: Run, kind: str, count: int) -> None:
    """Add where the time goes in each system, and what runs of other sizes take."""
    texts = run.texts(kind, count)
    exact = run.opened[EXACT]
    need = inside.needed(exact, texts, run.question, run.options.size)
    for name, opened in run.opened.items():
        if name.endswith("-compiled"):  # marks in the network would have it compiled again
            continue
        if run.left() < 5 * run.per_text * count / len(run.opened):
            break
        rates = run.result["rates"][opened.precision]
        ask = partial(run.ask, name, texts)
        found = inside.look(opened, ask, run.options.device, operations=need, rates=rates)
        run.result["inside"].append({"system": name, "texts": kind, "batch": count} | found)
        run.say(
            f"inside {name} {kind} {count}: {found['seconds']:.3f} s, encoder "
            f"{found['encoder_seconds']:.3f} s, busy {found['busy']['seconds']:.3f} s, "
            f"{100 * found['share_of_rate']:.1f} % of the rate"
        )
        run.save()


def try_budgets(run: Run, kind: str, count: int) -> None:
    """Add what runs of the encoder of other sizes take."""
    texts = run.texts(kind, count)
    for name in (EXACT, "onepass-fp16"):
        if name in run.opened:
            ask = partial(run.ask, name, texts)
            found = inside.budgets(
                run.opened[name], ask, run.options.device, lambda: run.left() < 5
            )
            head = {"system": name, "texts": kind, "batch": count}
            run.result["budgets"] += [head | one for one in found]
            run.save()


def measure_all(run: Run) -> None:
    """Measure the cells, what weighs most first."""
    cells = QUICK if run.options.quick else CELLS
    largest = max(count for _, count in cells)
    for kind, count in cells:
        about = max(2.0, run.per_text * count * (run.options.repeats + 2))
        if run.left() < about:
            run.result["not_measured"].append([kind, count])
            continue
        began = time.perf_counter()
        found = measure(run, kind, count)
        run.result["cells"].append(found)
        took = sum(one["median_seconds"] for one in found["systems"].values())
        if count >= 8:
            run.per_text = took / count
        speeds = {name: one["texts_per_second"] for name, one in found["systems"].items()}
        run.say(f"{kind} {count} ({time.perf_counter() - began:.1f} s), texts a second: {speeds}")
        run.save()
        if count == largest and (kind == MIXED or not run.options.quick):
            look_inside(run, kind, count)
        if count == largest and kind == MIXED:
            try_budgets(run, kind, count)


def unequal(result: Mapping[str, Any]) -> list[str]:
    """Return the cells in which answers in fp32 differ."""
    return [
        f"{cell['texts']} {cell['batch']}: {cell['answers']['exact']}"
        for cell in result["cells"]
        if not cell["answers"].get("exact", {"equal": True})["equal"]
    ]


def facts(options: argparse.Namespace) -> dict[str, Any]:
    """Return what is known before anything is measured."""
    return {
        "command": ["throughput.py", *options.command],
        "machine": devices.facts(options.device)
        | {"cpu": cpu()[0], "cores": cores(), "platform": platform.platform(terse=True)}
        | {"torch_threads": torch.get_num_threads(), "note": options.note},
        "versions": versions() | {one: version(one) for one in LIBRARIES},
        "encoder": asdict(options.size),
        "labels": 5,
        "fused": not options.unfused,
        "tolerance": TOLERANCE,
        "rates": {},
        "skipped": {},
        "cells": [],
        "inside": [],
        "budgets": [],
        "not_measured": [],
    }


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, required=True, help="the JSON file of the result")
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--systems", default="", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--seconds", type=float, default=150.0, help="of the whole program")
    parser.add_argument("--repeats", type=int, default=3, help="after two runs that warm up")
    parser.add_argument("--limit", type=float, default=3.0, help="seconds of a cell and system")
    parser.add_argument("--checkpoints", type=Path, help="where they are kept for the next run")
    parser.add_argument("--unfused", action="store_true", help="onepass without its own kernel")
    parser.add_argument("--note", default="", help="what else the machine did")
    parser.add_argument("--quick", action="store_true", help="a tiny encoder and two cells")
    options = parser.parse_args(arguments)
    options.command = list(arguments)
    names = options.systems.split(",") if options.systems else usual(options.device)
    if set(names) - set(NAMES):
        parser.error(f"--systems has {', '.join(names)}; there are {', '.join(NAMES)}")
    fused.ENABLED = not options.unfused
    options.systems = list(dict.fromkeys((EXACT, *names)))
    size: Size = TINY if options.quick else BASE
    options.size = size
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it all and return the exit code."""
    began = time.perf_counter()
    options = parse(sys.argv[1:] if arguments is None else arguments)
    options.output.parent.mkdir(parents=True, exist_ok=True)
    run = Run(options, began + options.seconds, facts(options), words=16 if options.quick else 200)
    run.result["rates"] = devices.rates(options.device)
    run.say(f"rates: {run.result['rates']}")
    run.save()
    with tempfile.TemporaryDirectory() as scratch:
        root = options.checkpoints or Path(scratch)
        root.mkdir(parents=True, exist_ok=True)
        directory = checkpoints.make("gliner2", root, options.size)
        run.say("the checkpoint is made")
        prepare(run, directory)
        run.save()
        measure_all(run)
    run.save()
    sys.stdout.write(tables(run.result))
    different = unequal(run.result)
    for line in different:
        sys.stderr.write(f"answers differ: {line}\n")
    return int(bool(different))


if __name__ == "__main__":
    sys.exit(main())
