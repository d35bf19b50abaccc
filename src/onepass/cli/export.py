"""``onepass export``: from a checkpoint to ONNX graphs, or to a directory with safetensors.

Graphs run without torch. The directory is for checkpoints whose weights come in a pickle, which
nothing else reads, and for old ones that leave files to their base models.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onepass.cli import loading
from onepass.cli.output import say, show
from onepass.errors import InputError

EXAMPLES = """Examples:

\b
  onepass export fastino/gliner2-base-v1
  onepass export runs/mine/best --precision int8
  onepass export --safetensors urchade/gliner_medium-v2.1 -o models/medium
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
        ExportPrecision | None,
        typer.Option(
            "--precision", help="The numbers that weights are written in. [default: fp32]"
        ),
    ] = None,
    safetensors: Annotated[
        bool,
        typer.Option(
            "--safetensors",
            help="Write no graphs but the checkpoint itself to DIR, with all that it needs. Reads "
            "pytorch_model.bin: tensors only, no code.",
        ),
    ] = False,
) -> None:
    """Write the ONNX graphs of a checkpoint, for machines without torch.

    Prints the directory that was written. Models whose graphs lie beside them load without torch.
    """
    if safetensors:
        _write_safetensors(checkpoint, output, precision)
        return
    for package in ("torch", "onnx"):
        loading.require(package, feature="Export", extra="torch")
    from onepass.hub import locate
    from onepass.models.export import export_checkpoint

    found = locate(checkpoint)
    chosen = precision or ExportPrecision.FP32
    say(f"Exporting {found.name} in {chosen}")
    show(f"{export_checkpoint(found, output, precision=chosen.value)}\n")


def _write_safetensors(name: str, output: Path | None, precision: ExportPrecision | None) -> None:
    if output is None:
        raise InputError("--safetensors writes a checkpoint; say where with -o DIR.")
    if precision is not None:
        raise InputError(
            f"--safetensors keeps the numbers as they are; leave --precision {precision} out."
        )
    loading.require("torch", feature="Export", extra="torch")
    from onepass.hub import locate
    from onepass.models.convert import convert_checkpoint

    found = locate(name, pickles=True)
    say(f"Writing {found.name} with its weights in safetensors")
    show(f"{convert_checkpoint(found, output)}\n")
