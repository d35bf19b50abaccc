"""The page docs/speed.md with its plot, made of a result of speed.py.

Usage: python benchmarks/speed/page.py [RESULT.json]

Writes docs/speed.md and docs/speed.svg; a test checks that they are those of the committed result.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.markdown import table  # noqa: E402
from benchmarks.speed import exact  # noqa: E402
from benchmarks.speed.bars import bars  # noqa: E402
from benchmarks.speed.plot import plot  # noqa: E402

from onepass.backends.base import UNSIGNED, integer_form  # noqa: E402
from onepass.cli.machine import NOT_INSTALLED  # noqa: E402

RESULT = ROOT / "benchmarks" / "speed" / "results" / "cpu.json"
ELSEWHERE = ("cpu-intel.json", "cpu-avx2.json")  # on other machines, perhaps a part of it
PAGE, PLOT = ROOT / "docs" / "speed.md", ROOT / "docs" / "speed.svg"
_INT8 = ("onepass-int8", "onepass-openvino-int8")  # the better one counts
_PARTS = {
    "one": "One text",
    "mixed": "A batch of mixed length",
    "long": "A long text, in windows",
}

Result = Mapping[str, Any]


def results_elsewhere() -> list[Result]:
    """Return the committed results of other machines."""
    paths = (RESULT.with_name(name) for name in ELSEWHERE)
    return [json.loads(path.read_text(encoding="utf-8")) for path in paths]


def page(result: Result, elsewhere: Sequence[Result] = ()) -> str:
    """Return the page.

    Args:
        result: what it is about.
        elsewhere: of other machines, which get a section.
    """
    blocks = [
        "# Speed\n",
        *_about(result, elsewhere),
        *_cells(result),
        *_slower(result),
        *_memory(result),
        *_inside(result),
        *_equal(result),
        *(("## On other machines\n",) if elsewhere else ()),
        *chain.from_iterable(map(_elsewhere, elsewhere)),
        *_targets(result, elsewhere),
        *_again(),
    ]
    return "\n".join(blocks)


def _about(result: Result, elsewhere: Sequence[Result]) -> Iterator[str]:
    machine, found = result["machine"], result["versions"]
    threads = machine["threads"]
    clock = "CPU time" if machine["clock"] == "cpu" else "wall time"
    peers = ", ".join(f"{name} {found[name]}" for name in ("gliner2", "gliner", "gliclass"))
    runtimes = f"ONNX Runtime {found['onnxruntime']}"
    if found["openvino"] != NOT_INSTALLED:
        runtimes += f" and OpenVINO {found['openvino']}"
    note = f" Meanwhile the machine did something else: {machine['note']}." * bool(machine["note"])
    yield (
        "The same checkpoints in onepass and in the libraries that they come from: the same texts,"
        "\nthe same labels, in turn in one process. Weights are random at the size of\n"
        "DeBERTa-v3-base, which changes no time; both sides must find the same, with scores equal\n"
        f"to {result['tolerance']:g}. This page is made of the result by a program.\n"
    )
    yield (
        f"{machine['cpu']}, threads: {threads} of {machine['cores']} cores, {clock}.{note}\n"
        f"onepass {found['onepass']} on {runtimes},\n{peers}, torch {found['torch']}.\n"
    )
    if elsewhere:
        yield (
            "How much faster onepass is depends on the processor:\n"
            "[on other machines](#on-other-machines) it is less.\n"
        )
    yield (
        "On a GPU: [Speed on a GPU](gpu.md). Both runtimes: "
        "[ONNX Runtime beside OpenVINO](runtimes.md).\n"
    )
    yield "![How many times as fast as the library of the checkpoint](speed.svg)\n"


def _targets(result: Result, elsewhere: Sequence[Result]) -> Iterator[str]:
    yield "## Targets\n"
    yield (
        "What the project set out to reach on two cores, and whether it did. A range reaches a\n"
        "target only if all of it does.\n"
    )
    for one in (result, *elsewhere):
        yield from _target_table(one)


def _target_table(result: Result) -> Iterator[str]:
    shown = {True: "reached", False: "**missed**", None: "-"}
    known = bars(result)
    missed = sum(bar.reached is False for bar in known)
    thread = " with one thread" if result["machine"]["threads"] == 1 else ""
    yield f"{_name(result)}{thread}: {missed} of {len(known)} are missed.\n"
    rows = [[bar.what, bar.wanted, bar.measured, shown[bar.reached]] for bar in known]
    yield table(["what", "target", "measured", "result"], rows)
    sizes = [f"{one['on_disk']:.0f} MB with {one['python']}" for one in result.get("install", ())]
    if sizes:
        yield f"The new environment by version of Python: {', '.join(sizes)}.\n"


def _equal(result: Result) -> Iterator[str]:
    """Yield what was compared: a cell in which nothing was found proves nothing."""
    yield "## Equal answers\n"
    rows: dict[tuple[str, str, str], list[float]] = {}
    for cell in result["cells"]:
        for found in cell.get("equality", {}).values():
            system = found.get("system", exact.ONNX)  # older results compared no other
            row = rows.setdefault((cell["kind"], cell["task"], system), [0, 0, 0, 0.0])
            row[0] += 1
            row[1] += found["facts"]
            row[2] += not found["facts"]
            row[3] = max(row[3], found["largest_difference"])
    yield table(
        ["checkpoint", "task", "ours", "comparisons", "facts", "of nothing", "largest difference"],
        [
            [*names, f"{n:.0f}", f"{facts:.0f}", f"{empty:.0f}", f"{most:.1e}"]
            for names, (n, facts, empty, most) in rows.items()
        ],
    )
    if any(row[2] for row in rows.values()):
        yield "A comparison of nothing says how long it took, not that answers are equal.\n"


def _slower(result: Result) -> Iterator[str]:
    yield "## Where a peer is faster\n"
    rows = [
        [_PARTS[cell["part"]], cell["kind"], _asked(cell), system, peer, _ratio(one)]
        for cell in result["cells"]
        for peer, ratios in cell["ratios"].items()
        for system, one in ratios.items()
        if one["median"] < 1
    ]
    if not rows:
        yield "In no cell of this result.\n"
        return
    yield table(["part", "checkpoint", "asked", "ours", "peer", "times as fast"], rows)


def _asked(cell: Mapping[str, Any]) -> str:
    unit = {"classes": "labels", "records": "fields", "relations": "types"}
    return f"{cell['task']}, {cell['labels']} {unit.get(cell['task'], 'labels')}"


def _ratio(one: Mapping[str, float]) -> str:
    if one["low"] == one["high"]:
        return f"{one['median']:.2f}"
    return f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def _seconds(took: Mapping[str, Any]) -> str:
    seconds = float(took["median_seconds"])
    shown = f"{1000 * seconds:,.0f} ms" if seconds < 10 else f"{seconds:,.1f} s"
    return shown if took["warmed_up"] else f"{shown}*"


def _cells(result: Result) -> Iterator[str]:
    for part, title in _PARTS.items():
        chosen = [cell for cell in result["cells"] if cell["part"] == part]
        if not chosen:
            continue
        yield f"## {title}\n"
        rows = []
        for cell in chosen:
            words = (
                f"{cell['texts']} texts of {cell['words']}"
                if part == "mixed"
                else (f"{cell['words']:,}")
            )
            for peer, ratios in cell["ratios"].items():
                took = cell["systems"]
                row = [cell["kind"], _asked(cell), words, peer, _seconds(took[peer])]
                row += [_seconds(took[name]) if name in took else "-" for name in exact.SYSTEMS]
                rows.append([*row, _ratio(ratios[exact.faster(ratios)])])
        ours = ["onepass", "on OpenVINO", "times as fast"]
        yield table(["checkpoint", "asked", "words", "peer", "its time", *ours], rows)
    yield (
        "onepass is in fp32 here, on ONNX Runtime and, where it was measured, on OpenVINO; the\n"
        "last column is of the faster one. Median; in brackets the least and the most that any\n"
        "pair of runs gives. A star: one run, without one before it that warms up. Long texts:\n"
        "gliner2 cuts its own windows of 384 words, and the windows differ, so what is found\n"
        "there is not compared.\n"
    )
    yield from _variants(result)


def _variants(result: Result) -> Iterator[str]:
    rows = []
    for cell in result["cells"]:
        for name, took in cell["systems"].items():
            if not name.startswith(f"{exact.ONNX}-") or name in exact.SYSTEMS:
                continue
            words = f"{cell['texts']} texts" if cell["texts"] > 1 else f"{cell['words']} words"
            peer, ratios = next(iter(cell["ratios"].items()))  # the first is one by one
            fp32 = cell["systems"][exact.faster(ratios)]["median_seconds"]
            times = f"{fp32 / took['median_seconds']:.2f}"
            row = [name, _asked(cell), words, _seconds(took), times]
            rows.append([*row, peer, _ratio(ratios[name])])
    if rows:
        yield "## Reduced precisions\n"
        head = ["system", "asked", "text", "time", "of onepass fp32", "peer", "times as fast"]
        yield table(head, rows)
        yield "The ratio to fp32 is that of medians, to the faster of its backends.\n"
    for name, why in result.get("skipped", {}).items():
        yield f"{name} was left out: {why}\n"


def _inside(result: Result) -> Iterator[str]:
    if "encoder_share" in result:
        share = result["encoder_share"]
        yield "## Inside onepass\n"
        rates = ", ".join(f"{n} {r:.0f}" for n, r in share["rates"].items() if n != "best")
        yield (
            f"Matrix products on this machine, in 10^9 operations a second: {rates}. The share is\n"
            "that of the encoder's own products, padding included, of the best rate before and\n"
            "after it.\n"
        )
        rows = []
        for one in share["runs"]:
            parts = one["parts"]
            heads = sum(v for n, v in parts.items() if n not in ("encode", "rest"))
            shares = (one["share"], parts["encode"], heads, parts["rest"])
            rows.append([one["name"], *(f"{100 * value:.1f} %" for value in shares)])
        head = [
            "text",
            "share of the rate",
            "time in the encoder",
            "in heads",
            "in everything else",
        ]
        yield table(head, rows)
    if "label_cost" in result:
        yield (
            "What labels cost beyond their pieces: a text with many labels, and a longer text\n"
            "with one label and as many pieces.\n"
        )
        rows = [
            [one["task"], str(one["labels"]), f"{one['pieces']['many']:,}", _ratio(one["ratio"])]
            for one in result["label_cost"]
        ]
        yield table(["task", "labels", "pieces", "times as slow"], rows)


def _memory(result: Result) -> Iterator[str]:
    if "memory" in result:
        yield "## Memory\n"
        rows = [
            [name, f"{one['opened_mib']:,}", f"{one['peak_mib']:,}"]
            for name, one in result["memory"].items()
        ]
        yield "Peak of a process that opens the checkpoint and reads 500 words, in MiB.\n"
        yield table(["system", "opened", "read"], rows)
    if "builtin" in result:
        text, starts = result["builtin"]["text"], result["builtin"]["starts"]
        yield "## The built-in model\n"
        yield (
            f"A text of {text['words']} words with {text['labels']} labels takes "
            f"{1000 * text['median_seconds']:.1f} ms ({text['texts_per_second']:.0f} texts a\n"
            f"second), in a process of {text['peak_mib']} MiB. A whole process that extracts takes "
            f"{starts['extract']['median_seconds']:.2f} s;\n`import onepass` takes "
            f"{starts['import']['beyond_python_seconds']:.3f} s beyond the start of Python "
            f"({starts['python']['median_seconds']:.3f} s).\n"
        )


def _elsewhere(result: Result) -> Iterator[str]:
    """Yield the ratios on another machine: how fast a peer is depends on the processor, too."""
    machine, share = result["machine"], result["encoder_share"]
    rates = share["rates"]
    yield f"### {_name(result)}\n"
    yield (
        f"Threads: {machine['threads']}, with {', '.join(machine['features'])};\n"
        f"{machine['note'] or 'the same was measured there'}.\n"
        f"torch multiplies matrices there at {rates['torch']:.0f} GFLOPS, ONNX Runtime at "
        f"{rates['onnxruntime']:.0f}: the less they\ndiffer, the less there is to gain.\n"
    )
    cells: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for cell in result["cells"]:
        own = cells.setdefault((cell["kind"], cell["task"], _PARTS[cell["part"]]), [])
        own += cell["ratios"].values()
    rows = []
    for names, ratios in cells.items():
        exactly = [one[exact.faster(one)]["median"] for one in ratios]
        small = [
            max(one[name]["median"] for name in _INT8 if name in one)
            for one in ratios
            if any(name in one for name in _INT8)
        ]
        rows.append([*names, *map(_spread, (exactly, small))])
    yield table(["checkpoint", "task", "read", "fp32, times as fast", "int8"], rows)
    shares = ", ".join(f"{100 * one['share']:.0f} % ({one['name']})" for one in share["runs"])
    text = result["builtin"]["text"]
    yield (
        f"The encoder runs at {shares}\nof the rate of matrix products. The built-in model reads "
        f"{text['texts_per_second']:.0f} texts of\n{text['words']} words a second, one by one.\n"
    )


def _name(result: Result) -> str:
    """Return the name of a CPU, with what tells it from newer ones of that name."""
    machine = result["machine"]
    return machine["cpu"] + " with AVX2 alone" * (integer_form(machine["features"]) == UNSIGNED)


def _spread(values: Sequence[float]) -> str:
    shown = dict.fromkeys(f"{value:.2f}" for value in (min(values), max(values))) if values else "-"
    return " to ".join(shown)


def _again() -> Iterator[str]:
    yield "## Run it\n"
    yield (
        "`benchmarks/speed` in the repository has the command, what it needs, and the result as\n"
        "JSON.\n"
    )


def summary(result: Result) -> str:
    """Return the ratios of a result in a few lines."""
    lines = []
    for peer in dict.fromkeys(p for cell in result["cells"] for p in cell["ratios"]):
        rows = [cell["ratios"][peer] for cell in result["cells"] if peer in cell["ratios"]]
        own = [ratios[exact.faster(ratios)]["median"] for ratios in rows]
        lines.append(f"{peer}: {min(own):.2f} to {max(own):.2f} times, median {median(own):.2f}")
    return "\n".join([*lines, ""])


def main(path: Path = RESULT) -> int:
    """Write page and plot, and print a summary."""
    result = json.loads(path.read_text(encoding="utf-8"))
    elsewhere = results_elsewhere() if path == RESULT else ()
    PAGE.write_text(page(result, elsewhere), encoding="utf-8")
    PLOT.write_text(plot(result), encoding="utf-8")
    sys.stdout.write(summary(result))
    return 0


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2])))
