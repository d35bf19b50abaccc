"""``onepass export``: from a checkpoint to ONNX graphs, or to a directory with safetensors.

Graphs run without torch. The directory is for checkpoints whose weights come in a pickle, which
nothing else reads, for old ones that leave files to their base models, and for the built-in model,
which comes as graphs alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onepass.cli import loading
from onepass.cli.annotated import annotated_files
from onepass.cli.options import RevisionOption
from onepass.cli.output import say, show
from onepass.cli.progress import StatusLine
from onepass.errors import InputError
from onepass.results.wording import counted

if TYPE_CHECKING:
    from onepass.models.reduction import Reduction

EXAMPLES = """Examples:

\b
  onepass export fastino/gliner2-base-v1
  onepass export runs/mine/best --precision int8 --sample train.jsonl --check dev.jsonl
  onepass export runs/mine/best --precision int8 --weights-only
  onepass export --safetensors urchade/gliner_medium-v2.1 -o models/medium
"""


MAX_LOSS = 0.5  # points of F1


class ExportPrecision(StrEnum):
    """The numbers that graphs compute with."""

    FP32 = "fp32"
    INT8 = "int8"


CheckpointArgument = Annotated[
    str,
    typer.Argument(
        metavar="CHECKPOINT", help="Model id on the hub, directory of a checkpoint, or 'builtin'."
    ),
]
DirectoryOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="DIR",
        help="Directory to write into; one named after the precision is made in it. "
        "[default: onnx in the directory of the checkpoint]",
    ),
]
ExportPrecisionOption = Annotated[
    ExportPrecision | None,
    typer.Option(
        "--precision",
        help="Number format of the graphs; int8: a quarter of the size, and faster on CPUs with "
        "int8 products or AVX2. [default: fp32]",
    ),
]
WeightsOnlyOption = Annotated[
    bool,
    typer.Option(
        "--weights-only",
        help="Store weights in int8 and compute in fp32: as small as int8, as slow and nearly as "
        "exact as fp32.",
    ),
]
SampleOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--sample",
        metavar="PATH",
        help="Annotated file of texts like those that will be read, but not those of --check: "
        "int8 weights are rounded so that its scores change little; may be repeated.",
    ),
]
CheckOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--check",
        metavar="PATH",
        help="Annotated file to measure the loss of int8 on; it is noted in the manifest, and if "
        "it is too much, nothing is written; may be repeated.",
    ),
]
MaxLossOption = Annotated[
    float | None,
    typer.Option(
        "--max-loss",
        metavar="POINTS",
        min=0,
        help="Largest loss of F1 on any file of --check, in points. [default: 0.5]",
    ),
]
CheckLimitOption = Annotated[
    int | None,
    typer.Option(
        "--limit", metavar="N", min=1, help="Most examples to check from each file of --check."
    ),
]
SafetensorsOption = Annotated[
    bool,
    typer.Option(
        "--safetensors",
        help="Write the checkpoint itself to DIR as safetensors, with all that it needs, in place "
        "of graphs; reads pytorch_model.bin (tensors only, no code) and the built-in model.",
    ),
]


def export(
    checkpoint: CheckpointArgument,
    output: DirectoryOption = None,
    precision: ExportPrecisionOption = None,
    weights_only: WeightsOnlyOption = False,
    sample: SampleOption = None,
    check: CheckOption = None,
    max_loss: MaxLossOption = None,
    limit: CheckLimitOption = None,
    safetensors: SafetensorsOption = False,
    revision: RevisionOption = None,
) -> None:
    """Write the ONNX graphs of a checkpoint, for machines without torch.

    Prints the directory that was written. A checkpoint with graphs beside it loads without torch.
    """
    wanted = _Wanted(weights_only, tuple(sample or ()), tuple(check or ()), max_loss, limit)
    _check_options(wanted, precision)
    if safetensors:
        _write_safetensors(checkpoint, revision, output, precision)
        return
    for package in ("torch", "onnx"):
        loading.require(package, feature="Export", extra="torch")
    from onepass.builtin import named
    from onepass.models.export import export_checkpoint
    from onepass.models.restored_weights import graphs_with_weights, with_weights

    found = named(checkpoint, revision)
    if graphs_with_weights(found):
        if output is None:
            raise InputError(f"{found.name} has graphs already; say with -o DIR where others go.")
        found = with_weights(found)
    chosen = precision or ExportPrecision.FP32
    reduction = _reduction(wanted) if chosen is ExportPrecision.INT8 else None
    say(f"Exporting {found.name} in {chosen}")
    target = export_checkpoint(found, output, precision=chosen.value, reduction=reduction)
    if wanted.check:
        say(_told(target))
    show(f"{target}\n")


@dataclass(frozen=True, slots=True)
class _Wanted:
    """The options that are about int8."""

    weights_only: bool
    sample: tuple[Path, ...]
    check: tuple[Path, ...]
    max_loss: float | None
    limit: int | None


def _check_options(wanted: _Wanted, precision: ExportPrecision | None) -> None:
    given = {
        "--weights-only": wanted.weights_only,
        "--sample": wanted.sample,
        "--check": wanted.check,
        "--max-loss": wanted.max_loss is not None,
        "--limit": wanted.limit is not None,
    }
    for name, value in given.items():
        if value and precision is not ExportPrecision.INT8:
            raise InputError(f"{name} is about int8; add --precision int8.")
        if value and name in ("--max-loss", "--limit") and not wanted.check:
            raise InputError(f"{name} is about a check; name annotated files with --check PATH.")


def _reduction(wanted: _Wanted) -> Reduction:
    """Return how int8 graphs are made; files are read before anything is exported."""
    from onepass.evaluation.precision import loss_check, sample_texts
    from onepass.models.reduction import Reduction

    line = StatusLine()
    check = None
    if wanted.check:
        annotated_files(wanted.check)
        check = loss_check(
            wanted.check,
            most=MAX_LOSS if wanted.max_loss is None else wanted.max_loss,
            limit=wanted.limit,
            progress=lambda name, done: line.draw(f"{name}: {done:,} texts"),
        )
    sample = sample_texts(wanted.sample) if wanted.sample else None
    return Reduction(products=not wanted.weights_only, sample=sample, check=check)


def _told(target: Path) -> str:
    """Return what the manifest says of a check, in one line."""
    from onepass.hub.exports import MANIFEST
    from onepass.hub.files import read_json

    checked = read_json(target / MANIFEST)["checked"]
    worst = f"int8 loses {checked['loss']:.2f} points of F1 where it loses most"
    return f"{worst} ({counted(checked['texts'], 'text')})"


def _write_safetensors(
    name: str, revision: str | None, output: Path | None, precision: ExportPrecision | None
) -> None:
    if output is None:
        raise InputError("--safetensors writes a checkpoint; say where with -o DIR.")
    if precision is not None:
        raise InputError(
            f"--safetensors keeps the numbers as they are; leave --precision {precision} out."
        )
    loading.require("torch", feature="Export", extra="torch")
    from onepass.builtin import named
    from onepass.models.convert import convert_checkpoint

    found = named(name, revision, pickles=True)
    say(f"Writing {found.name} with its weights in safetensors")
    show(f"{convert_checkpoint(found, output)}\n")
