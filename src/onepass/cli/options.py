"""Options that several commands share, with the words that explain them.

It knows how options are written, not what they do.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from onepass.batch.streams import STDOUT, own_stream
from onepass.errors import BackendError, InputError


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


def file_of(name: str) -> Path:
    """Return the file of a name that was given for one; a path would forget the slash at its end.

    Raises:
        typer.BadParameter: for the name of a directory.
    """
    if name.endswith(("/", os.sep)):
        raise typer.BadParameter(
            f"'{name}' is the name of a directory, but all goes to one file; write its name behind "
            "the slash."
        )
    return Path(name)


def only(given: Sequence[str] | None, option: str) -> str | None:
    """Return the value of an option that may be given once, where people would repeat it.

    Raises:
        InputError: if it was repeated.

    >>> only(["body"], "--text-field"), only(None, "--text-field")
    ('body', None)
    """
    if given and len(given) > 1:
        names = " and ".join(repr(one) for one in given)
        raise InputError(
            f"{option} was given {len(given)} times ({names}), but only one can be read; join what "
            "belongs together in the input."
        )
    return given[0] if given else None


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


def least_score(text: str) -> Any:
    """Return the option --threshold with a help text of its own."""
    return typer.Option("--threshold", "-t", metavar="SCORE", min=0, max=1, help=text)


TextArgument = Annotated[
    str | None,
    typer.Argument(metavar="TEXT", help="Text to read; '-' or no text reads standard input."),
]
EntityOption = Annotated[
    list[str] | None,
    typer.Option(
        "-e",
        "--entity",
        metavar="LABEL",
        help="Entity label to find: 'label', 'label,label' or 'label=description'; may be "
        "repeated.",
    ),
]
ClassifyOption = Annotated[
    list[str] | None,
    typer.Option(
        "-c",
        "--classify",
        metavar="TASK",
        help="Classification to make: 'task=label,label', a label also as 'label=description'; "
        "'task*=label,label' if several labels may hold, 'task[abstain]=label,label' if none may; "
        "may be repeated.",
    ),
]
RelationOption = Annotated[
    list[str] | None,
    typer.Option(
        "-r",
        "--relation",
        metavar="TYPE",
        help="Relation type to find: 'type', 'type,type' or 'type=description'; may be repeated.",
    ),
]
StructureOption = Annotated[
    list[str] | None,
    typer.Option(
        "-s",
        "--structure",
        metavar="RECORD",
        help="Records to find: 'name: field, field'; a field is 'name', 'name::str' (one value) or "
        "'name::[a|b]' (a choice), and '::description' may follow; may be repeated.",
    ),
]
QuestionOption = Annotated[
    list[str] | None,
    typer.Option(
        "-q",
        "--question",
        metavar="QUESTION",
        help="Question to answer with parts of the text: 'question' or 'label=question'; may be "
        "repeated.",
    ),
]
NameEntitiesOption = Annotated[
    bool,
    typer.Option(
        "--name-entities",
        help="Let the model name every entity in words of its own; only for models that generate "
        "labels.",
    ),
]
NameChoiceOption = Annotated[
    list[str] | None,
    typer.Option(
        "--name-choice",
        metavar="NAME",
        help="Name that the model may give to an entity, instead of words of its own; may be "
        "repeated.",
    ),
]
SchemaOption = Annotated[
    str | None,
    typer.Option(
        "--schema", metavar="FILE|JSON", help="Schema in JSON: a file, or the JSON itself."
    ),
]
TextFieldOption = Annotated[
    list[str] | None,
    typer.Option(
        "--text-field",
        metavar="NAME",
        help="Field or column of the input that holds the text. [default: text]",
    ),
]
OnLongOption = Annotated[
    OnLong,
    typer.Option(
        "--on-long",
        help="Action on texts longer than the model's window: read them in windows, refuse them, "
        "or read their start only.",
    ),
]
ModelsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--model",
        "-m",
        metavar="ID",
        help="Model id on the Hugging Face hub, or directory of a checkpoint; may be repeated to "
        "compare models. [default: the built-in model]",
    ),
]
ModelOption = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        metavar="ID",
        help="Model id on the Hugging Face hub, or directory of a checkpoint. "
        "[default: the built-in model]",
    ),
]
RevisionOption = Annotated[
    str | None,
    typer.Option(
        "--revision",
        metavar="REVISION",
        help="Branch, tag or commit of a model on the hub. [default: its main branch]",
    ),
]
BackendOption = Annotated[
    Backend,
    typer.Option(
        "--backend",
        help="Library that runs the model; auto: ONNX Runtime, or OpenVINO where it is installed "
        "and faster.",
    ),
]
PrecisionOption = Annotated[
    Precision,
    typer.Option(
        "--precision",
        help="Number format of the computation; auto: fp32, or int8 whose loss was measured.",
    ),
]
ThreadsOption = Annotated[
    int | None,
    typer.Option(
        "--threads",
        metavar="N",
        min=1,
        callback=threads_of,
        help="Number of CPU threads, up to 4 per core (8 on one core). "
        "[default: one per physical core]",
    ),
]
DeviceOption = Annotated[
    Device,
    typer.Option(
        "--device",
        help="Device for --backend torch; cuda: an NVIDIA GPU; auto: a GPU if there is one.",
    ),
]
CompileOption = Annotated[
    bool,
    typer.Option(
        "--compile",
        help="Compile the model (--backend torch): the first texts take minutes, later ones less "
        "time.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    least_score("Lowest score that is kept. [default: what the model was calibrated to]"),
]
OverlapOption = Annotated[
    Overlap,
    typer.Option(
        "--overlap",
        help="Overlapping entities to keep; flat: none, and one label per place; nested: those "
        "that lie inside one another; label: those of different labels; all: every one.",
    ),
]
SolverOption = Annotated[
    Solver,
    typer.Option(
        "--solver",
        help="Choice of findings that rules of the schema join; greedy: the best score first; "
        "exact: the highest sum of scores.",
    ),
]
ReportOption = Annotated[ReportFormat, typer.Option("--format", "-f", help="Output format.")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        parser=file_of,
        callback=place_of,
        help="File to write instead of standard output; it appears when all is done.",
    ),
]

GoldOption = Annotated[
    list[Path],
    typer.Option(
        "--data",
        "-d",
        metavar="PATH",
        help="Annotated file, or directory of such files; may be repeated.",
    ),
]
GoldLimitOption = Annotated[
    int | None,
    typer.Option("--limit", metavar="N", min=1, help="Most examples to read from each file."),
]
