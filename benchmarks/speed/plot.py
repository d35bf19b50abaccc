"""The plot of a result: how many times as fast as the library that a checkpoint comes from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from benchmarks.common import svg
from benchmarks.speed import exact

COLORS = {
    "gliner2 entities": "#0b6e4f",
    "gliner2 classes": "#00798c",
    "gliner2 records": "#6a4c93",
    "gliner2 relations": "#8d6a9f",
    "gliner entities": "#d1495b",
    "gliner relations": "#edae49",
    "gliclass classes": "#30638e",
}
WIDTH, HEIGHT, LEFT, TOP, GAP = 300, 240, 40, 74, 60

Cells = Sequence[Mapping[str, Any]]


def plot(result: Mapping[str, Any]) -> str:
    """Return an SVG with two panels: ratios by number of labels, and by length of the text."""
    one = [cell for cell in result["cells"] if cell["part"] == "one"]
    grid = result["grid"]
    by_labels = [cell for cell in one if cell["words"] == grid["middle"]]
    by_words = [cell for cell in one if cell["labels"] == grid["labels"][0]]
    ratios = [_ratio(cell) for cell in one]
    top = max([1.0, *ratios]) * 1.1
    machine = result["machine"]
    fp32 = "fp32, the faster backend" if exact.both(one) else "fp32"
    title = f"Times as fast as the peer, {fp32}, one text, threads: {machine['threads']}"
    parts = [svg.text(LEFT, 18, title)]
    shown = [name for name in COLORS if any(_series(cell) == name for cell in one)]
    for row, names in enumerate((shown[:4], shown[4:])):
        parts += svg.legend(LEFT, 36 + 15 * row, names, [COLORS[name] for name in names])
    panels = (
        (f"by number of labels, {grid['middle']} words", "labels", by_labels),
        (f"by words, {grid['labels'][0]} labels", "words", by_words),
    )
    for number, (name, axis, cells) in enumerate(panels):
        place = (LEFT + number * (WIDTH + GAP), TOP)
        parts += _panel(name, place, axis, cells, top)
    return svg.page(LEFT + 2 * (WIDTH + GAP), TOP + HEIGHT + 30, parts)


def _ratio(cell: Mapping[str, Any]) -> float:
    (ratios,) = cell["ratios"].values()
    return float(ratios[exact.faster(ratios)]["median"])


def _series(cell: Mapping[str, Any]) -> str:
    (peer,) = cell["ratios"]
    return f"{peer} {cell['task']}"


def _panel(title: str, place: tuple[int, int], axis: str, cells: Cells, top: float) -> list[str]:
    x, y = place
    parts = [
        f'<rect x="{x}" y="{y}" width="{WIDTH}" height="{HEIGHT}" fill="none" stroke="#999"/>',
        svg.text(x + WIDTH / 2, y - 5, title, "middle"),
    ]
    for value in range(int(top) + 1):
        at = y + HEIGHT * (1 - value / top)
        color = "#888" if value == 1 else "#ddd"
        parts.append(f'<path d="M{x} {at:.1f}h{WIDTH}" stroke="{color}"/>')
        parts.append(svg.text(x - 4, at + 4, str(value), "end"))
    ticks = sorted({cell[axis] for cell in cells})
    across = {n: x + WIDTH * (i + 0.5) / len(ticks) for i, n in enumerate(ticks)}
    parts += [svg.text(at, y + HEIGHT + 14, str(n), "middle") for n, at in across.items()]
    for name, color in COLORS.items():
        points = [
            (across[cell[axis]], y + HEIGHT * (1 - _ratio(cell) / top))
            for cell in sorted(cells, key=lambda cell: int(cell[axis]))
            if _series(cell) == name
        ]
        if points:
            parts += svg.line(points, color)
    return parts
