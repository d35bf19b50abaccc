"""Annotated files of any known format, told apart by their first row that shows one.

It knows which formats there are and nothing of what is in them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from pathlib import Path

from onepass.corpus import conll
from onepass.corpus.example import Example
from onepass.corpus.gliclass import is_gliclass_row
from onepass.corpus.gliner import is_gliner_row
from onepass.corpus.gliner2 import is_gliner2_row, read_gliner2
from onepass.corpus.jsonl import is_plain_row, read_examples
from onepass.corpus.public import is_own_row, read_any
from onepass.corpus.rows import at_line, read_entries
from onepass.errors import InputError


class Format(StrEnum):
    """A format of annotated rows; ``OTHER`` is any other that `onepass.corpus.public` reads."""

    ONEPASS = "onepass"
    GLINER2 = "gliner2"
    GLINER = "gliner"
    GLICLASS = "gliclass"
    OTHER = "other"


def file_format(path: Path) -> Format:
    """Return the format of a file by its suffix, or by the first row that has more than a text.

    Raises:
        InputError: if there is no such file, it is empty, or that row fits no format.
    """
    if conll.is_columns(path):
        return Format.OTHER
    plain = False
    for place, row in read_entries(path):
        if is_gliner2_row(row):
            return Format.GLINER2
        if is_gliner_row(row):
            return Format.GLINER
        if is_gliclass_row(row):
            return Format.GLICLASS
        if is_plain_row(row):
            plain = True
            continue
        with at_line(path, place):
            return Format.ONEPASS if is_own_row(row, path) else Format.OTHER
    if plain:
        return Format.ONEPASS
    raise InputError(f"{path} is empty; expected one JSON object a line.")


def read_training_file(
    path: Path, *, on_missing: Callable[[str], None] | None = None
) -> Iterator[Example]:
    """Yield the examples of an annotated file, plain or gzip, whose rows are all in one format.

    Args:
        path: a file in any format that `onepass.corpus.read_any` reads.
        on_missing: a function that gets a message about every surface that is not in its text
            (GLiNER2's format only); None refuses such a row instead.

    Raises:
        InputError: naming the line that does not fit, and why.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as directory:
    ...     path = Path(directory, "data.jsonl")
    ...     _ = path.write_text('{"input": "Bo barks.", "output": {"entities": {"dog": ["Bo"]}}}')
    ...     [example.entities for example in read_training_file(path)]
    [(Mention(start=0, end=2, label='dog'),)]
    """
    form = file_format(path)
    if form is Format.GLINER2:
        yield from read_gliner2(path, on_missing=on_missing)
    elif form is Format.ONEPASS:
        yield from read_examples(path)
    else:
        yield from read_any(path)
