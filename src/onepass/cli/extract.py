"""``onepass extract``: from a text, or a file of texts, to what is found in them."""

from __future__ import annotations

from functools import partial

from onepass.batch.answering import Request
from onepass.batch.job import Job
from onepass.batch.lines import LINE_BYTES
from onepass.batch.places import check_apart
from onepass.cli import loading
from onepass.cli.explained import ExplainOption, explained
from onepass.cli.file_options import (
    AddressOption,
    Engine,
    EngineOption,
    ExtractFormatOption,
    InputsOption,
    MaxLineOption,
    ResultOption,
    ResumeOption,
    TextUnitOption,
    WorkersOption,
    refuse_file_options,
)
from onepass.cli.foreign import tell_of_script
from onepass.cli.inputs import read_text
from onepass.cli.options import (
    Backend,
    BackendOption,
    ClassifyOption,
    CompileOption,
    Device,
    DeviceOption,
    EntityOption,
    ModelOption,
    NameChoiceOption,
    NameEntitiesOption,
    OnLong,
    OnLongOption,
    Overlap,
    OverlapOption,
    Precision,
    PrecisionOption,
    QuestionOption,
    RelationOption,
    RevisionOption,
    SchemaOption,
    Solver,
    SolverOption,
    StructureOption,
    TextArgument,
    TextFieldOption,
    ThreadsOption,
    only,
)
from onepass.cli.output import one_format, opened, rendered
from onepass.cli.threshold_option import ThresholdsOption, threshold_of
from onepass.errors import InputError
from onepass.schema.options import CallOptions

EXAMPLES = """Examples:

\b
  onepass extract "Tim Cook runs Apple." -e person -e "company=legal name of a firm"
  onepass extract "I love it!" -c "sentiment=positive,negative" -c "topics*=price,design"
  onepass extract "Tim Cook runs Apple." -e person,company -r "works for"
  onepass extract 'A red mug, $9' -s "product: name::str, price::str, colors"
  onepass extract "Bo was born in Oslo." -e person,city,birthplace --explain 0.1
  cat letter.txt | onepass extract --schema schema.json --format html -o letter.html
  onepass extract --input mails.jsonl --text-field body -e person -o found.jsonl
  onepass extract --input 'mails/*.csv.gz' -e person -o found.parquet --workers 4 --resume
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
    source: InputsOption = None,
    text_field: TextFieldOption = None,
    text_unit: TextUnitOption = None,
    max_line: MaxLineOption = LINE_BYTES,
    output: ResultOption = None,
    form: ExtractFormatOption = None,
    workers: WorkersOption = 1,
    resume: ResumeOption = False,
    engine: EngineOption = Engine.LOCAL,
    address: AddressOption = None,
    model: ModelOption = None,
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
    explain: ExplainOption = None,
) -> None:
    """Find entities, classes, records and relations in a text, or in every text of a file.

    Say what to find with any mix of -e, -c, -r, -s, -q and --schema.

    With --input, a result is the row that was read with "extraction" added, in the same order; a
    row that fails becomes {"row": number, "error": message}, and the exit code is 1. A job with
    --output that is stopped or killed goes on with --resume.
    """
    from onepass.cli.schema_option import schema_asked, schema_file

    asked = schema_asked(
        entity or (),
        classify or (),
        relation or (),
        structure or (),
        question or (),
        schema,
        names=(name_choice or ()) if name_entities or name_choice else None,
    )
    check_apart(output, "output", {"schema file": schema_file(schema)})
    least = threshold_of(threshold)
    options = CallOptions(least, overlap.value, on_long.value, solver.value)
    chosen = loading.choice(model, backend, precision, threads, device, compiled, revision=revision)
    if resume and output is not None:
        from onepass.batch.states import as_begun

        chosen = as_begun(chosen, output)
    load = partial(loading.load_model, chosen)
    if not source:
        refuse_file_options(
            text_field=text_field, text_unit=text_unit, workers=workers > 1, resume=resume,
            engine=engine is not Engine.LOCAL, address=address, max_line=max_line != LINE_BYTES,
        )  # fmt: skip
        given, form = read_text(text), form or one_format(output)
        request = Request(asked, options)
        tell_of_script(given, chosen)
        with opened(output) as write:
            if explain is None:
                write(rendered(request.one(load(), given), form))
            else:
                write(explained(load, request, given, explain, form))
        return
    from onepass.cli.bulk import extract_files

    if text is not None:
        raise InputError("Both a TEXT and --input are given; give one of them.")
    if explain is not None:
        raise InputError("--explain is for one text; leave out --input and give a TEXT.")
    job = Job(
        input=source,
        output="-",
        schema=asked,
        text_field=only(text_field, "--text-field") or "text",
        text_unit=None if text_unit is None else text_unit.value,
        max_line=max_line,
        threshold=options.threshold,
        overlap=options.overlap,
        on_long=options.on_long,
        solver=options.solver,
        model=chosen,
        workers=workers,
        resume=resume,
        engine=engine.value,
        address=address,
    )
    extract_files(job, form, output, load)
