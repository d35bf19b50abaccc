"""Words and their tags in lists, as data sets of Hugging Face hold them.

```
{"tokens": ["Ann", "Lee", "met"], "ner_tags": ["B-person", "I-person", "O"]}
```

The tags are the first of `TAGS` that a row has: IOB1, IOB2, IOBES or BILOU; or, if no tag of the
file is such, names alone as in Few-NERD, of which neighbors with the same name are one mention.
Every label of the file is asked of every text. Numbers are no tags here: who reads them knows their
names. Other keys are not used. This module knows nothing about other formats.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.corpus.checks import as_list, as_name, as_text, needed
from onepass.corpus.example import Example
from onepass.corpus.rows import sound_entries
from onepass.corpus.tags import MARKS, OUTSIDE, UNTAGGED, is_tag, named, tagged_example
from onepass.errors import InputError
from onepass.schema.shown import shown

WORDS = ("tokens",)
TAGS = ("ner_tags", "tags", "fine_ner_tags")  # the first counts, if there are several
_NAMES = (
    "write names such as B-person in place of numbers, or a Parquet file of a data set of Hugging "
    "Face in which they are of a ClassLabel, which keeps the names."
)


def is_tagged_row(row: Mapping[str, Any]) -> bool:
    """Say whether a row has lists of words and of tags.

    >>> is_tagged_row({"id": "0", "tokens": ["Bo"], "ner_tags": ["O"]})
    True
    """
    return all(isinstance(row.get(key), list) for key in (WORDS[0], _key(row) or ""))


def _key(row: Mapping[str, Any]) -> str | None:
    return next((key for key in TAGS if key in row), None)


class Tags:
    """The tags of a file, which are looked at before its rows become examples.

    Args:
        cells: the tags of every row; what is wrong is said where the row is read.
    """

    def __init__(self, cells: Iterable[object]) -> None:
        self._tags: set[str] = set()
        self._has_numbers = False
        for cell in cells:
            for tag in cell if isinstance(cell, list) else ():
                if isinstance(tag, str):
                    self._tags.add(tag)
                self._has_numbers |= _is_number(tag)
        # A mark alone is a tag that lacks its label, and no name.
        self._marked = any(is_tag(tag) or tag in MARKS for tag in self._tags)
        labels: set[str] = set()
        for tag in self._tags.difference(UNTAGGED):
            with suppress(InputError):
                if not self._marked:
                    labels.add(as_name(named(tag), "a tag"))
                elif is_tag(tag):
                    labels.add(as_name(named(tag[2:]), "a tag"))
        self._asked = tuple(sorted(labels))

    def check(self) -> None:
        """Refuse tags if they name no label, or are those of something else.

        Raises:
            InputError: if they are such.
        """
        if not self._asked and self._has_numbers:
            raise InputError(f"the tags are numbers whose names the file does not have; {_NAMES}")
        if not self._asked:
            raise InputError(
                "the file has no tag such as B-person; expected lists of words and of their tags."
            )
        if not self._marked and OUTSIDE not in self._tags:
            raise InputError(
                f"the file has tags such as {shown(min(self._tags))} and neither B-person nor O; "
                "expected O for words in no mention, in capitals as the marks of other tags."
            )

    def example(self, words: object, tags: object) -> Example:
        """Return a row as an example.

        Raises:
            InputError: if its words or its tags cannot be those of one.
        """
        texts = [as_text(word, "a word of tokens") for word in as_list(words, "tokens")]
        given = as_list(tags, "the tags")
        if len(texts) != len(given):
            raise InputError(
                f"the row has {len(texts)} tokens and {len(given)} tags; expected a tag for each."
            )
        known = [self._marking(_text(tag, word)) for tag, word in zip(given, texts, strict=True)]
        return tagged_example(texts, known, self._asked, lambda place: f"word {place + 1}")

    def _marking(self, tag: str) -> str:
        """Return a tag with its mark; that of IOB1 says of names alone what they mean."""
        return tag if self._marked or tag in UNTAGGED else f"I-{as_name(tag, 'a tag')}"


def _text(tag: object, word: str) -> str:
    if _is_number(tag):
        raise InputError(
            f"the tag {shown(tag)} of {shown(word)} is a number whose name the file does not "
            f"have; {_NAMES}"
        )
    return as_text(tag, "a tag")


def _is_number(tag: object) -> bool:
    return isinstance(tag, int | float) and not isinstance(tag, bool)


class Tagged:
    """Reads rows of JSON.

    Args:
        path: of the whole file, whose labels are asked of every text.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def example(self, row: Mapping[str, Any]) -> Example:
        """Read a row.

        Raises:
            InputError: for a wrong row.
        """
        self._tags.check()
        return self._tags.example(
            needed(row, WORDS[0], "the row"), needed(row, _key(row) or TAGS[0], "the row")
        )

    @cached_property
    def _tags(self) -> Tags:
        rows = (row for _, row in sound_entries(self._path))
        return Tags(row.get(_key(row) or "") for row in rows)
