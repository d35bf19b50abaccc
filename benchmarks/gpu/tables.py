"""A result of the GPU benchmark as tables of Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from benchmarks.gpu.markdown import Result, cells_of, systems_of


def tables(result: Result) -> str:
    """Return all tables."""
    parts = [_speeds(result), _ratios(result), _answers(result), _inside(result), _budgets(result)]
    machine = result["machine"]
    name = machine.get("name", machine["cpu"])
    head = f"{name}, torch {result['versions']['torch']}, gliner2 {result['versions']['gliner2']}"
    return "\n\n".join([head, *(part for part in parts if part)]) + "\n"


def _table(head: Sequence[str], rows: Iterator[Sequence[str]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if not lines:
        return ""
    return "\n".join([f"| {' | '.join(head)} |", f"|{' --- |' * len(head)}", *lines])


def _speeds(result: Result) -> str:
    names = systems_of(result)

    def rows() -> Iterator[Sequence[str]]:
        for cell in cells_of(result):
            own = cell["systems"]
            shown = [
                f"{own[n]['texts_per_second']:,.0f} ({own[n]['peak_mib']:,} MiB)"
                if n in own
                else "-"
                for n in names
            ]
            yield [cell["texts"], str(cell["batch"]), *shown]

    return _table(["texts, per second (peak memory)", "batch", *names], rows())


def _ratios(result: Result) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for cell in cells_of(result):
            for peer, ratios in cell["ratios"].items():
                said = ", ".join(
                    f"{name} {one['median']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
                    for name, one in ratios.items()
                )
                yield [cell["texts"], str(cell["batch"]), peer, said]

    return _table(["times as fast", "batch", "as", ""], rows())


def _answers(result: Result) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for cell in cells_of(result):
            for name, one in cell["answers"].items():
                same = f"{100 * one['same']:.2f} %" if "same" in one else str(one["equal"])
                different = f"{one['largest_difference']:.1e}"
                row = [cell["texts"], str(cell["batch"]), name, str(one["facts"]), same, different]
                yield row

    return _table(["answers", "batch", "of", "facts", "equal", "largest difference"], rows())


def _inside(result: Result) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for one in result["inside"]:
            whole, busy = one["seconds"], one["busy"]["seconds"]
            yield [
                one["system"],
                f"{one['texts']} {one['batch']}",
                f"{1e3 * whole:.1f}",
                f"{1e3 * one['encoder_seconds']:.1f}",
                f"{1e3 * busy:.1f} ({100 * busy / whole:.0f} %)",
                f"{one['tera_per_second']:.1f}",
                f"{100 * one['share_of_rate']:.1f} %",
                ", ".join(
                    f"{name} {1e3 * took:.1f}" for name, took in one.get("host_seconds", {}).items()
                ),
            ]

    head = ["inside, ms", "texts", "whole", "encoder", "device busy", "TFLOP/s", "of the rate",
            "stages of the host"]  # fmt: skip
    return _table(head, rows())


def _budgets(result: Result) -> str:
    def rows() -> Iterator[Sequence[str]]:
        for one in result["budgets"]:
            read = one["read"]
            yield [
                one["system"],
                f"{one['texts']} {one['batch']}",
                f"{one['pieces']:,}, {one['padding']:g}{' (usual)' if one['usual'] else ''}",
                f"{1e3 * one['seconds']:.1f}",
                f"{1e3 * one['encoder_seconds']:.1f}",
                str(read["runs"]),
                f"{100 * (1 - read['real'] / read['padded']):.0f} %",
                f"{one['peak_mib']:,}",
            ]

    head = ["budgets, ms", "texts", "pieces, padding", "whole", "encoder", "runs", "padding",
            "peak MiB"]  # fmt: skip
    return _table(head, rows())
