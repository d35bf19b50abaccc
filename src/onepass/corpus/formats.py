"""Annotated files of any known format: one table says how rows are recognized and what reads them.

It knows which formats there are, in the order in which they are asked, and nothing of what is in
their rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

from onepass.corpus import conll, docbin, tables
from onepass.corpus.doccano import Doccano, fuller_row, is_doccano_row
from onepass.corpus.example import Example
from onepass.corpus.gliclass import example_from_gliclass, is_gliclass_row
from onepass.corpus.gliner import example_from_gliner, is_gliner_row
from onepass.corpus.gliner2 import OnMissing, example_from_gliner2, is_gliner2_row
from onepass.corpus.jsonl import KEYS, example_from_dict, is_plain_row
from onepass.corpus.label_studio import LEFT_OUT as NOT_ANNOTATED
from onepass.corpus.label_studio import LabelStudio, is_label_studio_row, is_small_export
from onepass.corpus.labeled import Labeled, is_labeled_row
from onepass.corpus.prodigy import LEFT_OUT as NOT_ACCEPTED
from onepass.corpus.prodigy import Prodigy, is_prodigy_row
from onepass.corpus.public_records import (
    AnnotatedRecords,
    example_from_classification,
    is_annotated_row,
    is_classification_row,
)
from onepass.corpus.rows import at_line, each_entry, sound_entries
from onepass.corpus.spacy import Spacy, is_spacy_row
from onepass.corpus.tagged import Tagged, is_tagged_row
from onepass.errors import InputError
from onepass.results.wording import counted

_Row = Mapping[str, Any]
_Read = Callable[[_Row], Example | None]  # None for a row that is left out
_OTHER_KINDS = (".ods", ".parquet", ".xls", ".xlsx", ".xml", ".yaml", ".yml")
_RESULT = {"text", "entities", "classifications", "records", "relations"}  # of an extraction
_ANNOTATED = set(KEYS) - {"text", "source"}  # keys of our own format
_COMPACT = {"t", "e", "n", "c", "s", "r", "rn"}  # of our own files, which the recipe expands


class Format(StrEnum):
    """A format of annotated files."""

    ONEPASS = "onepass"
    GLINER2 = "gliner2"
    GLINER = "gliner"
    GLICLASS = "gliclass"
    LABEL_STUDIO = "label-studio"
    PRODIGY = "prodigy"
    CLASSIFICATION = "classification"
    RECORDS = "records"  # of extraction and of several tasks
    SPACY = "spacy"
    DOCCANO = "doccano"
    TAGGED = "tagged"  # words and tags in lists
    LABELED = "labeled"  # a text and its class
    COLUMNS = "columns"
    TABLE = "table"


@dataclass(frozen=True, slots=True)
class RowFormat:
    """A format of rows.

    Attributes:
        name: the format.
        recognizes: says whether a row with more than a text is in it, if no format before it does.
        reader: (path of the whole file, what is told of surfaces that are not in their text) to
            what reads a row of the file.
        left_out: why rows are that are left out, as the end of a sentence; of a format in which
            some may be.
    """

    name: Format
    recognizes: Callable[[_Row], bool]
    reader: Callable[[Path, OnMissing | None], _Read]
    left_out: str = ""


@dataclass(frozen=True, slots=True)
class FileFormat:
    """A format of files that hold no rows of JSON.

    Attributes:
        name: the format.
        recognizes: says whether a file is in it.
        read_each: yields the place and the example of each text, or what is wrong with it.
    """

    name: Format
    recognizes: Callable[[Path], bool]
    read_each: Callable[[Path], Iterator[tuple[str, Example | InputError]]]


FILE_FORMATS = (
    FileFormat(Format.TABLE, tables.is_table, tables.read_each_record),
    FileFormat(Format.SPACY, docbin.is_docbin, docbin.read_each_document),
    FileFormat(Format.COLUMNS, conll.is_columns, conll.read_each_sentence),
)


def _rows(path: Path) -> Iterator[_Row]:
    return (row for _, row in sound_entries(path))


ROW_FORMATS = (
    RowFormat(
        Format.LABEL_STUDIO,
        is_label_studio_row,
        lambda path, _: LabelStudio(path).example,
        NOT_ANNOTATED,
    ),
    RowFormat(Format.PRODIGY, is_prodigy_row, lambda path, _: Prodigy(path).example, NOT_ACCEPTED),
    RowFormat(Format.SPACY, is_spacy_row, lambda path, _: Spacy(partial(_rows, path)).example),
    RowFormat(
        Format.GLINER2,
        is_gliner2_row,
        lambda _, tell: partial(example_from_gliner2, on_missing=tell),
    ),
    RowFormat(Format.GLINER, is_gliner_row, lambda *_: example_from_gliner),
    RowFormat(Format.GLICLASS, is_gliclass_row, lambda *_: example_from_gliclass),
    RowFormat(Format.CLASSIFICATION, is_classification_row, lambda *_: example_from_classification),
    RowFormat(Format.RECORDS, is_annotated_row, lambda path, _: AnnotatedRecords(path).example),
    RowFormat(Format.TAGGED, is_tagged_row, lambda path, _: Tagged(path).example),
    RowFormat(Format.DOCCANO, is_doccano_row, lambda path, _: Doccano(path).example),
    RowFormat(
        Format.LABELED,
        lambda row: is_labeled_row(row) and not (row.keys() & _ANNOTATED or is_small_export(row)),
        lambda path, _: Labeled(path).example,
    ),
    RowFormat(
        Format.ONEPASS,
        lambda row: "text" in row and not is_small_export(row),
        lambda *_: example_from_dict,
    ),
)

_OF_BARE = (Format.LABELED, Format.ONEPASS)  # of a row in which doccano has nothing labelled, too


def format_of(path: Path) -> Format:
    """Return the format of a file, by the end of its name or by its first row that shows one.

    Raises:
        InputError: if there is no such file, it is empty, or that row fits no format.
    """
    whole = _file_format(path)
    if whole is not None:
        return whole.name
    is_plain = False
    for place, row in _entries(path):
        if isinstance(row, InputError):
            raise row
        if not is_plain_row(row):
            with at_line(path, place):
                return _row_format(row, path).name
        is_plain = True
    if is_plain:
        return Format.ONEPASS
    raise InputError(f"{path} is empty; expected one JSON object a line.")


def read_any(
    path: Path,
    *,
    on_missing: Callable[[str], None] | None = None,
    on_left_out: Callable[[str], None] | None = None,
) -> Iterator[Example]:
    """Yield the examples of an annotated file, in whichever of the formats it holds.

    All rows are in one format, that of the first row that shows one: onepass's own, those of
    GLiNER2, GLiNER, GLiClass and spaCy, exports of Label Studio, Prodigy and doccano, records of
    public data sets (`onepass.corpus.public_records`), words with their tags
    (`onepass.corpus.tagged`), texts with a label, a table of these, or columns.

    Args:
        path: a ``.jsonl`` or ``.jsonl.gz`` file, or one JSON list of such rows; or columns
            (``.conll``, ``.bio``, ``.iob``, ``.iob2``, ``.tsv``, ``.txt``, ``.annotated``), see
            `onepass.corpus.conll`; or a table (``.csv``, ``.csv.gz``, ``.tsv``, ``.parquet``), see
            `onepass.corpus.tables`; or documents of spaCy (``.spacy``), see
            `onepass.corpus.docbin`.
        on_missing: a function that gets a message about every surface that is not in its text
            (GLiNER2's format only); None refuses such a row instead.
        on_left_out: a function that gets a message at the end of the file, if rows of it were left
            out: of Label Studio those without an annotation, of Prodigy those nobody accepted.

    Raises:
        InputError: if the file cannot be read, naming the first line that does not fit, and why.
        MissingExtra: if it is a Parquet file and pyarrow is not installed, or a file of spaCy and
            that is not.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     path = Path(directory, "data.jsonl")
    ...     _ = path.write_text('{"input": "Bo barks.", "output": {"entities": {"dog": ["Bo"]}}}')
    ...     [example.entities for example in read_any(path)]
    [(Mention(start=0, end=2, label='dog'),)]
    """
    for _, example in read_each(path, on_missing=on_missing, on_left_out=on_left_out):
        if isinstance(example, InputError):
            raise example
        yield example


def read_each(
    path: Path,
    *,
    on_missing: Callable[[str], None] | None = None,
    on_left_out: Callable[[str], None] | None = None,
) -> Iterator[tuple[str, Example | InputError]]:
    """Yield the place ("line 3") and the example of every row, or what is wrong with the row.

    Args:
        path: as in `read_any`.
        on_missing: as in `read_any`.
        on_left_out: as in `read_any`.

    Raises:
        InputError: where the file cannot be read on.
        MissingExtra: as `read_any` does.
    """
    whole = _file_format(path)
    if whole is not None:
        yield from whole.read_each(path)
        return
    place = ""

    def tell(sentence: str) -> None:
        if on_missing is not None:
            on_missing(f"{path}, {place}: {sentence}")

    form: RowFormat | None = None
    read: _Read = example_from_dict
    left_out = 0
    for place, row in _entries(path):
        if isinstance(row, InputError):
            yield place, row
            continue
        try:
            with at_line(path, place):
                if form is None and not is_plain_row(row):
                    form = _row_format(row, path)
                    read = form.reader(path, on_missing and tell)
                example = read(row)
        except InputError as error:
            yield place, error
        else:
            if example is not None:
                yield place, example
            else:
                left_out += 1
    if left_out and form is not None and on_left_out is not None:
        on_left_out(
            f"{path}: {counted(left_out, 'row')} {'is' if left_out == 1 else 'are'} left out: "
            f"{form.left_out}."
        )


def _file_format(path: Path) -> FileFormat | None:
    return next((form for form in FILE_FORMATS if form.recognizes(path)), None)


def _entries(path: Path) -> Iterator[tuple[str, dict[str, Any] | InputError]]:
    """Yield the rows of a file; one of columns under a name of others is refused as that."""
    for place, row in each_entry(path):
        if isinstance(row, InputError) and place == "line 1":
            conll.check_name(path)
            _check_kind(path)
        yield place, row


def _check_kind(path: Path) -> None:
    """Refuse a file that its name calls one of a kind that is not read.

    Raises:
        InputError: if it does.
    """
    if path.name.lower().removesuffix(".gz").endswith(_OTHER_KINDS):
        raise InputError(
            f"{path} is of a kind that annotated texts are not read from; give JSON lines, one "
            "JSON list, a table with the columns text and label (.csv, .tsv, .parquet) or tokens "
            f"and ner_tags (.parquet), or columns of words and tags ({', '.join(conll.SUFFIXES)})."
        )


def _row_format(row: _Row, path: Path) -> RowFormat:
    """Return the first format that recognizes a row, or another row of its file if it is bare.

    Raises:
        InputError: if there is none.
    """
    if isinstance(row.get("extraction"), Mapping) or row.keys() >= _RESULT:
        raise InputError(
            "the row is a result of onepass, which is no annotation before somebody has checked "
            "it; bring it into an annotation tool with Extraction.to_label_studio() or "
            "Extraction.to_prodigy(), and give what that exports."
        )
    form = _recognizing(row)
    if form is not None and form.name in _OF_BARE and not row.keys() <= set(KEYS):
        with suppress(InputError):  # is said where the other row is read
            form = _recognizing(fuller_row(row, path)) or form
    if form is not None:
        return form
    if is_small_export(row):
        raise InputError(
            "the row is of Label Studio's export JSON-MIN, but only its export JSON is read; "
            "export the project as that."
        )
    if {"t"} < row.keys() <= _COMPACT:
        raise InputError(
            "the row is in the compact form of onepass's data/written, in which mentions are words "
            "without places; in a clone of the repository run  python recipes/builtin/written.py "
            "DIRECTORY OUTPUT  to expand a directory of such files, and give the OUTPUT."
        )
    raise InputError(
        f"the row has no 'text' (its keys: {', '.join(sorted(row)) or 'none'}); expected "
        "onepass's own format, GLiNER2's, GLiNER's, GLiClass's or spaCy's, a text and its label, "
        "tokens and ner_tags, an export of Label Studio, Prodigy or doccano, or an extraction, "
        "classification or multitask record."
    )


def _recognizing(row: _Row) -> RowFormat | None:
    return next((form for form in ROW_FORMATS if form.recognizes(row)), None)
