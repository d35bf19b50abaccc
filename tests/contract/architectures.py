"""The table of GLiNER architectures in docs/gliner.md, made from the checkpoints of the tests.

``python -m tests.contract.architectures`` writes it into the page anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

from onepass.hub.registry import KNOWN
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.graphs import graphs
from tests.contract.checkpoints import BACKENDS, CHECKPOINTS
from tests.gliner_checkpoints import KINDS, NAMERS, RELATED

PAGE = Path(__file__).resolve().parents[2] / "docs" / "gliner.md"
BEGIN, END = "<!-- architectures -->", "<!-- end of architectures -->"


def table() -> str:
    """Return the table: one row an architecture, in the order in which the tests list them."""
    compared: dict[str, list[str]] = {}
    exported: dict[str, bool] = {}
    every: Mapping[str, Mapping[str, object]] = {**KINDS, **RELATED, **NAMERS}
    for name, made in every.items():
        config = GlinerConfig.from_dict(made)
        kind = config.architecture + (" (poly-encoder)" if config.fusion else "")
        compared.setdefault(kind, []).append(name)
        exported[kind] = all(graph.exportable for graph in graphs(config))
    contract = {kind.architecture for kind in CHECKPOINTS.values() if kind.family == "gliner"}
    rows = [
        "| architecture | torch | ONNX | equals gliner | contract | published |",
        "| --- " * 6 + "|",
    ]
    for kind, names in compared.items():
        known = [f"`{m.id}`" for m in KNOWN if m.family == "gliner" and m.architecture == kind]
        runs = ["yes" if backend == "torch" or exported[kind] else "no" for backend in BACKENDS]
        count = "1 checkpoint" if len(names) == 1 else f"{len(names)} checkpoints"
        rows.append(
            f"| {kind} | {runs[0]} | {runs[1]} | {version('gliner')}, {count} "
            f"| {'yes' if kind in contract else 'no'} | {', '.join(known) or '-'} |"
        )
    return "\n".join(rows)


def written(page: str) -> str:
    """Return the page with the table of today."""
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table()}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
