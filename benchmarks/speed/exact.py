"""The systems of ours that must answer as the peer does, and which of them is faster in a cell.

Reduced precisions are not among them: their scores differ.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

ONNX, OPENVINO = "onepass", "onepass-openvino"  # fp32; results have the second where it was there
SYSTEMS = (ONNX, OPENVINO)


def both(cells: Iterable[Mapping[str, Any]]) -> bool:
    """Return whether any of a result's cells has both."""
    return any(OPENVINO in ratios for cell in cells for ratios in cell["ratios"].values())


def faster(ratios: Mapping[str, Mapping[str, float]]) -> str:
    """Return the exact system that is most times as fast as a peer.

    >>> faster({"onepass": {"median": 2.0}, "onepass-openvino": {"median": 3.0}})
    'onepass-openvino'
    >>> faster({"onepass": {"median": 2.0}, "onepass-bf16": {"median": 5.0}})
    'onepass'
    """
    return max((name for name in SYSTEMS if name in ratios), key=lambda n: ratios[n]["median"])
