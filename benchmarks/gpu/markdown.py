"""Cells, ranges and ratios of a result as they stand on the page docs/gpu.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

KINDS = {"even": "200 words each", "mixed": "10 to 350 words"}

Result = Mapping[str, Any]


def cells_of(result: Result) -> list[Any]:
    """Return what was measured, by kind of texts and size of a batch."""
    return sorted(result["cells"], key=lambda cell: (cell["texts"], cell["batch"]))


def systems_of(result: Result) -> list[str]:
    """Return the systems that were measured."""
    return list(dict.fromkeys(name for cell in result["cells"] for name in cell["systems"]))


def ratio(one: Mapping[str, float]) -> str:
    """Return how many times as fast something is, with its spread."""
    return f"{one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})"


def between(values: Sequence[float], digits: int = 0) -> str:
    """Return the least and the most of some values."""
    return f"{min(values):.{digits}f} to {max(values):.{digits}f}"
