"""What a job is: what is read, what is asked of it, where results go, and how it ran.

It knows nothing of what is in files, or of models.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Literal, get_args

from onepass.batch.lines import LINE_BYTES
from onepass.batch.packing import ending, packing
from onepass.batch.sources import TEXT_UNITS, Source, TextUnit, job_sources
from onepass.errors import InputError
from onepass.schema.options import CallOptions, OnLong, Overlap, Solver, Threshold

if TYPE_CHECKING:
    from onepass.models.choosing import BackendName, Device, Precision

EngineName = Literal["local", "ray"]
FormatName = Literal["jsonl", "csv", "parquet"]
ENGINES: tuple[EngineName, ...] = get_args(EngineName)


class FileFormat(StrEnum):
    """How results of many rows are written.

    >>> [one.value for one in FileFormat]
    ['jsonl', 'csv', 'parquet']
    """

    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


@dataclass(frozen=True, slots=True)
class ModelChoice:
    """Which model a process opens, and how it runs; the words are those of `Extractor`.

    Args:
        name: a hub id or a directory; None for the built-in model.
        backend: the runtime: "auto", "onnx", "openvino" or "torch".
        precision: the numbers it computes with: "auto", "fp32", "bf16", "fp16" or "int8".
        threads: the number of threads of one run; None means one a physical core, or one a process
            with several.
        device: "auto", "cpu" or "cuda", for torch.
        compiled: whether torch compiles what it runs.
        revision: branch, tag or commit of a model of the hub; None for its main branch, which may
            be another one when a job goes on.

    >>> ModelChoice("fastino/gliner2-base-v1", precision="int8", revision="main").name
    'fastino/gliner2-base-v1'
    """

    name: str | None = None
    backend: BackendName = "auto"
    precision: Precision = "auto"
    threads: int | None = None
    device: Device = "auto"
    compiled: bool = False
    revision: str | None = None

    def of_worker(self) -> ModelChoice:
        """Return how one of several processes runs it: on one thread, if nothing else is said."""
        return replace(self, threads=self.threads or 1)


BUILTIN = ModelChoice()


@dataclass(frozen=True, kw_only=True, slots=True)
class RowsJob:
    """What any job on the rows of files has; for its fields see `Job`.

    Raises:
        InputError: for a value of another kind than is meant, in place of an error of Python later.
    """

    input: str | Path | Sequence[str | Path]
    output: str | Path
    text_field: str = "text"
    text_unit: TextUnit | None = None
    max_line: int = LINE_BYTES
    model: ModelChoice = BUILTIN
    resume: bool = False

    def __post_init__(self) -> None:
        _refuse_others(
            {
                "input": (self.input, _is_input(self.input), "a path or a list of paths"),
                "output": (self.output, isinstance(self.output, _PATH), "a path"),
                "text_field": (self.text_field, isinstance(self.text_field, str), "a string"),
                "model": (self.model, isinstance(self.model, ModelChoice), "a ModelChoice"),
            }
        )
        if self.text_unit not in (None, *TEXT_UNITS):
            raise InputError(
                f"text_unit is 'line' or 'file', but {self.text_unit!r:.60} was given."
            )
        if type(self.max_line) is not int or self.max_line < 1:
            raise InputError(
                f"A row may have one byte or more, but max_line is {self.max_line!r:.60}."
            )

    def sources(self) -> tuple[Source, ...]:
        """Return what is read.

        Raises:
            InputError: if it is not there, or has no fields where one is named.
        """
        return job_sources(
            self.input, text_field=self.text_field, text_unit=self.text_unit, most=self.max_line
        )

    def refuse_resume(self) -> None:
        """Refuse to go on with results that are taken as they come.

        Raises:
            InputError: if the job is to go on.
        """
        if self.resume:
            raise InputError(
                "resume=True (--resume) needs a file to go on with; name it with --output (in "
                "Python: use run or redact_files)."
            )


@dataclass(frozen=True, kw_only=True, slots=True)
class Job(RowsJob):
    """A job from files to a file.

    Args:
        input: a file, a pattern, a directory, or a list of them (docs/files.md).
        output: the file of results; its name says the format (.jsonl, .csv, .parquet) and the
            packing (.gz, .zst); a name without an ending means JSONL.
        schema: the findings to look for: a `Schema`, its JSON form, or a pydantic model class.
        format: "jsonl", "csv" or "parquet", if the name of the output does not say it.
        text_field: the key or column that holds the text.
        text_unit: whether a text file holds a text a "line" or is one text ("file"); None means
            one text in directories, and a text a line elsewhere. With "line" streams hold a text a
            line, too; else they are JSONL.
        max_line: the most bytes that one row may have; longer ones are bad rows.
        threshold: as in `Extractor.extract`.
        overlap: as in `Extractor.extract`.
        on_long: as in `Extractor.extract`.
        solver: as in `Extractor.extract`.
        model: the model that runs.
        workers: the number of processes, or actors of a cluster, that have a model each.
        resume: whether to go on with a job that was stopped, if there is one.
        engine: "local" or "ray".
        address: the address of a Ray cluster; None for the one that Ray finds, or a new one here.

    Raises:
        InputError: for an unknown format, ending or engine, a number of workers below one, an
            option that is not known, or a value of another kind than is meant.

    >>> Job(input="a.csv", output="b.parquet", schema={"entities": ["city"]}).output_format.value
    'parquet'
    """

    schema: object
    format: FileFormat | FormatName | None = None
    threshold: Threshold = None
    overlap: Overlap = "flat"
    on_long: OnLong = "window"
    solver: Solver = "greedy"
    workers: int = 1
    engine: EngineName = "local"
    address: str | None = None

    def __post_init__(self) -> None:
        RowsJob.__post_init__(self)  # a class with slots has no super() without arguments
        _ = self.options  # which check themselves
        if self.format not in (None, *FileFormat):
            raise InputError(
                f"The format {self.format!r} is not known; give one of {', '.join(FileFormat)}."
            )
        if self.engine not in ENGINES:
            raise InputError(f"The engine {self.engine!r} is not known; give local or ray.")
        if self.address is not None and self.engine != "ray":
            raise InputError("An address is for the engine ray; give that too, or no address.")
        if type(self.workers) is not int or self.workers < 1:
            raise InputError(
                f"A job needs at least one worker, but workers is {self.workers!r:.60}; give a "
                "whole number."
            )
        if self.output_format is FileFormat.PARQUET and packing(Path(self.output)):
            raise InputError("Parquet is packed inside; give an output that ends in .parquet.")

    @property
    def options(self) -> CallOptions:
        """Return how the model is asked."""
        return CallOptions(self.threshold, self.overlap, self.on_long, self.solver)

    @property
    def output_format(self) -> FileFormat:
        """Return how results are written."""
        return FileFormat(self.format) if self.format else format_of(Path(self.output))


_PATH = (str, os.PathLike)


def _refuse_others(fits: Mapping[str, tuple[object, bool, str]]) -> None:
    """Refuse the first value that is not what is wanted; each has its name before it."""
    for name, (given, is_one, wanted) in fits.items():
        if not is_one:
            raise InputError(f"{name} must be {wanted}, but {given!r:.60} was given.")


def _is_input(given: object) -> bool:
    if isinstance(given, Sequence) and not isinstance(given, str | bytes):
        return all(isinstance(one, _PATH) for one in given)
    # what can be gone through once only is looked at when it is
    return isinstance(given, _PATH) or (
        isinstance(given, Iterable) and not isinstance(given, bytes | Mapping)
    )


def format_of(path: Path) -> FileFormat:
    """Return the format that a name says; JSONL if it has no ending.

    Raises:
        InputError: for an ending that is none of a format.

    >>> format_of(Path("a.csv.gz")).value
    'csv'
    """
    suffix = ending(path)
    if suffix in ("", ".ndjson"):
        return FileFormat.JSONL
    if not says_format(path):
        raise InputError(
            f"The output {path} ends in {suffix}, as which results of many texts are not written; "
            "give a name in .jsonl, .csv or .parquet, or a format (--format)."
        )
    return FileFormat(suffix.removeprefix("."))


def says_format(path: Path) -> bool:
    """Return whether the ending of a name is that of a format.

    >>> says_format(Path("a.csv.gz")), says_format(Path("a.xlsx")), says_format(Path("a"))
    (True, False, False)
    """
    suffix = ending(path)
    return suffix == ".ndjson" or suffix.removeprefix(".") in list(FileFormat)


@dataclass(frozen=True, slots=True)
class Counts:
    """How a job is going, or how it ended.

    Args:
        rows: rows finished so far, failed ones and those of earlier runs included.
        failed: rows that failed.
        truncated: rows whose text was not read whole; their `Coverage` says how much was.
        resumed: rows that earlier runs finished.
        bytes_read: bytes of the input that all runs have read, about; 0 for streams, as the next
            two.
        bytes_begun: bytes of the input that earlier runs had read, about.
        bytes_total: size of the input in bytes.
        seconds: time that this run took.

    >>> counts = Counts(rows=1000, failed=2, seconds=4.0)
    >>> f"{counts.rows - counts.failed} of {counts.rows} rows were answered"
    '998 of 1000 rows were answered'
    """

    rows: int = 0
    failed: int = 0
    truncated: int = 0
    resumed: int = 0
    bytes_read: int = 0
    bytes_begun: int = 0
    bytes_total: int = 0
    seconds: float = 0.0
