"""The parts of docs/gpu.md on where the time goes: in a run, in the encoder, in its attention."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from textwrap import wrap
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.markdown import table  # noqa: E402
from benchmarks.gpu.markdown import KINDS, Result, between  # noqa: E402

from onepass.models.batching import ON_GPU  # noqa: E402

NUMBERS = {"fp32": 0, "fp16": 1, "bf16": 2}


def inside(result: Result) -> Iterator[str]:
    """Yield where the time of a run goes."""
    yield "## Where the time goes\n"
    first = result["inside"][0]
    rows = []
    for one in result["inside"]:
        whole, busy = one["seconds"], one["busy"]["seconds"]
        rows.append(
            [
                one["system"],
                f"{1e3 * whole:,.0f} ms",
                f"{1e3 * one['encoder_seconds']:,.0f} ms",
                f"{1e3 * busy:,.0f} ms ({100 * busy / whole:.0f} %)",
                f"{100 * one['share_of_rate']:.1f} %",
            ]
        )
    head = ["system", "all of it", "encoder", "GPU busy", "encoder's share of the matrix rate"]
    yield f"{first['batch']} texts of {KINDS[first['texts']]}:\n"
    yield table(head, rows)
    rates = ", ".join(
        f"{name} {max(own.values()):.0f}"
        for name, own in sorted(result["rates"].items(), key=lambda one: NUMBERS[one[0]])
    )
    yield (
        "The matrix rate is the best of torch's own products here, in 10^12 operations a second:\n"
        f"{rates}. The share is that of the operations that the encoder needs without\n"
        "padding.\n"
    )
    half = next(one for one in result["inside"] if one["system"] == "onepass-fp16")
    host = {name: f"{1e3 * took:.0f}" for name, took in half["host_seconds"].items()}
    yield (
        "**In half precision onepass waits for the CPU, not for the GPU.** In fp16 the GPU is busy "
        f"{100 * half['busy']['seconds'] / half['seconds']:.0f} %\n"
        "of the time; the rest is the tokenizer and Python around the network. In a run that was\n"
        f"timed in stages ({1e3 * sum(half['host_seconds'].values()):.0f} ms), reading texts, with "
        f"the tokenizer, took {host['read_text']} ms, giving work to\n"
        f"the GPU and waiting for it {host['score']} ms, choosing spans {host['decode']} ms, "
        f"making results and everything\nelse {host['rest']} ms. A faster GPU could save no more "
        "than the time in which it is busy.\n"
    )


def budgets(result: Result) -> Iterator[str]:
    """Yield what runs of the encoder of other sizes take."""
    yield "## Runs of the encoder\n"
    rows = [
        [
            one["system"],
            f"{one['pieces']:,}",
            f"{one['padding']:g}",
            str(one["read"]["runs"]),
            f"{100 * (1 - one['read']['real'] / one['read']['padded']):.0f} %",
            f"{1e3 * one['seconds']:,.0f} ms",
            f"{1e3 * one['encoder_seconds']:,.0f} ms",
            f"{one['peak_mib']:,} MiB",
        ]
        for one in result["budgets"]
    ]
    head = ["system", "pieces at most", "padding at most", "runs", "padding", "time", "encoder",
            "memory beyond the weights"]  # fmt: skip
    yield table(head, rows)
    usual = next(one for one in result["budgets"] if one["usual"])
    yield (
        "The same texts; pieces of one run with padding, and padding as a share of the real\n"
        "pieces. Medians of two runs.\n"
    )
    yield "\n".join(_same(result, name, usual) for name in ("onepass-fp32", "onepass-fp16")) + "\n"
    if (usual["pieces"], usual["padding"]) != (ON_GPU.pieces, ON_GPU.padding):
        yield (
            f"All other tables of this page were measured with {usual['pieces']:,} pieces and "
            f"padding of at most {usual['padding']:g}.\nBecause of this one, onepass now takes "
            f"{ON_GPU.pieces:,} pieces and padding of at most {ON_GPU.padding:g} on a GPU.\n"
        )


def _same(result: Result, name: str, usual: Mapping[str, Any]) -> str:
    """Return how the best time compares with what one budget took in all parts of a result."""
    parts = [*result["budgets"], *result["inside"]]
    tried = [one for one in result["budgets"] if one["system"] == name]
    took = [one["seconds"] for one in parts if one["system"] == name and one.get("usual", True)]
    took += [
        cell["systems"][name]["median_seconds"]
        for cell in result["cells"]
        if (cell["texts"], cell["batch"]) == (usual["texts"], usual["batch"])
    ]
    best = min(one["seconds"] for one in tried)
    where = "less than any of them" if best < min(took) else "not less than all of them"
    return (
        f"- {name}: runs of {usual['pieces']:,} and {usual['padding']:g} took "
        f"{between([1e3 * one for one in took])} ms in the parts of this result;\n"
        f"  the best time in this table, {1e3 * best:.0f} ms, is {where}."
    )


def kernel(attention: Result) -> Iterator[str]:
    """Yield what attention takes in the kernel and in plain products."""
    yield "## The attention kernel\n"
    rows = []
    ordered = sorted(
        attention["results"],
        key=lambda one: (NUMBERS[one["precision"]], one["batch"], one["pieces"]),
    )
    for shape, group in groupby(ordered, lambda one: (one["precision"], one["batch"])):
        ratios = {one["pieces"]: one for one in group}
        shown = [
            f"{ratios[n]['ratio']:.1f} ({ratios[n]['fused_ms']:.3f} ms)" if n in ratios else "-"
            for n in _pieces(attention)
        ]
        rows.append([shape[0], str(shape[1]), *shown])
    head = ["numbers", "texts", *(f"{n:,} pieces" for n in _pieces(attention))]
    half = [one for one in attention["results"] if one["precision"] != "fp32"]
    full = [one for one in attention["results"] if one["precision"] == "fp32"]
    yield (
        f"One layer of {attention['machine']['heads']} heads of {attention['machine']['size']}, "
        "beside the same in plain products of torch: how many times as\n"
        "fast, and what the kernel takes.\n"
    )
    yield table(head, rows)
    times = between([one["ratio"] for one in half])
    yield (
        f"{times} times as fast in half precision, {between([one['ratio'] for one in full], 1)} "
        "times in fp32. The kernel reaches\n"
        f"{max(one['fused_tflops'] for one in half):.0f} · 10^12 operations a second in half "
        "precision, and its numbers are nearer to those of fp32\nthan those of plain products: the "
        "largest error, over the largest number, is\n"
        f"{_errors(half, 'fp16')} in fp16 and {_errors(half, 'bf16')} in bf16.\n"
    )
    sweep, note = attention["sweep"], "\n".join(wrap(attention["note"], 95))
    best = min(sweep["layouts"], key=lambda one: one["ms"])
    yield (
        f"{note}\nThe layout for half precision is the best of "
        f"{len(sweep['layouts'])} at {sweep['batch']} texts of {sweep['pieces']} pieces in "
        f"{sweep['precision']} ({best['ms']:.2f} ms;\nthe slowest took "
        f"{max(one['ms'] for one in sweep['layouts']):.2f} ms).\n"
    )


def _pieces(attention: Result) -> list[int]:
    return sorted({one["pieces"] for one in attention["results"]})


def _errors(rows: Sequence[Mapping[str, Any]], precision: str) -> str:
    own = [one for one in rows if one["precision"] == precision]
    most = [max(one[key] for one in own) for key in ("fused_error", "plain_error")]
    return f"{most[0]:.1e} against {most[1]:.1e}"
