"""What the project set out to reach, and what a result says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.speed import exact

Result = Mapping[str, Any]
REDUCED = ("onepass-int8", "onepass-openvino-int8", "onepass-bf16")


@dataclass(frozen=True)
class Bar:
    """One aim.

    Attributes:
        what: is measured.
        wanted: the aim in words.
        measured: in words.
        reached: None if it was not measured.
    """

    what: str
    wanted: str
    measured: str
    reached: bool | None


def bars(result: Result) -> list[Bar]:
    """Return all aims."""
    return [*_ratios(result), *_own(result), *_builtin(result)]


def _least(
    what: str, least: float, values: list[float], unit: str = "x", above: bool = True
) -> Bar:
    wanted = f"{'at least' if above else 'at most'} {least:g}{unit}"
    if not values:
        return Bar(what, wanted, "not measured", None)
    low, high = min(values), max(values)
    shown = f"{low:.3g}{unit}" if low == high else f"{low:.3g} to {high:.3g}{unit}"
    return Bar(what, wanted, shown, low >= least if above else high <= least)


def _ratios(result: Result) -> Iterator[Bar]:
    def of(
        peer: Callable[[str], bool], part: str, ours: tuple[str, ...], library: str = "gliner2"
    ) -> list[float]:
        """Return the ratios of cells; of several systems of ours the best."""
        return [
            max(ratios[name]["median"] for name in ours if name in ratios)
            for cell in result["cells"]
            if cell["part"] == part
            for name_of_peer, ratios in cell["ratios"].items()
            if name_of_peer.startswith(library) and peer(name_of_peer)
            if any(name in ratios for name in ours)
        ]

    def best(name: str) -> bool:
        return not name.endswith("batch 8")

    def default(name: str) -> bool:
        return name.endswith("batch 8")

    fp32 = "fp32, the faster backend" if exact.both(result["cells"]) else "fp32"
    ours = exact.SYSTEMS
    yield _least(f"gliner2, {fp32}, one text", 2.5, of(best, "one", ours))
    yield _least(f"gliner2, {fp32}, mixed batch, its best batch size", 3, of(best, "mixed", ours))
    yield _least(f"gliner2, {fp32}, mixed batch, its default", 6, of(default, "mixed", ours))
    yield _least("gliner2, reduced precision, one text", 5, of(best, "one", REDUCED))
    yield _least("gliner2, reduced, mixed batch, its best", 5, of(best, "mixed", REDUCED))
    yield _least("gliner2, reduced, mixed batch, its default", 10, of(default, "mixed", REDUCED))
    for library in ("gliner", "gliclass"):
        found = [
            ratios[exact.faster(ratios)]["median"]
            for cell in result["cells"]
            for name, ratios in cell["ratios"].items()
            if name == library
        ]
        yield _least(f"{library}, {fp32}", 2, found)


def _own(result: Result) -> Iterator[Bar]:
    costs = [one["ratio"]["median"] for one in result.get("label_cost", [])]
    yield _least("128 labels beyond their pieces", 1.25, costs, above=False)
    shares = [100 * one["share"] for one in result.get("encoder_share", {}).get("runs", [])]
    yield _least("encoder's share of the matrix rate", 60, shares, " %")


def _builtin(result: Result) -> Iterator[Bar]:
    found = result.get("builtin")
    text = [found["text"]] if found else []
    starts = [found["starts"]] if found else []
    rates = [one["texts_per_second"] for one in text]
    yield _least("built-in model, 200 words, 5 labels", 60, rates, " texts/s")
    memory = [float(one["peak_mib"]) for one in text]
    yield _least("built-in model, memory", 400, memory, " MiB", above=False)
    cold = [one["extract"]["median_seconds"] for one in starts]
    yield _least("`onepass extract`, whole process", 1.5, cold, " s", above=False)
    imports = [one["import"]["beyond_python_seconds"] for one in starts]
    yield _least("`import onepass`", 0.15, imports, " s", above=False)
    sizes = [one["on_disk"] for one in result.get("install", ())]  # by version of Python
    yield _least("a new environment without torch, on disk", 300, sizes, " MB", above=False)
