"""``onepass export``: from a checkpoint to the ONNX graphs that run without torch."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onepass.cli import loading
from onepass.cli.output import say, show

EXAMPLES = """Examples:

\b
  onepass export fastino/gliner2-base-v1
  onepass export runs/mine/best --precision int8
"""


class ExportPrecision(StrEnum):
    """The numbers that weights are written in."""

    FP32 = "fp32"
    INT8 = "int8"


def export(
    checkpoint: Annotated[
        str, typer.Argument(metavar="CHECKPOINT", help="A directory, or a model of the hub.")
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Where to write; a directory named after the precision is made in it. "
            "[default: onnx in the directory of the checkpoint]",
        ),
    ] = None,
    precision: Annotated[
        ExportPrecision,
        typer.Option("--precision", help="The numbers that weights are written in."),
    ] = ExportPrecision.FP32,
) -> None:
    """Write the ONNX graphs of a checkpoint, for machines without torch.

    Prints the directory that was written. Models whose graphs lie beside them load without torch.
    """
    for package in ("torch", "onnx"):
        loading.require(package, feature="Export", extra="torch")
    from onepass.hub import locate
    from onepass.models.export import export_checkpoint

    found = locate(checkpoint)
    say(f"Exporting {found.name} in {precision}")
    show(f"{export_checkpoint(found, output, precision=precision.value)}\n")
