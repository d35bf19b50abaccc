"""onepass and gliner2 on one device in several precisions, as systems of the speed benchmark.

It opens them; it does not know what they are asked.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

import torch  # noqa: E402
from benchmarks.gpu.device import allocated  # noqa: E402
from benchmarks.speed.ours import asking, facts_of  # noqa: E402
from benchmarks.speed.peers import asking_gliner2  # noqa: E402
from benchmarks.speed.question import System  # noqa: E402

from onepass import Extractor  # noqa: E402

# Name to precision, and whether torch compiles it.
OURS: Mapping[str, tuple[str, bool]] = {
    "onepass-fp32": ("fp32", False),
    "onepass-fp16": ("fp16", False),
    "onepass-bf16": ("bf16", False),
    "onepass-fp16-compiled": ("fp16", True),
    "onepass-bf16-compiled": ("bf16", True),
}
# gliner2 has fp16 as an option (quantize); bf16 is what torch makes of any model.
PEERS: Mapping[str, str] = {"gliner2-fp32": "fp32", "gliner2-fp16": "fp16", "gliner2-bf16": "bf16"}
NAMES = (*OURS, *PEERS)
EXACT, EXACT_PEER = "onepass-fp32", "gliner2-fp32"


@dataclass(frozen=True)
class Opened:
    """One system on the device.

    Attributes:
        system: that answers.
        precision: of its numbers.
        model: an `Extractor`, or a model of gliner2.
        weights: bytes of the device's memory that it holds between runs.
    """

    system: System
    precision: str
    model: Any
    weights: int

    @property
    def ours(self) -> bool:
        """Return whether it is onepass."""
        return isinstance(self.model, Extractor)


def open_system(name: str, directory: Path, device: str) -> Opened:
    """Open a checkpoint as one of `NAMES`."""
    before = allocated(device)
    if name in OURS:
        precision, compiled = OURS[name]
        model: Any = Extractor.from_pretrained(
            directory, backend="torch", device=device, precision=precision, compiled=compiled
        )
        system = System(name, asking(model), facts_of)
    else:
        precision = PEERS[name]
        model = _open_peer(directory, device, precision)
        system = System(name, *asking_gliner2(model))
    return Opened(system, precision, model, allocated(device) - before)


def _open_peer(directory: Path, device: str, precision: str) -> Any:
    from gliner2 import GLiNER2

    model = GLiNER2.from_pretrained(
        str(directory), map_location=device, quantize=precision == "fp16"
    ).eval()
    return model.to(torch.bfloat16) if precision == "bf16" else model


def usual(device: str) -> Sequence[str]:
    """Return the systems that are compared unless others are asked for."""
    if device == "cpu":  # fp16 is for GPUs
        return "onepass-fp32", "gliner2-fp32", "onepass-bf16", "gliner2-bf16"
    return "onepass-fp32", "gliner2-fp32", "onepass-fp16", "gliner2-fp16", "onepass-bf16"
