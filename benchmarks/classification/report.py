"""Results of speed.py as tables and as a plot; it can be run again on a speed.json.

Usage: python benchmarks/classification/report.py speed.json

Prints the tables and writes speed-DEVICE.svg beside the file.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import mean
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common import svg  # noqa: E402

from onepass.evaluation.tables import table  # noqa: E402

COLORS = {
    "onepass": "#0b6e4f",
    "gliclass": "#d1495b",
    "onepass-nli": "#00798c",
    "transformers-nli": "#edae49",
}
WIDTH, HEIGHT, LEFT, TOP, GAP = 230, 170, 52, 64, 44


def tables(result: Mapping[str, Any]) -> str:
    """Return all tables of a result as text."""
    machine = result["machine"]
    head = (
        f"{result['encoder']['like']}, random weights; {machine['cpu']}, "
        f"threads: {result['threads']}\n"
    )
    blocks = [head]
    for device, found in result["devices"].items():
        rows = found["agreement"]
        if rows:
            worst = max(row["largest_difference"] for row in rows)
            blocks.append(f"{device}: scores differ by {worst:.1e} at most\n")
        batches = dict.fromkeys(c["batch"] for c in found["cells"] if c["kind"] == "throughput")
        for batch in batches:
            chosen = _of(found["cells"], "throughput", batch)
            blocks.append(_throughput(f"{device}, batch {batch}: examples a second", chosen))
        blocks.append(_latency(device, _of(found["cells"], "latency", 1)))
        skipped = sum("not_measured" in t for c in found["cells"] for t in c["systems"].values())
        if skipped:
            limit = f"{result['limit_seconds']:.0f} s"
            blocks.append(
                f"-: not measured, {skipped} times: one run is expected to take over {limit}\n"
            )
    return "\n".join(block for block in blocks if block)


def _of(cells: Sequence[Mapping[str, Any]], kind: str, batch: int) -> list[Mapping[str, Any]]:
    return [cell for cell in cells if cell["kind"] == kind and cell["batch"] == batch]


def _throughput(title: str, cells: Sequence[Mapping[str, Any]]) -> str:
    rows: dict[str, dict[str, float]] = {}
    for cell in cells:
        for name, took in cell["systems"].items():
            row = rows.setdefault(f"{cell['length']} pieces, {name}", {})
            if "not_measured" not in took:
                row[f"{cell['labels']} labels"] = float(took["examples_per_second"])
    counts = len({cell["labels"] for cell in cells})
    for row in rows.values():
        if len(row) == counts:  # a mean over fewer cells would be of easier ones
            row["mean"] = mean(row.values())
    return table(title, rows) + "\n" if rows else ""


def _latency(device: str, cells: Sequence[Mapping[str, Any]]) -> str:
    rows: dict[str, dict[str, float]] = {}
    for cell in cells:
        for name, took in cell["systems"].items():
            row = rows.setdefault(name, {})
            if "not_measured" not in took:
                row[f"{cell['labels']} labels"] = 1000 * float(took["median_seconds"])
    if not rows:
        return ""
    return table(f"{device}, one text of {cells[0]['length']} pieces: ms", rows) + "\n"


def plot(result: Mapping[str, Any], device: str) -> str:
    """Return an SVG: examples a second by number of labels, a panel for each length and batch."""
    cells = [c for c in result["devices"][device]["cells"] if c["kind"] == "throughput"]
    lengths = sorted({c["length"] for c in cells})
    batches = sorted({c["batch"] for c in cells})
    labels = sorted({c["labels"] for c in cells}) or [1]
    rates = [
        took["examples_per_second"]
        for c in cells
        for took in c["systems"].values()
        if "not_measured" not in took
    ] or [1.0]
    low, high = svg.powers(rates)
    title = (
        f"Examples a second by number of labels: {device}, threads: {result['threads']}, "
        f"{result['encoder']['like']}, random weights"
    )
    width = max(LEFT + len(lengths) * (WIDTH + GAP), 640)  # title and legend need some room
    height = TOP + len(batches) * (HEIGHT + GAP) + 10
    places = range(LEFT, LEFT + 130 * len(COLORS), 130)
    parts = [svg.text(LEFT, 18, title)]
    for x, (name, color) in zip(places, COLORS.items(), strict=True):
        parts += svg.legend(x, 34, [name], [color])
    for row, batch in enumerate(batches):
        for column, length in enumerate(lengths):
            chosen = [c for c in cells if c["batch"] == batch and c["length"] == length]
            place = (LEFT + column * (WIDTH + GAP), TOP + row * (HEIGHT + GAP))
            parts += _panel(f"{length} pieces, batch {batch}", place, labels, (low, high))
            parts += _lines(chosen, place, labels, (low, high))
    return svg.page(width, height, parts)


def _across(labels: Sequence[int], count: int) -> float:
    """Return the place of a number of labels in a panel, by its logarithm."""
    span = math.log2(labels[-1] / labels[0]) or 1.0
    return WIDTH * math.log2(count / labels[0]) / span


def _up(scale: tuple[int, int], rate: float) -> float:
    return HEIGHT * (1 - (math.log10(rate) - scale[0]) / (scale[1] - scale[0]))


def _panel(
    title: str, place: tuple[int, int], labels: Sequence[int], scale: tuple[int, int]
) -> list[str]:
    x, y = place
    parts = [
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        svg.text(x + WIDTH / 2, y - 5, title, "middle"),
    ]
    for power in range(scale[0], scale[1] + 1):
        at = y + _up(scale, 10.0**power)
        parts.append(f'<path d="M{x} {at:.1f}h{WIDTH}" stroke="#ddd"/>')
        parts.append(svg.text(x - 4, at + 4, f"{10.0**power:g}", "end"))
    parts += [svg.text(x + _across(labels, n), y + HEIGHT + 14, str(n), "middle") for n in labels]
    return parts


def _lines(
    cells: Sequence[Mapping[str, Any]],
    place: tuple[int, int],
    labels: Sequence[int],
    scale: tuple[int, int],
) -> list[str]:
    """Return a line and its points for each system; what was not measured has no point."""
    parts = []
    for name, color in COLORS.items():
        points = [
            (
                place[0] + _across(labels, cell["labels"]),
                place[1] + _up(scale, cell["systems"][name]["examples_per_second"]),
            )
            for cell in cells
            if "not_measured" not in cell["systems"].get(name, {"not_measured": ""})
        ]
        parts += svg.line(points, color)
    return parts


def main(path: Path) -> int:
    """Print the tables of a result and write its plots."""
    result = json.loads(path.read_text(encoding="utf-8"))
    sys.stdout.write(tables(result))
    for device in result["devices"]:
        svg = plot(result, device)
        path.with_name(f"speed-{device}.svg").write_text(svg, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
