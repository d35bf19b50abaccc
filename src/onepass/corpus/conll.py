"""Columns as in CoNLL-2003, WNUT and CrossNER: a word and its tag a line, blank lines between.

```
Ann    B-person
Lee    I-person
met    O
```

The first column is the word, the last one the tag; those between are not read. Tags are IOB1, IOB2,
IOBES or BILOU. Words are joined by one space, since columns do not say how they were written, and
every label of the file is asked of every text. This module knows nothing about other formats.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from onepass.corpus.example import Example, Mention
from onepass.corpus.rows import open_text
from onepass.errors import InputError

SUFFIXES = (".conll", ".bio", ".iob", ".iob2", ".tsv", ".txt", ".annotated")
_OUTSIDE = "O"
_MARKS = frozenset("BIESLU")  # begin, inside, end (E or L), single (S or U)
_START = "-DOCSTART-"
_BLANKS = " \t\n\r\f\v"  # a no-break space is part of a word
_GAP = re.compile(f"[{_BLANKS}]+")


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The lines of one text: the number of the first, words, tags."""

    line: int
    words: tuple[str, ...]
    tags: tuple[str, ...]


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
    if first is not None and all(tag == _OUTSIDE or _is_tag(tag) for tag in first.tags):
        raise InputError(
            f"{path} holds columns of words and tags, which are known by the end of a name; give "
            f"it one in {', '.join(SUFFIXES)}."
        )


def read_conll(path: Path) -> Iterator[Example]:
    """Yield the texts of a file of columns.

    Raises:
        InputError: naming the first line that does not fit, and why.
    """
    for _, example in read_each_sentence(path):
        if isinstance(example, InputError):
            raise example
        yield example


def read_each_sentence(path: Path) -> Iterator[tuple[str, Example | InputError]]:
    """Yield the place and the example of every text, or what is wrong with it.

    Raises:
        InputError: if the file cannot be read, or holds no tag at all.
    """
    labels: dict[str, None] = {}
    for sentence in _sentences(path):
        labels.update(dict.fromkeys(tag[2:] for tag in sentence.tags if _is_tag(tag)))
    if not labels:
        raise InputError(
            f"{path} has no tag such as B-person in its last column; expected a word and its tag a "
            "line, and a blank line after each text."
        )
    asked = tuple(map(_named, sorted(labels)))
    for sentence in _sentences(path):
        place = f"line {sentence.line}"
        try:
            yield place, _example(sentence, asked)
        except InputError as error:
            yield place, InputError(f"{path}, {error}")


def _sentences(path: Path) -> Iterator[_Sentence]:
    first, words, tags = 0, list[str](), list[str]()
    for number, line in _lines(path):
        columns = line.split("\t") if "\t" in line else _GAP.split(line.strip(_BLANKS))
        columns = [column.strip(_BLANKS) for column in columns]
        about = not line.strip(_BLANKS) or columns[0] == _START or _is_comment(line, columns)
        if about:
            if words:
                yield _Sentence(first, tuple(words), tuple(tags))
            words, tags = [], []
            continue
        if not words:
            first = number
        words.append(columns[0])
        tags.append(columns[-1] if len(columns) > 1 else "")
    if words:
        yield _Sentence(first, tuple(words), tuple(tags))


def _is_comment(line: str, columns: Sequence[str]) -> bool:
    """Say whether a line is a comment of CoNLL-U, and not a word ``#`` with its tag."""
    return line.startswith("# ") and not (columns[-1] == _OUTSIDE or _is_tag(columns[-1]))


def _lines(path: Path) -> Iterator[tuple[int, str]]:
    with open_text(path) as file:
        try:
            yield from enumerate(file, 1)
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8; convert it.") from error
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path} is not a complete gzip file ({error}).") from error


def _is_tag(tag: str) -> bool:
    return len(tag) > 2 and tag[0] in _MARKS and tag[1] in "-_"


def _example(sentence: _Sentence, asked: tuple[str, ...]) -> Example:
    starts, length = [], 0
    for word in sentence.words:
        starts.append(length)
        length += len(word) + 1
    text = " ".join(sentence.words)
    mentions = tuple(
        Mention(starts[first], starts[last] + len(sentence.words[last]), _named(label))
        for first, last, label in _mentions(sentence)
    )
    return Example(text, mentions, asked)


def _mentions(sentence: _Sentence) -> Iterator[tuple[int, int, str]]:
    """Yield the first and the last word of each mention, and its label."""
    begun: tuple[int, str] | None = None
    for place, tag in enumerate(sentence.tags):
        if not _is_tag(tag):
            if tag not in (_OUTSIDE, "_"):
                raise InputError(
                    f"line {sentence.line + place}: the tag {tag!r} of {sentence.words[place]!r} "
                    "is not known; expected O, or B, I, E, S, L or U with a label, as in B-person."
                )
            if begun:
                yield begun[0], place - 1, begun[1]
            begun = None
            continue
        if not sentence.words[place]:
            raise InputError(
                f"line {sentence.line + place}: no word stands before the tag {tag!r}; expected "
                "one, or the tag O."
            )
        mark, label = tag[0], tag[2:]
        # IOB1 begins a mention with I where none of its label goes on.
        if begun and (mark in "BSU" or label != begun[1]):
            yield begun[0], place - 1, begun[1]
            begun = None
        begun = begun or (place, label)
        if mark in "ESLU":
            yield begun[0], place, label
            begun = None
    if begun:
        yield begun[0], len(sentence.tags) - 1, begun[1]


def _named(label: str) -> str:
    """Return a label as a person would write it.

    >>> _named("programlang"), _named("creative-work"), _named("musical_artist")
    ('programlang', 'creative work', 'musical artist')
    """
    return label.replace("_", " ").replace("-", " ")
