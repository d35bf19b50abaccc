"""Where the time of one run goes: the encoder, other work of the device, and Python around it."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.encoders import Size  # noqa: E402
from benchmarks.gpu.device import EncoderClock, busy, peak, wait  # noqa: E402
from benchmarks.gpu.systems import Opened  # noqa: E402
from benchmarks.speed.question import Question  # noqa: E402
from benchmarks.speed.rate import operations  # noqa: E402

from onepass.models.batching import Budget  # noqa: E402
from onepass.models.gliner2.encode import marker_places  # noqa: E402

_STAGES = ("read_text", "read_window", "score", "decode")  # of a family, in onepass
# Pieces and padding of runs of the encoder, beside those that are usual.
BUDGETS = ((4096, 1.0), (8192, 0.3), (16384, 0.1), (16384, 0.3), (16384, 1.0), (32768, 0.3),
           (65536, 0.3))  # fmt: skip


class Watched:
    """The stages of onepass while one model reads: their seconds and the pieces that were read.

    Attributes:
        seconds: of each stage; "score" waits for the device.
        runs: (rows, longest, real pieces, pieces that are read) of each run of the encoder.
    """

    def __init__(self) -> None:
        self.seconds = dict.fromkeys(_STAGES, 0.0)
        self.runs: list[tuple[int, int, list[int], list[int]]] = []

    def timed(self, stage: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return a function that counts its seconds, and of "score" what it is given."""

        def run(*args: Any, **options: Any) -> Any:
            began = time.perf_counter()
            out = function(*args, **options)
            self.seconds[stage] += time.perf_counter() - began
            if stage == "score":
                pieces = [reading.pieces for reading in args[0]]
                read = [one.words + len(marker_places(one.prompt)) for one in args[0]]
                self.runs.append((len(pieces), max(pieces), pieces, read))
            return out

        return run

    def needed(self, size: Size) -> float:
        """Return the operations of an encoder that reads the pieces without padding."""
        return sum(
            operations(size, 1, *one)
            for _, _, pieces, read in self.runs
            for one in zip(pieces, read, strict=True)
        )

    def pieces(self) -> dict[str, int]:
        """Return how many pieces were read, without and with padding."""
        real = sum(sum(pieces) for _, _, pieces, _ in self.runs)
        padded = sum(rows * longest for rows, longest, *_ in self.runs)
        return {"real": real, "padded": padded, "runs": len(self.runs)}


@contextmanager
def watching(opened: Opened) -> Iterator[Watched]:
    """Watch an onepass model while this is entered."""
    reader = opened.model._reader
    model, seen = reader.model, Watched()
    stages = {name: seen.timed(name, getattr(model.family, name)) for name in _STAGES}
    reader.model = replace(model, family=replace(model.family, **stages))
    try:
        yield seen
    finally:
        reader.model = model


def needed(exact: Opened, texts: Sequence[str], question: Question, size: Size) -> float:
    """Return the operations that an encoder needs for texts, without padding."""
    with watching(exact) as seen:
        exact.system.answer(texts, question, len(texts))
    return seen.needed(size)


def look(
    opened: Opened,
    ask: Callable[[], object],
    device: str,
    *,
    operations: float,
    rates: Mapping[str, float],
) -> dict[str, Any]:
    """Return where the time of a run goes.

    Args:
        opened: what answers.
        ask: has it answer; it has answered the same before.
        device: "cpu" or "cuda".
        operations: that an encoder needs for this, without padding.
        rates: 10^12 products a second that the device reaches in these numbers, by shape.
    """
    wholes = []
    for _ in range(3):
        wait(device)
        began = time.perf_counter()
        ask()
        wait(device)
        wholes.append(time.perf_counter() - began)
    with EncoderClock(device) as clock:
        ask()
    best = max(rates.values())
    rate = operations / clock.seconds / 1e12 if clock.seconds else 0.0
    found: dict[str, Any] = {
        "precision": opened.precision,
        "seconds": round(median(wholes), 5),
        "encoder_seconds": round(clock.seconds, 5),
        "encoder_runs": clock.runs,
        "operations": operations,
        "tera_per_second": round(rate, 3),
        "share_of_rate": round(rate / best, 4),
        "busy": _busy(device, ask),
    }
    if opened.ours:
        with watching(opened) as seen:
            began = time.perf_counter()
            ask()
            whole = time.perf_counter() - began
        found["pieces"] = seen.pieces()
        stages = seen.seconds | {"rest": whole - sum(seen.seconds.values())}
        found["host_seconds"] = {name: round(took, 5) for name, took in stages.items()}
    return found


def _busy(device: str, ask: Callable[[], object]) -> dict[str, Any]:
    try:
        return busy(device, ask)
    except RuntimeError as error:  # no profiler here
        return {"seconds": 0.0, "error": str(error)}


def budgets(
    opened: Opened, ask: Callable[[], object], device: str, out_of_time: Callable[[], bool]
) -> list[dict[str, Any]]:
    """Return what runs of the encoder of different sizes take, ours alone."""
    reader = opened.model._reader
    usual, found = reader.batching, []
    try:
        for pieces, padding in dict.fromkeys([(usual.pieces, usual.padding), *BUDGETS]):
            if out_of_time():
                break
            reader.batching = Budget(pieces, padding)
            with watching(opened) as seen:
                needs = peak(device, ask)  # this run warms up, too
            wholes, inner = [], []
            for _ in range(2):
                began = time.perf_counter()
                with EncoderClock(device) as clock:
                    ask()
                wholes.append(time.perf_counter() - began)
                inner.append(clock.seconds)
            found.append(
                {
                    "pieces": pieces,
                    "padding": padding,
                    "usual": reader.batching == usual,
                    "seconds": round(median(wholes), 5),
                    "encoder_seconds": round(median(inner), 5),
                    "read": seen.pieces(),
                    "peak_mib": needs // 2**20,
                }
            )
    finally:
        reader.batching = usual
    return found
