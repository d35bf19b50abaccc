"""``onepass eval``: how well a model does on annotated texts."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onepass.batch.packing import ending
from onepass.batch.places import check_apart
from onepass.cli import loading
from onepass.cli.annotated import annotated_files
from onepass.cli.options import (
    Backend,
    BackendOption,
    CompileOption,
    Device,
    DeviceOption,
    GoldLimitOption,
    GoldOption,
    ModelsOption,
    OnLong,
    OnLongOption,
    OutputOption,
    Overlap,
    OverlapOption,
    Precision,
    PrecisionOption,
    RevisionOption,
    Solver,
    SolverOption,
    ThreadsOption,
)
from onepass.cli.output import json_text, opened, say
from onepass.cli.progress import StatusLine
from onepass.cli.threshold_option import ThresholdsOption, threshold_of
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.evaluation.files import SuiteReport

EXAMPLES = """Examples:

\b
  onepass eval --data gold.jsonl
  onepass eval --data ner/ --data classes.jsonl --model runs/mine/best --format json
  onepass eval --data classes.jsonl --model owner/gliclass --model owner/nli   # side by side
  onepass eval --data gold/ --output report.html
"""


class ScoresFormat(StrEnum):
    """How scores are written."""

    TABLE = "table"
    JSON = "json"
    HTML = "html"


def evaluate(
    data: GoldOption,
    output: OutputOption = None,
    form: Annotated[
        ScoresFormat | None,
        typer.Option(
            "--format",
            "-f",
            help="Output format. [default: what the name of the output says, else table]",
        ),
    ] = None,
    limit: GoldLimitOption = None,
    model: ModelsOption = None,
    revision: RevisionOption = None,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
    device: DeviceOption = Device.AUTO,
    compiled: CompileOption = False,
    threshold: ThresholdsOption = None,
    overlap: OverlapOption = Overlap.FLAT,
    on_long: OnLongOption = OnLong.WINDOW,
    solver: SolverOption = Solver.GREEDY,
) -> None:
    """Compare what a model finds with what is annotated, and print the scores.

    The model is asked about all that was annotated in each text. Files hold onepass's own format
    or one of the public formats that it reads; a directory stands for all .jsonl and .jsonl.gz
    files in it, or, if it has none, for its .json files and columns, or else for its .csv, .parquet
    and .spacy files. The scores of several models are shown side by side.
    """
    from onepass.evaluation import suite

    line, least = StatusLine(), threshold_of(threshold)
    files = annotated_files(data)
    for file in files.values():
        check_apart(output, "output", {"data": file})
    names: list[str | None] = [*dict.fromkeys(model)] if model else [None]
    if revision is not None and len(names) > 1:
        raise InputError(
            f"--revision {revision} is of one model, but {len(names)} are compared; give one, or "
            "directories."
        )
    with opened(output) as write:
        reports = {}
        for name in names:
            chosen = loading.choice(
                name, backend, precision, threads, device, compiled, revision=revision
            )
            one = loading.load_model(chosen)
            reports[one.name] = suite(
                one,
                files,
                threshold=least,
                overlap=overlap.value,
                on_long=on_long.value,
                solver=solver.value,
                limit=limit,
                progress=lambda name, done: line.draw(f"{name}: {done:,} texts"),
            )
            line.clear()
        for sentence in next(iter(reports.values())).left_out:  # the same for all models
            say(sentence)
        write(_rendered(reports, form or _form_of(output)))


def _form_of(output: Path | None) -> ScoresFormat:
    """Return what the name of an output says, or a table."""
    suffix = "" if output is None else ending(output)
    if suffix in (".html", ".htm"):
        return ScoresFormat.HTML
    return ScoresFormat.JSON if suffix == ".json" else ScoresFormat.TABLE


def _rendered(reports: Mapping[str, SuiteReport], form: ScoresFormat) -> str:
    """Return the reports of one model, or of several side by side."""
    from onepass.evaluation.comparison import compared, compared_dict
    from onepass.evaluation.page import report_page

    if form is ScoresFormat.HTML:
        return report_page(reports)
    only, *others = reports.values()
    if form is ScoresFormat.JSON:
        return json_text(compared_dict(reports) if others else only.to_dict())
    return f"{compared(reports) if others else only.to_table()}\n"
