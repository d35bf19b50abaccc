"""Options that several commands share, with the words that explain them.

It knows how options are written, not what they do.
"""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onepass.batch.streams import STDOUT, own_stream
from onepass.errors import BackendError


class ReportFormat(StrEnum):
    """How a report is written."""

    TABLE = "table"
    JSON = "json"


class Backend(StrEnum):
    """What runs a network."""

    AUTO = "auto"
    ONNX = "onnx"
    OPENVINO = "openvino"
    TORCH = "torch"


class Precision(StrEnum):
    """The numbers that a network computes with."""

    AUTO = "auto"
    FP32 = "fp32"
    BF16 = "bf16"
    FP16 = "fp16"
    INT8 = "int8"


class Device(StrEnum):
    """Where torch runs a network."""

    AUTO = "auto"
    CPU = "cpu"
    CUDA = "cuda"


class Solver(StrEnum):
    """How findings are chosen that depend on each other."""

    GREEDY = "greedy"
    EXACT = "exact"


class Overlap(StrEnum):
    """Which of the spans that overlap are kept."""

    FLAT = "flat"
    NESTED = "nested"
    LABEL = "label"
    ALL = "all"


class OnLong(StrEnum):
    """What is done with a text that is longer than the model's window."""

    WINDOW = "window"
    ERROR = "error"
    TRUNCATE = "truncate"


def place_of(output: Path | None) -> Path | None:
    """Return where results go; "-" is standard output, as it is standard input elsewhere.

    >>> place_of(Path("/dev/stdout")), place_of(Path("a.json")).name
    (None, 'a.json')
    """
    named = output is not None and own_stream(output) == STDOUT
    return None if named or output == Path("-") else output


def threads_of(threads: int | None) -> int | None:
    """Return a number of threads that this machine can run, before anything is loaded.

    Raises:
        typer.BadParameter: for more.
    """
    from onepass.models.choosing import check_threads  # the help needs none of it

    try:
        check_threads(threads)
    except BackendError as error:
        raise typer.BadParameter(str(error)) from error
    return threads


TextArgument = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="The text; '-' or nothing reads standard input."),
]
EntityOption = Annotated[
    list[str] | None,
    typer.Option(
        "-e", "--entity", metavar="LABEL", help="'label', 'label,label' or 'label=description'."
    ),
]
ClassifyOption = Annotated[
    list[str] | None,
    typer.Option(
        "-c",
        "--classify",
        metavar="TASK",
        help="'task=label,label'; 'task*=label,label' if several may hold; "
        "'task[abstain]=label,label' if none may.",
    ),
]
RelationOption = Annotated[
    list[str] | None,
    typer.Option(
        "-r", "--relation", metavar="TYPE", help="'type', 'type,type' or 'type=description'."
    ),
]
StructureOption = Annotated[
    list[str] | None,
    typer.Option(
        "-s",
        "--structure",
        metavar="RECORD",
        help="'name: field, field'; a field is 'name', 'name::str' (one value), "
        "'name::[a|b]' (a choice), with '::description' at its end.",
    ),
]
QuestionOption = Annotated[
    list[str] | None,
    typer.Option(
        "-q",
        "--question",
        metavar="QUESTION",
        help="'question' or 'label=question', answered with parts of the text.",
    ),
]
NameEntitiesOption = Annotated[
    bool,
    typer.Option(
        "--name-entities",
        help="Let the model name every entity in words of its own; for models that generate "
        "labels.",
    ),
]
NameChoiceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--name-choice",
        metavar="NAME",
        help="Let it name every entity with one of these names only.",
    ),
]
SchemaOption = Annotated[
    str | None,
    typer.Option("--schema", metavar="FILE|JSON", help="A JSON schema file, or the JSON itself."),
]
TextFieldOption = Annotated[
    str | None,
    typer.Option(
        "--text-field",
        metavar="NAME",
        help="The field of the input that holds the text. [default: text]",
    ),
]
OnLongOption = Annotated[
    OnLong,
    typer.Option(
        "--on-long",
        help="A text that is longer than the model's window: read it in "
        "windows, refuse it, or cut it off.",
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="ID",
        help="A model of the hub, or the directory of one; several are compared. "
        "[default: the built-in model]",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="ID",
        help="A model of the hub, or the directory of one. [default: the built-in model]",
    ),
]
BackendOption = Annotated[
    Backend,
    typer.Option(
        "--backend",
        help="What runs the network; auto: ONNX Runtime, or OpenVINO where it is installed and "
        "faster.",
    ),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        "--precision",
        help="The numbers it computes with; auto: fp32, or int8 whose loss was measured.",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        min=1,
        callback=threads_of,
        help="CPU threads, up to 4 a core (8 on one core). [default: one a physical core]",
    ),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        "--device",
        help="Where torch runs it; cuda is a GPU. auto: a GPU if --backend torch finds one.",
    ),
]
CompileOption = Annotated[
    bool,
    typer.Option(
        "--compile",
        help="With --backend torch: compile what runs. The first texts take minutes, those after "
        "them less time.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    typer.Option(
        "--threshold",
        "-t",
        min=0,
        max=1,
        help="Least score of what is found. [default: what the model was calibrated to]",
    ),
]
OverlapOption = Annotated[
    Overlap,
    typer.Option(
        "--overlap",
        help="flat: one label a place, no overlaps; nested: one span may lie in another; "
        "label: flat within each label; all: everything.",
    ),
]
SolverOption = Annotated[
    Solver,
    typer.Option(
        "--solver",
        help="How findings are chosen that rules of the schema join: best first, or exact for the "
        "best sum of scores.",
    ),
]
ReportOption = Annotated[ReportFormat, typer.Option("--format", "-f", help="How to write it.")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        callback=place_of,
        help="Write here instead of standard output; the file appears when all is done.",
    ),
]

GoldOption = Annotated[
    list[Path],
    typer.Option(
        "--data",
        "-d",
        metavar="PATH",
        help="An annotated file, or a directory of them; may be repeated.",
    ),
]
GoldLimitOption = Annotated[
    int | None, typer.Option("--limit", min=1, help="Read only so many examples of each file.")
]
