"""``onepass redact``: a text, or every text of a file, without the personal data in it.

Messages hold labels, places and counts, never what was replaced.
"""

from __future__ import annotations

from contextlib import nullcontext
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from onepass.batch.lines import LINE_BYTES
from onepass.batch.packing import ending
from onepass.batch.places import check_apart, read_from
from onepass.batch.streams import is_device
from onepass.cli import ROWS_FAILED, loading
from onepass.cli.file_options import (
    InputsOption,
    MaxLineOption,
    ResumeOption,
    TextUnit,
    TextUnitOption,
    refuse_file_options,
)
from onepass.cli.foreign import tell_of_script
from onepass.cli.inputs import read_text, say_left_out
from onepass.cli.loading import Load
from onepass.cli.options import (
    Backend,
    BackendOption,
    CompileOption,
    Device,
    DeviceOption,
    ModelOption,
    OutputOption,
    Precision,
    PrecisionOption,
    RevisionOption,
    TextArgument,
    TextFieldOption,
    ThreadsOption,
    file_of,
    least_score,
    only,
    place_of,
)
from onepass.cli.output import json_text, opened, say
from onepass.cli.redact_key import VARIABLE, read_key
from onepass.errors import InputError

if TYPE_CHECKING:
    from onepass.batch import ModelChoice
    from onepass.redact import Options, Redacted, RedactJob

_TEXTS = (".txt", ".md", ".log")
# A file of texts alone could not go on: what was found in them tells the pseudonyms to come.
_AS_LINES = "for the texts alone end the command with '| jq -r .text'"

EXAMPLES = """Examples:

\b
  onepass redact "Anna Weiss, +49 30 901820, lives in Bern."
  cat letter.txt | onepass redact -l person -l "case number=a number of a court case"
  onepass redact "Anna called Bo." -a pseudonym --faker en_US
  onepass redact "Mail anna@example.com" -a mask -a person=hash --key-file secret.key
  onepass redact --input mails.jsonl --text-field body -o clean.jsonl --report found.json
  onepass redact --input mails.jsonl.gz -o clean.jsonl.gz --resume
"""


class Form(StrEnum):
    """How a redacted text is written."""

    TEXT = "text"
    JSON = "json"
    JSONL = "jsonl"
    HTML = "html"


LabelOption = Annotated[
    list[str] | None,
    typer.Option(
        "-l",
        "--label",
        metavar="LABEL",
        help="Label to replace: 'label', 'label,label' or 'label=description'; may be repeated. "
        "[default: seventeen kinds of personal data]",
    ),
]
ActionOption = Annotated[
    list[str] | None,
    typer.Option(
        "-a",
        "--action",
        metavar="ACTION",
        help="Replacement: mask, label, hash or pseudonym for everything, or 'label=action' for "
        "one label; may be repeated. [default: label]",
    ),
]
KeyOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        metavar="FILE",
        help="File with the secret key of hashes and of Faker's names. "
        f"[default: what {VARIABLE} holds]",
    ),
]
FakerOption = Annotated[
    str | None,
    typer.Option(
        "--faker",
        metavar="LOCALE",
        help="Locale of the names that Faker makes up as pseudonyms, such as en_US.",
    ),
]
RegionOption = Annotated[
    str | None,
    typer.Option(
        "--region",
        metavar="CC",
        help="Country of phone numbers without a country code, such as DE.",
    ),
]
PatternsOption = Annotated[
    bool,
    typer.Option(
        "--patterns/--no-patterns",
        help="Find e-mail addresses, links, cards, accounts, phones, IP addresses and national ID "
        "numbers by their form, too.",
    ),
]
ThresholdOption = Annotated[
    float | None,
    least_score(
        "Lowest score of what the model finds that is replaced. [default: 0.15 where scores "
        "are calibrated and no pattern looks, too; else what the checkpoint has]"
    ),
]
FormOption = Annotated[
    Form | None,
    typer.Option(
        "--format",
        "-f",
        help="Output format. [default: what the name of the output says, else jsonl with --input, "
        "else text]",
    ),
]
ReportFileOption = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        parser=file_of,
        help="File for the counts of what was replaced.",
    ),
]


def redact(
    text: TextArgument = None,
    label: LabelOption = None,
    action: ActionOption = None,
    key_file: KeyOption = None,
    faker: FakerOption = None,
    region: RegionOption = None,
    patterns: PatternsOption = True,
    threshold: ThresholdOption = None,
    source: InputsOption = None,
    text_field: TextFieldOption = None,
    text_unit: TextUnitOption = None,
    max_line: MaxLineOption = LINE_BYTES,
    output: OutputOption = None,
    report: ReportFileOption = None,
    form: FormOption = None,
    resume: ResumeOption = False,
    model: ModelOption = None,
    revision: RevisionOption = None,
    backend: BackendOption = Backend.AUTO,
    precision: PrecisionOption = Precision.AUTO,
    threads: ThreadsOption = None,
    device: DeviceOption = Device.AUTO,
    compiled: CompileOption = False,
) -> None:
    """Replace personal data in a text, or in every text of a file.

    Only the places that were found change; standard error says how many there were. With --input,
    a result is the row that was read, with its text redacted and "redacted" added, which says what
    was found where; other fields stay as they are. A row that fails becomes
    {"row": number, "error": message}, and the exit code is 1. A job with --output that is stopped
    or killed goes on with --resume.
    """
    from onepass.cli.redact_files import redact_page, redact_rows
    from onepass.redact import Options, Report

    options = Options(
        labels=_labels(label),
        action=_actions(action or ()),
        key=read_key(key_file),
        faker=faker,
        threshold=threshold,
        patterns=patterns,
        region=region,
    )
    chosen = loading.choice(model, backend, precision, threads, device, compiled, revision=revision)
    if resume and output is not None:
        from onepass.batch.states import as_begun

        chosen = as_begun(chosen, output)
    load = partial(loading.load_model, chosen)
    counts, failed = Report(), 0
    form = form or _form_of(output, many=bool(source))
    _check_given(text, source, form)
    job = None
    if source:
        job = _job(
            source, output, options, chosen, text_field=only(text_field, "--text-field"),
            text_unit=text_unit, max_line=max_line, resume=resume,
        )  # fmt: skip
    read = {"key file": key_file} | ({} if job is None else read_from(job.sources()))
    check_apart(output, "output", read)
    told = place_of(report)
    if report is not None and told is output is None:
        raise typer.BadParameter(
            "the report and what is redacted would both go to standard output; give one of them a "
            "file", param_hint="'--report'",
        )  # fmt: skip
    check_apart(told, "report", {**read, "output": output})
    # What cannot be written is refused before the work, as far as that can be known.
    with nullcontext() if report is None else opened(told, "report") as tell:
        if job is not None:
            say_left_out(job.input)
            write_rows = redact_page if form is Form.HTML else redact_rows
            failed = write_rows(job, output, counts, load)
        else:
            refuse_file_options(
                text_field=text_field, text_unit=text_unit, resume=resume,
                max_line=max_line != LINE_BYTES,
            )  # fmt: skip
            given = read_text(text)
            tell_of_script(given, chosen)
            counts.add(_one_text(given, output, options, load, form))
        say(f"onepass: {counts.summary()}")  # first: the output is there, whatever comes
        if tell is not None:
            tell(json_text(counts.to_dict() | {"failed": failed}))
    if failed:
        raise typer.Exit(ROWS_FAILED)


def _job(
    source: list[str],
    output: Path | None,
    options: Options,
    chosen: ModelChoice,
    *,
    text_field: str | None,
    text_unit: TextUnit | None,
    max_line: int,
    resume: bool,
) -> RedactJob:
    """Return the job of --input."""
    from onepass.redact import RedactJob

    return RedactJob(
        input=source,
        output=output or "-",
        options=options,
        format="jsonl",  # what the name says was looked at before
        text_field=text_field or "text",
        text_unit=None if text_unit is None else text_unit.value,
        max_line=max_line,
        model=chosen,
        resume=resume,
    )


def _one_text(
    given: str, output: Path | None, options: Options, load: Load, form: Form
) -> Redacted:
    """Write one text without what is found in it, and return it."""
    from onepass.redact import Redactor

    with opened(output) as write:
        done = Redactor(load(), options).one(given)
        write(_rendered(done, form))
    if done.coverage.truncated:
        say("onepass: the text was not read whole")
    return done


def _check_given(text: str | None, source: list[str] | None, form: Form) -> None:
    """Refuse a text beside files, and forms of one text for those."""
    if source and text is not None:
        raise InputError("Both a TEXT and --input are given; give one of them.")
    if source and form not in (Form.JSONL, Form.HTML):
        advice = f"; {_AS_LINES}, without --format" if form is Form.TEXT else ""
        raise InputError(
            f"--format {form} is for one text; with --input give jsonl or html{advice}."
        )


def _form_of(output: Path | None, *, many: bool) -> Form:
    """Return what the name of an output says, or what is usual."""
    suffix = "" if output is None else ending(output)
    known = suffix in ("", ".jsonl", ".ndjson", ".html", ".htm")
    if many and output is not None and not known and not is_device(output):
        advice = f"; {_AS_LINES}, without --output" if suffix in _TEXTS else ""
        raise InputError(
            f"onepass redact writes JSONL or a page, but the output {output} ends in {suffix}; "
            f"give one that ends in .jsonl or .html, or --format jsonl or html{advice}."
        )
    if suffix in (".html", ".htm"):
        return Form.HTML
    if many or suffix in (".jsonl", ".ndjson"):
        return Form.JSONL
    return Form.JSON if suffix == ".json" else Form.TEXT


def _labels(given: list[str] | None) -> dict[str, str] | tuple[str, ...]:
    from onepass.redact import PII

    if not given:
        return PII
    from onepass.schema.flags import schema_from_flags

    labels = schema_from_flags(entities=given, entity_flag="-l").entity_labels
    return {label.name: label.description or "" for label in labels}


def _actions(given: list[str] | tuple[()]) -> dict[str, str]:
    actions = {"": "label"}
    for one in given:
        label, _, action = one.rpartition("=")
        actions[label.strip()] = action.strip()
    return actions


def _rendered(done: Redacted, form: Form) -> str:
    if form is Form.TEXT:
        return done.text + "\n"
    if form is Form.JSON:
        return json_text(done.to_dict())
    if form is Form.JSONL:
        from onepass.batch.writing import json_line

        return json_line(done.to_dict())
    from onepass.results.render import to_html

    return to_html(done.to_extraction(), title="onepass redact")
