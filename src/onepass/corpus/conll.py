"""Columns as in CoNLL-2003, WNUT and CrossNER: a word and its tag a line, blank lines between.

```
Ann    B-person
Lee    I-person
met    O
```

The first column is the word, the last one the tag; those between are not read. If the first of
three or more counts the words of every text (1, 2, ..., as in CoNLL-U), the second is the word, and
lines that count none (3-4, 5.1) are left out. Tags are IOB1, IOB2, IOBES or BILOU. Words are joined
by one space, since columns do not say how they were written, and every label of the file is asked
of every text. This module knows nothing about other formats.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from onepass.corpus.example import Example
from onepass.corpus.rows import open_text
from onepass.corpus.tags import OUTSIDE, is_tag, named, tagged_example
from onepass.errors import InputError

SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".tsv", ".txt", ".annotated")
_START = "-DOCSTART-"
_BLANKS = " \t\n\r\f\v"  # a no-break space is part of a word
_GAP = re.compile(f"[{_BLANKS}]+")
_NO_WORD = re.compile(r"\d+[-.]\d+")  # numbers of what stands for several words, or for none


class _Line(NamedTuple):
    """A line of a text: its number, its word, the second column of three or more, its tag."""

    number: int
    word: str
    second: str
    tag: str


def is_columns(path: Path) -> bool:
    """Say whether a file holds columns, by its suffix, before ``.gz`` or not.

    >>> is_columns(Path("train.txt")), is_columns(Path("a.conll.gz")), is_columns(Path("a.jsonl"))
    (True, True, False)
    """
    return path.name.lower().removesuffix(".gz").endswith(SUFFIXES)


def check_name(path: Path) -> None:
    """Refuse a file of columns whose name does not end as that of one, by its first text.

    Raises:
        InputError: if it is one.
    """
    first = None
    with suppress(InputError):  # who reads it as something else says what is wrong
        first = next(_sentences(path), None)
    if first is not None and all(line.tag == OUTSIDE or is_tag(line.tag) for line in first):
        raise InputError(
            f"{path} holds columns of words and tags, which are known by the end of a name; give "
            f"it one in {', '.join(SUFFIXES)}."
        )


def read_each_sentence(path: Path) -> Iterator[tuple[str, Example | InputError]]:
    """Yield the place and the example of every text, or what is wrong with it.

    Raises:
        InputError: if the file cannot be read, or holds no tag at all.
    """
    labels: dict[str, None] = {}
    longest, counted = 0, True
    for sentence in _sentences(path):
        labels.update(dict.fromkeys(line.tag[2:] for line in sentence if is_tag(line.tag)))
        longest, counted = max(longest, len(sentence)), counted and _is_counted(sentence)
    if not labels:
        table = ", and no header with text and label" if ".tsv" in path.name.lower() else ""
        raise InputError(
            f"{path} has no tag such as B-person in its last column{table}; expected a word and "
            "its tag a line, and a blank line after each text."
        )
    asked = tuple(map(named, sorted(labels)))
    for sentence in _sentences(path):
        place = f"line {sentence[0].number}"
        own = _uncounted(sentence) if counted and longest > 1 else sentence  # "1" may be a text
        try:
            yield place, _example(own, asked)
        except InputError as error:
            yield place, InputError(f"{path}, {error}")


def _is_counted(sentence: Sequence[_Line]) -> bool:
    """Say whether the first column counts the words."""
    counts = [line.word for line in sentence if not _NO_WORD.fullmatch(line.word)]
    seconds = all(line.second for line in sentence)
    return seconds and bool(counts) and counts == [str(n + 1) for n in range(len(counts))]


def _uncounted(sentence: Sequence[_Line]) -> list[_Line]:
    """Return a text without the column that counts its words."""
    words = [line for line in sentence if not _NO_WORD.fullmatch(line.word)]
    return [line._replace(word=line.second) for line in words]


def _sentences(path: Path) -> Iterator[Sequence[_Line]]:
    rows: list[_Line] = []
    for number, line in _lines(path):
        columns = line.split("\t") if "\t" in line else _GAP.split(line.strip(_BLANKS))
        columns = [column.strip(_BLANKS) for column in columns]
        about = not line.strip(_BLANKS) or columns[0] == _START or _is_comment(line, columns)
        if about:
            if rows:
                yield rows
            rows = []
            continue
        second = columns[1] if len(columns) > 2 else ""
        rows.append(_Line(number, columns[0], second, columns[-1] if len(columns) > 1 else ""))
    if rows:
        yield rows


def _is_comment(line: str, columns: Sequence[str]) -> bool:
    """Say whether a line is a comment of CoNLL-U, and not a word ``#`` with its tag."""
    return line.startswith("# ") and not (columns[-1] == OUTSIDE or is_tag(columns[-1]))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with open_text(path) as file:
        try:
            yield from enumerate(file, 1)
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8; convert it.") from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path} is not a complete gzip file ({error}).") from error


def _example(sentence: Sequence[_Line], asked: tuple[str, ...]) -> Example:
    words, tags = [line.word for line in sentence], [line.tag for line in sentence]
    return tagged_example(words, tags, asked, lambda place: f"line {sentence[place].number}")
