"""Options of commands that go from files to files, with the words that explain them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from onepass.cli.options import file_of, place_of
from onepass.errors import InputError


class ExtractFormat(StrEnum):
    """How results are written."""

    JSON = "json"
    JSONL = "jsonl"
    TABLE = "table"
    HTML = "html"
    CSV = "csv"
    PARQUET = "parquet"


class Engine(StrEnum):
    """What runs the workers."""

    LOCAL = "local"
    RAY = "ray"


class TextUnit(StrEnum):
    """What one text is in a text file."""

    LINE = "line"
    FILE = "file"


InputsOption = Annotated[
    list[str] | None,
    typer.Option(
        "--input",
        "-i",
        metavar="FILE",
        help="File of many texts: .jsonl, .csv, .tsv or .txt, each also as .gz or .zst, or "
        ".parquet; or a directory, or a quoted pattern such as 'mails/**/*.csv'; '-' is JSONL from "
        "standard input, or plain lines with --text-unit line; may be repeated.",
    ),
]
ResultOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        parser=file_of,
        callback=place_of,
        help="File to write instead of standard output; it appears when all is done. With "
        "--input, its name says the format and the compression.",
    ),
]
ExtractFormatOption = Annotated[
    ExtractFormat | None,
    typer.Option(
        "--format",
        "-f",
        help="Output format; csv and parquet only with --input. "
        "[default: what the name of the output says, else jsonl with --input, table on a terminal, "
        "json elsewhere]",
    ),
]
TextUnitOption = Annotated[
    TextUnit | None,
    typer.Option(
        "--text-unit",
        help="Unit of a text file that is read as one text: each line, or the whole file. With "
        "line, standard input is lines of text, too. [default: file in directories, else line]",
    ),
]
MaxLineOption = Annotated[
    int,
    typer.Option(
        "--max-line",
        metavar="BYTES",
        min=1,
        help="Longest row of the input, in bytes; a longer one fails, and is not held in memory.",
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers", metavar="N", min=1, help="Number of processes, each with a model of its own."
    ),
]
ResumeOption = Annotated[
    bool,
    typer.Option("--resume", help="Continue a job that was stopped; start it if there is none."),
]
EngineOption = Annotated[
    Engine, typer.Option("--engine", help="Place of the workers: this machine, or a Ray cluster.")
]
AddressOption = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="ADDRESS",
        help="Address of the Ray cluster, such as 'auto' or ray://host:port.",
    ),
]


def refuse_file_options(**given: object) -> None:
    """Refuse options of --input where there is none.

    Args:
        given: whether each was given, by the name of its parameter.

    Raises:
        InputError: naming the first one.

    >>> refuse_file_options(resume=False, text_field="body")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: --text-field belongs to --input; leave it out, or name a file.
    """
    for name, value in given.items():
        if value:
            option = name.replace("_", "-")
            raise InputError(f"--{option} belongs to --input; leave it out, or name a file.")
