"""The few shapes of which the plots of benchmarks are made, as SVG text."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape


def page(width: float, height: float, parts: Sequence[str]) -> str:
    """Return a whole picture on white."""
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:g}" height="{height:g}" '
        f'viewBox="0 0 {width:g} {height:g}" font-family="sans-serif" font-size="11">'
    )
    return "\n".join(
        [head, '<rect width="100%" height="100%" fill="white"/>', *parts, "</svg>", ""]
    )


def text(x: float, y: float, content: str, anchor: str = "start") -> str:
    """Return words at a place."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def legend(x: float, y: float, names: Sequence[str], colors: Sequence[str]) -> list[str]:
    """Return names beside their colors, from left to right."""
    parts = []
    for name, color in zip(names, colors, strict=True):
        parts.append(f'<rect x="{x:.1f}" y="{y - 6:.1f}" width="12" height="4" fill="{color}"/>')
        parts.append(text(x + 17, y, name))
        x += 35 + 6.2 * len(name)
    return parts


def line(points: Sequence[tuple[float, float]], color: str, dash: str = "") -> list[str]:
    """Return a line and a point at each of its places."""
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return [
        f'<polyline points="{path}" fill="none" stroke="{color}" stroke-width="2"{dashed}/>',
        *(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{color}"/>' for x, y in points),
    ]


def powers(values: Sequence[float]) -> tuple[int, int]:
    """Return the powers of ten around positive numbers.

    >>> powers([0.4, 20.0])
    (-1, 2)
    """
    low = math.floor(math.log10(min(values)))
    return low, max(math.ceil(math.log10(max(values))), low + 1)
