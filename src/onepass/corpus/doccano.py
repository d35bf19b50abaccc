"""Exports of doccano (JSONL): labels of parts of a text, relations, and categories beside them.

```
{"id": 1, "text": str, "label": [[start, end, label]]}
{"id": 1, "text": str, "entities": [{"id", "label", "start_offset", "end_offset"}],
 "relations": [{"from_id", "to_id", "type"}]}
{"id": 1, "text": str, "entities": [[start, end, label]], "cats": [label]}
```

Rows do not say which labels were looked for: all labels of the file are asked of every text. Places
count UTF-16 units, as the present editor of doccano does; they are converted. The first
versions wrote ``labels`` for ``label``, and counted characters. Comments and what a text was
brought with are not used. A text with categories alone is a row of `onepass.corpus.labeled`. This
module knows nothing about other formats.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.corpus.checks import (
    as_list,
    as_name,
    as_names,
    as_rows,
    as_span,
    as_text,
    needed,
)
from onepass.corpus.example import TASK, Example, GoldRelation, GoldTask, Mention
from onepass.corpus.rows import sound_entries
from onepass.corpus.utf16 import Utf16Text
from onepass.errors import InputError
from onepass.schema.shown import shown

_Row = Mapping[str, Any]
_Span = tuple[int, int]
_MARKS = ("entities", "label", "labels")  # what holds the labels of parts; the first counts
_OF_OLD = "labels"
_PARTS = (*_MARKS, "relations", "cats")


def is_doccano_row(row: _Row) -> bool:
    """Say whether a row has parts that doccano has labelled.

    >>> is_doccano_row({"id": 1, "text": "Bo", "label": [[0, 2, "dog"]]})
    True
    >>> is_doccano_row({"id": 1, "text": "Bo", "label": ["dog"]})
    False
    """
    if "text" not in row:
        return False
    if isinstance(row.get("cats"), list):
        return True
    if "entities" in row:
        marks = _items(row["entities"])
        placed = any(isinstance(one, Mapping) and "start_offset" in one for one in marks)
        return placed or "Comments" in row
    return any(isinstance(one, list) for key in _MARKS for one in _items(row.get(key)))


def fuller_row(row: _Row, path: Path) -> _Row:
    """Return the first row of a file that tells what is labelled in it.

    Args:
        row: a row of it, which is returned if it tells, or none does.
        path: of the file.
    """
    if not all(row[key] == [] for key in _PARTS if key in row):
        return row
    return next((one for _, one in sound_entries(path) if any(map(one.get, _PARTS))), row)


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


@dataclass(slots=True)
class _Asked:
    """What is asked anywhere in a file."""

    labels: set[str] = field(default_factory=set)
    types: set[str] = field(default_factory=set)
    classes: set[str] = field(default_factory=set)
    several: bool = False  # not each text has one class


class Doccano:
    """Reads the rows of one export.

    Args:
        path: of the whole file, whose labels are asked of every text.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def example(self, row: _Row) -> Example:
        """Read a row.

        Raises:
            InputError: if a part of it is not what it should be.
        """
        text = as_text(needed(row, "text", "the row"), "text")
        units = None if _key(row) == _OF_OLD else Utf16Text(text)
        asked, marks = self._asked, _marks(row)
        tasks: tuple[GoldTask, ...] = ()
        true = as_names(row.get("cats", ()), "cats")
        if "cats" in row and asked.classes:
            tasks = (GoldTask(TASK, tuple(sorted(asked.classes)), true, asked.several),)
        return Example(
            text=text,
            entities=tuple(Mention(*_place(one, units), _label(one)) for one in marks),
            asked=() if _key(row) is None else tuple(sorted(asked.labels)),
            classifications=tasks,
            relations=tuple(_relations(row, marks, units)),
            asked_relations=tuple(sorted(asked.types)) if "relations" in row else (),
        )

    @cached_property
    def _asked(self) -> _Asked:
        asked = _Asked()
        for _, row in sound_entries(self._path):
            with suppress(InputError):  # is said where the row is read
                asked.labels.update(map(_label, _marks(row)))
                asked.types.update(map(_type, as_rows(row.get("relations", ()), "relations")))
                if "cats" in row:
                    classes = as_names(row["cats"], "cats")
                    asked.classes.update(classes)
                    asked.several |= len(classes) != 1
        return asked


def _key(row: _Row) -> str | None:
    return next((key for key in _MARKS if key in row), None)


def _marks(row: _Row) -> list[_Row]:
    """Return the labels of parts of a text, as mappings."""
    key = _key(row)
    return [] if key is None else [_mark(one, key) for one in as_list(row[key], key)]


def _mark(one: object, key: str) -> _Row:
    if isinstance(one, Mapping):
        return one
    values = as_list(one, f"an item of {key}")
    if len(values) != 3:
        raise InputError(f"an item of {key} must be [start, end, label], but {shown(one)} is not.")
    return dict(zip(("start_offset", "end_offset", "label"), values, strict=True))


def _label(mark: _Row) -> str:
    return as_name(needed(mark, "label", "a label of a part"), "the label of an entity")


def _place(mark: _Row, text: Utf16Text | None) -> _Span:
    """Return the place of a label in characters.

    Args:
        mark: the label.
        text: None if its places count characters. Where they should count units they may yet count
            clusters, if a project says so, or characters, in old versions. A file does
            not say it, and only a half of a character proves it.
    """
    start, end = (needed(mark, key, "a label of a part") for key in ("start_offset", "end_offset"))
    span = as_span(start, end, f"the entity {shown(_label(mark))}")
    if text is None:
        return span
    if any(map(text.splits, span)):
        raise InputError(
            f"the label at {span[0]} to {span[1]} begins or ends within a character that counts as "
            "two in doccano, so that its places count something else; give them in onepass's own "
            "format."
        )
    return text.characters(span[0]), text.characters(span[1])


def _type(relation: _Row) -> str:
    return as_name(needed(relation, "type", "a relation"), "a relation type")


def _relations(row: _Row, marks: list[_Row], text: Utf16Text | None) -> list[GoldRelation]:
    given = as_rows(row.get("relations", ()), "relations")
    places: dict[str | int, _Span] = {}
    for mark in marks if given else ():
        name, place = _id(mark, "id", "an entity"), _place(mark, text)
        if places.setdefault(name, place) != place:
            raise InputError(f"two entities at different places have the id {shown(name)}.")
    relations = []
    for one in given:
        ends = [_id(one, key, "a relation") for key in ("from_id", "to_id")]
        missing = [end for end in ends if end not in places]
        if missing:
            raise InputError(f"a relation names {shown(missing[0])}, which is no id of an entity.")
        relations.append(GoldRelation(_type(one), places[ends[0]], places[ends[1]]))
    return relations


def _id(row: _Row, key: str, what: str) -> str | int:
    value = needed(row, key, what)
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise InputError(
            f"the {key} of {what} must be a string or an integer, but {shown(value)} was given."
        )
    return value
