"""``onepass extract``: from a text, or a file of texts, to what is found in them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from onepass.cli import loading
from onepass.cli.bulk import write_lines, write_page
from onepass.cli.inputs import Source, find_source, read_rows, read_text
from onepass.cli.options import (
    Backend,
    BackendOption,
    ClassifyOption,
    EntityOption,
    Format,
    FormatOption,
    InputOption,
    ModelOption,
    NameChoiceOption,
    NameEntitiesOption,
    OnLong,
    OnLongOption,
    OutputOption,
    Overlap,
    OverlapOption,
    Precision,
    PrecisionOption,
    QuestionOption,
    RelationOption,
    SchemaOption,
    StructureOption,
    TextArgument,
    TextFieldOption,
    ThreadsOption,
    ThresholdOption,
)
from onepass.cli.output import default_format, opened, rendered
from onepass.cli.rows import Request, extract_rows
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.extractor import Extractor

ROWS_FAILED = 1

EXAMPLES = """Examples:

\b
  onepass extract "Tim Cook runs Apple." -e person -e "company=legal name of a firm"
  onepass extract "I love it!" -c "sentiment=positive,negative" -c "topics*=price,design"
  onepass extract "Tim Cook runs Apple." -e person,company -r "works for"
  onepass extract 'A red mug, $9' -s "product: name::str, price::str, colors"
  cat letter.txt | onepass extract --schema schema.json --format html -o letter.html
  onepass extract --input mails.jsonl --text-field body -e person -o found.jsonl
"""


def extract(
    text: TextArgument = None,
    entity: EntityOption = None,
    classify: ClassifyOption = None,
    relation: RelationOption = None,
    structure: StructureOption = None,
    question: QuestionOption = None,
    name_entities: NameEntitiesOption = False,
    name_choice: NameChoiceOption = None,
    schema: SchemaOption = None,
    source: InputOption = None,
    text_field: TextFieldOption = None,
    output: OutputOption = None,
    form: FormatOption = None,
    model: ModelOption = None,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
    threshold: ThresholdOption = None,
    overlap: OverlapOption = Overlap.FLAT,
    on_long: OnLongOption = OnLong.WINDOW,
) -> None:
    """Find entities, classes, records and relations in a text, or in every text of a file.

    Say what to find with any mix of -e, -c, -r, -s and --schema; each may be given many times.

    With --input, a result is the row that was read with "extraction" added, in the same order; a
    row that fails becomes {"row": number, "error": message}, and the exit code is 1.
    """
    from onepass.cli.asking import schema_asked

    asked = schema_asked(
        entity or (),
        classify or (),
        relation or (),
        structure or (),
        question or (),
        schema,
        names=(name_choice or ()) if name_entities or name_choice else None,
    )
    request = Request(asked, threshold, overlap, on_long)

    def load() -> Extractor:
        return loading.load_model(model, backend=backend, precision=precision, threads=threads)

    if source is None:
        if text_field is not None:
            raise InputError("--text-field belongs to --input; leave it out, or name a file.")
        given = read_text(text)
        with opened(output) as write:
            write(rendered(request.one(load(), given), form or default_format(output)))
        return
    if text is not None:
        raise InputError("Both a TEXT and --input are given; give one of them.")
    _extract_file(load, request, find_source(source), text_field, form, output)


def _extract_file(
    load: Callable[[], Extractor],
    request: Request,
    source: Source,
    text_field: str | None,
    form: Format | None,
    output: Path | None,
) -> None:
    """Write what is found in every row of a file."""
    if form not in (None, Format.JSONL, Format.HTML):
        raise InputError(f"--format {form} is for one text; with --input give jsonl or html.")
    if text_field is not None and source.kind == "text":
        raise InputError("A file with one text a line has no fields; leave --text-field out.")
    with opened(output) as write:
        done = extract_rows(load(), request, read_rows(source, text_field or "text"))
        failed = (write_page if form is Format.HTML else write_lines)(done, write)
    if failed:
        raise typer.Exit(ROWS_FAILED)
