"""The tables of docs/runtimes.md, from a result of measure.py.

Usage: python benchmarks/backends/tables.py RESULT.json [PAGE.md]

Prints them, or puts each of them into the page, below the comment that bears its name.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

_NAMES = {"onnx": "ONNX Runtime", "openvino": "OpenVINO"}


def reading(result: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of what each system takes to read."""
    yield "checkpoint", "texts", "system", "ms", "times as fast"
    for found in result["reading"]:
        for name, took in found["systems"].items():
            ratio = found["ratios"].get(name)
            backend, precision = name.split()
            yield (
                found["checkpoint"], found["texts"], f"{_NAMES[backend]} {precision}",
                f"{1000 * took['median_seconds']:.0f}",
                "1" if ratio is None
                else f"{ratio['median']:.2f} ({ratio['low']:.2f} to {ratio['high']:.2f})",
            )  # fmt: skip


def opening(result: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of what it takes to open graphs."""
    yield "checkpoint", "how", "CPU seconds", "MiB"
    for kind, found in result["opening"].items():
        for way, took in found["ways"].items():
            backend, _, cached = way.partition(", ")
            how = _NAMES[backend] + (", from the cache" if cached else "")
            yield kind, how, f"{took['cpu_seconds']:.2f}", f"{took['resident_mib']:.0f}"


def starting(result: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """Yield the rows of what whole processes take."""
    yield "process", "CPU seconds", "seconds", "fastest", "peak MiB"
    for name, took in result["starting"].items():
        yield (
            name, f"{took['cpu_seconds']:.2f}", f"{took['wall_seconds']:.2f}",
            f"{took['fastest_seconds']:.2f}", f"{took['peak_mib']:.0f}",
        )  # fmt: skip


TABLES: Mapping[str, Callable[[Mapping[str, Any]], Iterator[tuple[str, ...]]]] = {
    "opening": opening,
    "starting": starting,
    "reading": reading,
}


def main() -> None:
    """Print the tables, or write them into a page."""
    result = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    tables = {name: _table(list(rows(result))) for name, rows in TABLES.items() if name in result}
    if len(sys.argv) < 3:
        print("\n".join(tables.values()))
        return
    page = Path(sys.argv[2])
    text = page.read_text(encoding="utf-8")
    for name, table in tables.items():
        before, mark, after = text.partition(f"<!-- {name} -->\n\n")
        rest = after.splitlines(keepends=True)
        while rest and rest[0].startswith("|"):
            del rest[0]
        text = before + mark + table + ("" if rest and rest[0] == "\n" else "\n") + "".join(rest)
    page.write_text(text, encoding="utf-8")


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "| --- " * len(rows[0]) + "|")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()
