"""The page docs/gpu.md, made of the results of throughput.py and attention.py.

Usage: python benchmarks/gpu/page.py

A test checks that the page is that of the committed results.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.markdown import table  # noqa: E402
from benchmarks.gpu.markdown import KINDS, Result, between, cells_of, ratio, systems_of  # noqa: E402
from benchmarks.gpu.page_inside import budgets, inside, kernel  # noqa: E402

RESULTS = ROOT / "benchmarks" / "gpu" / "results"
THROUGHPUT, ATTENTION = RESULTS / "h100.json", RESULTS / "attention_h100.json"
PAGE = ROOT / "docs" / "gpu.md"
# What is compared: numbers of the same width; gliner2 has fp16 as an option, and no bf16.
PAIRS = (("onepass-fp32", "gliner2-fp32"), ("onepass-fp16", "gliner2-fp16"),
         ("onepass-bf16", "gliner2-fp16"))  # fmt: skip


def page(result: Result, attention: Result) -> str:
    """Return the page.

    Args:
        result: what throughput.py wrote.
        attention: what attention.py wrote, with a sweep.
    """
    blocks = [
        *_about(result),
        *_speeds(result, attention),
        *_slower(result),
        *inside(result),
        *budgets(result),
        *kernel(attention),
        *_memory(result),
        *_answers(result),
        *_again(),
    ]
    return "\n".join(blocks)


def _asked(cell: Mapping[str, Any]) -> list[str]:
    return [f"{cell['batch']}", KINDS[cell["texts"]]]


def _about(result: Result) -> Iterator[str]:
    machine, found = result["machine"], result["versions"]
    yield "# Speed on a GPU\n"
    yield (
        "The same random checkpoint, of the size of DeBERTa-v3-base, in onepass on torch and in\n"
        f"gliner2, on one GPU: the same texts and {result['labels']} entity labels, in turn in one "
        "process. Texts are\n"
        "given at once: gliner2 with their number as its batch size, onepass cuts runs itself. On\n"
        "CPUs: [Speed](speed.md). This page is made of the results by a program.\n"
    )
    yield (
        f"{machine['name']}, {machine['cores']} CPU cores ({machine['cpu']}), "
        f"CUDA {machine['cuda']}, torch {found['torch']},\n"
        f"Triton {found['triton']}, Python {found['python']}, onepass {found['onepass']}, "
        f"gliner2 {found['gliner2']}. fp32 is "
        f"{'with' if machine['tf32'] else 'without'} TF32.\n"
    )


def _speeds(result: Result, attention: Result) -> Iterator[str]:
    yield "## Texts a second\n"
    rows = []
    for cell in cells_of(result):
        took = cell["systems"]
        shown = [
            f"{took[n]['texts_per_second']:,.0f}" + "*" * (took[n]["runs"] == 1) if n in took
            else "-"
            for n in systems_of(result)
        ]  # fmt: skip
        rows.append([*_asked(cell), *shown])
    yield table(["texts", "of", *systems_of(result)], rows)
    yield "Medians of up to 3 runs after two that do not count; a star: one run, after one.\n"
    yield "How many times as fast onepass is:\n"
    rows = [
        [*_asked(cell), *(ratio(cell["ratios"][peer][own]) for own, peer in PAIRS)]
        for cell in cells_of(result)
    ]
    yield table(["texts", "of", *(f"{own} beside {peer}" for own, peer in PAIRS)], rows)
    yield (
        "In brackets the least and the most that any pair of runs gives: for texts of mixed\n"
        "length they are far apart, and why was not looked into. gliner2 in bf16 was not\n"
        "measured.\n"
        f"{_best(result)}\n"
    )
    if attention["note"]:
        yield (
            "In fp32 onepass was measured with an older layout of its attention kernel, here and\n"
            "in all tables but that of [the kernel](#the-attention-kernel).\n"
        )
    if result["not_measured"]:
        left = [f"{count} of {KINDS[kind]}" for kind, count in sorted(result["not_measured"])]
        yield f"There was no time for these cells:\n{', '.join(left)}.\n"


def _best(result: Result) -> str:
    """Return a sentence that lets both sides have their best number of texts."""
    mixed = [cell for cell in result["cells"] if cell["texts"] == "mixed"]

    def best(name: str) -> tuple[float, int]:
        return max((cell["systems"][name]["texts_per_second"], cell["batch"]) for cell in mixed)

    own, peer = best("onepass-fp16"), best("gliner2-fp16")
    return (
        f"Each with the number of mixed texts that suits it best, in fp16: {own[0]:,.0f} a second "
        f"({own[1]} at once)\nagainst {peer[0]:,.0f} ({peer[1]} at once), {own[0] / peer[0]:.1f} "
        "times as fast."
    )


def _slower(result: Result) -> Iterator[str]:
    yield "## Where gliner2 is faster\n"
    rows, overlap = [], True
    for cell in cells_of(result):
        for own, peer in PAIRS:
            one, took = cell["ratios"][peer][own], cell["systems"]
            if one["median"] < 1:
                shown = [f"{name}: {_runs(took[name])}" for name in (own, peer)]
                rows.append([*_asked(cell), *shown, ratio(one)])
                overlap = overlap and one["high"] > 1
    if not rows:
        yield "In no cell of this result.\n"
        return
    yield table(["texts", "of", "ours", "peer", "times as fast"], rows)
    yield "Texts a second; in brackets the times of the fastest and the slowest run.\n"
    if overlap:
        yield "These times overlap: the runs do not say which side is faster there.\n"


def _runs(took: Mapping[str, Any]) -> str:
    times = [1e3 * took["fastest_seconds"], 1e3 * took["slowest_seconds"]]
    return f"{took['texts_per_second']:,.0f} ({between(times)} ms)"


def _memory(result: Result) -> Iterator[str]:
    yield "## Memory\n"
    rows = [
        [*_asked(cell), *(f"{cell['systems'][name]['peak_mib']:,}" for name in cell["systems"])]
        for cell in cells_of(result)
    ]
    yield "Peak of the GPU's memory that tensors take, with weights, in MiB.\n"
    yield table(["texts", "of", *systems_of(result)], rows)
    yield (
        "gliner2 reads all texts in one run here; with a smaller batch size it needs less. A run\n"
        "of onepass has an upper bound, so its memory hardly grows with the number of texts.\n"
    )


def _answers(result: Result) -> Iterator[str]:
    yield "## Equal answers\n"
    exact = [cell["answers"]["exact"] for cell in result["cells"]]
    most = max(one["largest_difference"] for one in exact)
    said = "both find the same" if all(one["equal"] for one in exact) else "**answers differ**"
    yield (
        f"In fp32 {said}, {sum(one['facts'] for one in exact):,} facts over all cells; scores "
        f"differ by {most:.0e} at most ({result['tolerance']:g}\nwas allowed). What half precision "
        "changes, each beside the same library in fp32:\n"
    )
    names = [name for name in systems_of(result) if not name.endswith("fp32")]
    rows = []
    for cell in cells_of(result):
        own = cell["answers"]
        shown = [
            f"{100 * own[name]['same']:.1f} % ({own[name]['largest_difference']:.0e})"
            if own[name]["facts"]
            else "-"
            for name in names
        ]
        rows.append([*_asked(cell), f"{own['exact']['facts']:,}", *shown])
    yield table(["texts", "of", "facts in fp32", *names], rows)
    yield (
        "Facts that both precisions find, of those that any of the two finds; in brackets the\n"
        "largest difference of the score of a fact that both find. The share says more about this\n"
        "checkpoint than about users' ones: its weights are random, and the threshold\n"
        f"({result['threshold']:.2f}) lies in the middle of its scores, where a small difference "
        "decides. fp16 changes\n"
        f"{_changed(result, 'onepass-fp16')} of the facts of the largest cell in onepass and "
        f"{_changed(result, 'gliner2-fp16')} in gliner2; bf16 changes a good\nfifth "
        f"({_changed(result, 'onepass-bf16')}) in onepass.\n"
    )
    empty = [cell for cell in cells_of(result) if not cell["answers"]["exact"]["facts"]]
    for cell in empty:
        texts = f"{cell['batch']} text{'s' * (cell['batch'] > 1)}"
        yield (
            f"In the cell of {texts} of {KINDS[cell['texts']]} nothing was found: it says how "
            "long it took, not that\nanswers are equal.\n"
        )


def _changed(result: Result, name: str) -> str:
    largest = max(result["cells"], key=lambda cell: cell["words"])
    return f"{100 * (1 - largest['answers'][name]['same']):.1f} %"


def _again() -> Iterator[str]:
    yield "## Run it\n"
    yield (
        "```bash\n"
        "python benchmarks/gpu/throughput.py --output throughput.json --seconds 110\n"
        "python benchmarks/gpu/attention.py --output attention.json\n"
        "python benchmarks/gpu/attention.py --sweep --output sweep.json\n"
        "```\n"
    )
    yield "`benchmarks/gpu` in the repository says what they need, and has the results as JSON.\n"


def main() -> int:
    """Write the page."""
    result, attention = (
        json.loads(path.read_text(encoding="utf-8")) for path in (THROUGHPUT, ATTENTION)
    )
    PAGE.write_text(page(result, attention), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
