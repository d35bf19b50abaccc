"""The numbers in the README are those of the results that are committed, and of the model card."""

import json
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
CARD = (ROOT / "src/onepass/builtin/model/README.md").read_text(encoding="utf-8")
LIBRARIES = ("gliner2", "gliner", "gliclass")


def result(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "benchmarks/speed/results" / name).read_bytes())
    return found


def ratios(
    name: str, library: str, systems: tuple[str, ...] = ("onepass", "onepass-openvino")
) -> list[float]:
    """Return how many times as fast the faster of our runtimes is, for each single text."""
    return [
        max(cell["ratios"][library][one]["median"] for one in systems)
        for cell in result(name)["cells"]
        if cell["part"] == "one" and library in cell["ratios"]
    ]


def test_speed_of_the_built_in_model():
    sizes = [one["on_disk"] for one in result("cpu.json")["install"]]
    assert f"{min(sizes):.0f} to {max(sizes):.0f} MB on disk once installed" in README
    builtin = result("cpu.json")["builtin"]
    elsewhere, oldest = (result(f"cpu-{name}.json")["builtin"] for name in ("intel", "avx2"))
    assert f"{builtin['text']['texts_per_second']:.0f} texts of 200 words a second" in README
    assert f"{elsewhere['text']['texts_per_second']:.0f} on an Intel Xeon" in README
    assert f"{oldest['text']['texts_per_second']:.0f} on an older EPYC with AVX2 alone" in README
    assert f"{builtin['text']['peak_mib']} MiB of memory" in README
    assert f"{builtin['starts']['extract']['median_seconds']:.1f} s from the command" in README
    memory, start = oldest["text"]["peak_mib"], oldest["starts"]["extract"]["median_seconds"]
    assert f"{memory} MiB and {start:.1f} s on the older EPYC" in README


def test_times_as_fast():
    low = [f"{min(ratios('cpu.json', one)):.1f}" for one in LIBRARIES]
    high = [f"{max(ratios('cpu.json', one)):.1f}" for one in LIBRARIES]
    first, second, third = (f"{a} to {b}" for a, b in zip(low, high, strict=True))
    assert f"{first}, {second} and {third} times as fast" in README
    alone = [ratios("cpu.json", one, ("onepass",)) for one in LIBRARIES]
    first, second, third = (f"{min(one):.1f} to {max(one):.1f}" for one in alone)
    assert f"{first}, {second} and {third} without that" in README
    for name, shown in (("intel", "times on the Xeon"), ("avx2", "on the older EPYC")):
        elsewhere = [ratio for one in LIBRARIES for ratio in ratios(f"cpu-{name}.json", one)]
        assert f"{min(elsewhere):.1f} to {max(elsewhere):.1f} {shown}" in README


@pytest.mark.parametrize(
    ("card", "readme"),
    [
        ("micro F1 **0.534**", "F1 0.53 on five sets of entities"),
        ("accuracy **0.690**", "0.69 accuracy on five of classes"),
        ("relations F1 0.427", "F1 0.43 for relations of conll04"),
        ("records F1 0.536", "0.54 for fields of long records"),
    ],
)
def test_scores_of_the_built_in_model(card: str, readme: str):
    assert card in CARD
    assert readme in README
