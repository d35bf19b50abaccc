"""``onepass data``: look at annotated files, convert them, make some up.

What is wrong goes to standard output here, since it is the result.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from onepass.batch.packing import ending
from onepass.batch.places import check_apart
from onepass.batch.streams import is_device
from onepass.cli import loading
from onepass.cli.annotated import annotated_files
from onepass.cli.options import ReportFormat, ReportOption, file_of, place_of
from onepass.cli.output import json_text, opened, say, section, show
from onepass.errors import InputError
from onepass.results.wording import counted, printable

if TYPE_CHECKING:
    from onepass.corpus.example import Example
    from onepass.corpus.inspection import Problem, Statistics

FilesArgument = Annotated[
    list[Path],
    typer.Argument(metavar="PATH...", help="Annotated files, or directories of such files."),
]
FAILED = 1
_SHOWN = 30  # labels of a section in a table
_LIST = ".json"  # other tools read one list from such a file
_LINES = 20  # about problems of one kind
_NOUNS = {"nothing": "unannotated text"}  # for kinds that are no noun

data = typer.Typer(help="Check, count, convert and make annotated files.")


@data.command("validate", short_help="Find errors, duplicates, contradictions and leaks.")
def validate(
    paths: FilesArgument,
    against: Annotated[
        list[Path] | None,
        typer.Option(
            "--against",
            metavar="PATH",
            help="Annotated file, such as a test set, whose texts must not be in PATH: those in "
            "both are leaks; may be repeated.",
        ),
    ] = None,
    form: ReportOption = ReportFormat.TABLE,
) -> None:
    """List rows that cannot be read, duplicates, contradictions and leaks.

    Mentions that a row holds twice, spans that begin or end in white space or inside a word, and
    names in two spellings are listed, too.

    The exit code is 1 if a row cannot be read, contradicts another one, or leaks, and if a file
    holds no text. A table has 20 lines of one kind, JSON all of them.
    """
    from onepass.corpus.inspection import Known, Statistics, inspect_files

    known = Known() if against else None
    for example in _read(annotated_files(against or [])):
        if known is not None:
            known.add(example)
    statistics = Statistics()
    problems = list(
        inspect_files(
            annotated_files(paths).values(), known=known, statistics=statistics, on_left_out=say
        )
    )
    kinds = Counter(problem.kind for problem in problems)
    if form is ReportFormat.JSON:
        rows = [
            {"path": str(p.path), "place": p.place, "kind": p.kind, "message": p.message}
            for p in problems
        ]
        show(json_text({"texts": statistics.texts, "problems": rows}))
    else:
        _list(problems)
        found = ", ".join(counted(count, _NOUNS.get(kind, kind)) for kind, count in kinds.items())
        show(f"{counted(statistics.texts, 'text')} read: {found or 'no problems'}.\n")
    if kinds.keys() & {"error", "conflict", "leak"}:
        raise typer.Exit(FAILED)


def _list(problems: Iterable[Problem]) -> None:
    """Show a line for each of the first problems of a kind, and how many more there are of it."""
    listed = Counter[str]()
    for problem in problems:
        listed[problem.kind] += 1
        if listed[problem.kind] <= _LINES:
            prefix = "" if problem.kind == "error" else f"{problem.path}, {problem.place}: "
            show(f"{problem.kind}: {printable(f'{prefix}{problem.message}')}\n")
    for kind, count in listed.items():
        if count > _LINES:
            show(f"{kind}: ... and {count - _LINES:,} more (--format json lists all)\n")


@data.command("stats", short_help="Count texts, labels, records and relations.")
def stats(paths: FilesArgument, form: ReportOption = ReportFormat.TABLE) -> None:
    """Count texts, words, labels, tasks, records and relations of annotated files."""
    from onepass.corpus.inspection import Statistics

    statistics = Statistics()
    for example in _read(annotated_files(paths)):
        statistics.add(example)
    if form is ReportFormat.JSON:
        show(json_text(statistics.to_dict()))
        return
    show("\n".join(_sections(statistics)))


class DataFormat(StrEnum):
    """A format of annotated files that is written."""

    ONEPASS = "onepass"
    GLINER = "gliner"


@data.command("convert", short_help="Convert annotated files to one format.")
def convert(
    paths: FilesArgument,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=file_of,
            help="JSONL file to write, compressed if it ends in .gz; in .json it is one list.",
        ),
    ],
    to: Annotated[
        DataFormat,
        typer.Option(
            "--to", help="Format to write; gliner: entities and relations only, no descriptions."
        ),
    ] = DataFormat.ONEPASS,
) -> None:
    """Read annotated files of any known format, and write their examples to one file.

    Formats: onepass, GLiNER2, GLiNER, GLiClass, spaCy, CoNLL columns, Label Studio, Prodigy,
    doccano, lists of tokens and ner_tags (JSONL, Parquet), and tables (CSV, TSV, Parquet) with the
    columns text and label.
    """
    from onepass.corpus.gliner import gliner_row, lost_by_gliner
    from onepass.corpus.jsonl import example_to_dict

    place = place_of(output)
    _check_name(place)
    files = annotated_files(paths)
    for file in files.values():
        check_apart(place, "output", {"data": file})
    row_of = gliner_row if to is DataFormat.GLINER else example_to_dict
    count, lost = 0, Counter[str]()

    def rows() -> Iterator[dict[str, Any]]:
        nonlocal count
        for count, example in enumerate(_read(files), 1):
            if to is DataFormat.GLINER:
                lost.update(lost_by_gliner(example))
            try:
                yield row_of(example)
            except InputError as error:
                raise InputError(f"Example {count} cannot be written: {error}") from error

    with opened(place) as write:
        for text in _written(rows(), place):
            write(text)
    if lost:
        parts = ", ".join(
            f"{what} of {counted(number, 'example')}" for what, number in lost.items()
        )
        say(f"GLiNER's format has no place for {parts}; they are left out.")
    where = "on standard output" if place is None else f"in {place}"
    say(f"{counted(count, 'example')} {'is' if count == 1 else 'are'} {where}")


@data.command("synthesize", short_help="Generate annotated texts.")
def synthesize(
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="Number of texts.")],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            parser=file_of,
            callback=place_of,
            help="JSONL file to write; in .json it is one list. [default: standard output]",
        ),
    ] = None,
    seed: Annotated[
        int,
        typer.Option("--seed", metavar="N", help="Seed; the same one gives the same texts."),
    ] = 0,
) -> None:
    """Generate texts with records, entities, relations and a class: prose, lists and tables."""
    _check_name(output)
    loading.require("faker", feature="Making texts up", extra="data")
    from onepass.corpus.jsonl import example_to_dict
    from onepass.corpus.synthesis.compose import synthesize as make

    with opened(output) as write:
        for text in _written(map(example_to_dict, make(number, seed=seed)), output):
            write(text)


def _check_name(output: Path | None) -> None:
    """Refuse a file whose name says that something else than JSON is in it."""
    suffix = "" if output is None or is_device(output) else ending(output)
    if suffix not in ("", ".jsonl", ".ndjson", _LIST):
        raise InputError(
            f"The output {output} ends in {suffix}, but JSON is written; give a name in .jsonl or "
            ".jsonl.gz (one object a line), or in .json (one list)."
        )


def _written(rows: Iterable[Mapping[str, Any]], output: Path | None) -> Iterator[str]:
    """Yield the text of a file of rows: lines, or one list where its name ends in .json."""
    from onepass.batch.writing import json_line

    if output is None or is_device(output) or ending(output) != _LIST:
        yield from map(json_line, rows)
        return
    before = "["
    for row in rows:
        yield f"{before}\n{json_line(row).rstrip()}"
        before = ","
    yield "[]\n" if before == "[" else "\n]\n"


def _read(files: Mapping[str, Path]) -> Iterator[Example]:
    from onepass.corpus.formats import read_any

    for path in files.values():
        yield from read_any(path, on_left_out=say)


def _sections(statistics: Statistics) -> Iterator[str]:
    mean = statistics.words / statistics.texts if statistics.texts else 0.0
    yield section(
        "Texts",
        [
            ("texts", f"{statistics.texts:,}"),
            ("words", f"{statistics.words:,}"),
            ("words of a text", f"{mean:.1f}"),
            ("longest", f"{statistics.longest:,}"),
        ],
    )
    counted = {
        "Entities": statistics.entities,
        "Classifications": Counter(
            {f"{task}: {label}": n for (task, label), n in statistics.classifications.items()}
        ),
        "Records": statistics.structures,
        "Values": Counter(
            {f"{structure}: {name}": n for (structure, name), n in statistics.fields.items()}
        ),
        "Relations": statistics.relations,
        "Sources": statistics.sources,
    }
    if statistics.lengths:
        lengths = sorted(statistics.lengths.items())[:_SHOWN]
        yield section("Words of a mention", [(str(words), f"{n:,}") for words, n in lengths])
    for title, counts in counted.items():
        if counts:
            rows = [(name, f"{count:,}") for name, count in counts.most_common(_SHOWN)]
            more = len(counts) - len(rows)
            yield section(title, rows) + (f"  ... and {more} more\n" if more else "")
