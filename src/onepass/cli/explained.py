"""``onepass extract --explain``: what was nearly found, beside what was found."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Annotated

import typer

from onepass.batch.answering import Request
from onepass.cli.file_options import ExtractFormat as Format
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.extractor import Extractor

ExplainOption = Annotated[
    float | None,
    typer.Option(
        "--explain",
        metavar="SCORE",
        min=0,
        max=1,
        help="Also show what scores SCORE or more and is not kept, and why; for one text, not "
        "--input. Try 0.1.",
    ),
]


def explained(
    load: Callable[[], Extractor], request: Request, text: str, floor: float, form: Format
) -> str:
    """Return what is found and nearly found in a text, with the line break at its end.

    Args:
        load: opens the model.
        request: what is asked.
        text: that is read.
        floor: the lowest score that is shown.
        form: json, jsonl or table.

    Raises:
        InputError: for another format.
    """
    if form not in (Format.JSON, Format.JSONL, Format.TABLE):
        raise InputError(f"--format {form} cannot hold --explain; give json, jsonl or table.")
    told = load().explain(text, request.schema, floor=floor, **request.options.to_dict())
    if form is Format.TABLE:
        return told.to_table() + "\n"
    return told.to_json(indent=2 if form is Format.JSON else None) + "\n"
