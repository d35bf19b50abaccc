"""Exports of Prodigy: JSONL rows with ``spans``, ``relations``, ``options`` and an ``answer``.

Rows that were rejected or ignored are left out, except those of a binary question about one label,
where a rejection is an answer. Rows do not say which labels were looked for, so all labels of the
file are asked of every text. This module knows nothing about other formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.corpus.checks import as_list, as_name, as_object, as_rows, as_text, needed
from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.rows import sound_entries
from onepass.errors import InputError
from onepass.schema.types import shown

_Row = Mapping[str, Any]
_MARKS = ("_input_hash", "_task_hash", "answer")
TASK = "class"  # rows do not name their question


def is_prodigy_row(row: _Row) -> bool:
    """Say whether a row was exported by Prodigy.

    >>> is_prodigy_row({"text": "Bo", "spans": [], "answer": "accept"})
    True
    """
    return "text" in row and any(mark in row for mark in _MARKS)


class Prodigy:
    """Reads the rows of one export.

    Args:
        path: of the whole file, whose labels are asked of every text.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def example(self, row: _Row) -> Example | None:
        """Read a row; None if nobody accepted it.

        Raises:
            InputError: if a part of it is not what it should be.
        """
        answer = row.get("answer", "accept")
        binary = "label" in row and "spans" not in row
        if answer == "ignore" or (answer == "reject" and not binary):
            return None
        text = as_text(needed(row, "text", "the row"), "text")
        spans = as_rows(row.get("spans") or (), "spans")
        labels, types = self._labels
        return Example(
            text=text,
            entities=tuple(_mention(span) for span in spans if span.get("label")),
            asked=labels if "spans" in row else (),
            classifications=_tasks(row, accepted=answer == "accept"),
            relations=tuple(map(_relation, as_rows(row.get("relations") or (), "relations"))),
            asked_relations=types if "relations" in row else (),
        )

    @cached_property
    def _labels(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Labels of entities and types of relations anywhere in the file."""
        labels: dict[str, None] = {}
        types: dict[str, None] = {}
        for _, row in sound_entries(self._path):
            labels.update(dict.fromkeys(_named(row.get("spans"))))
            types.update(dict.fromkeys(_named(row.get("relations"))))
        return tuple(sorted(labels)), tuple(sorted(types))


def _named(marks: object) -> Iterator[str]:
    """Yield the labels of spans or relations; what is wrong is said where its row is read."""
    for mark in marks if isinstance(marks, list) else ():
        label = mark.get("label") if isinstance(mark, Mapping) else None
        with suppress(InputError):
            yield as_name(label, "a label")


def _mention(span: _Row) -> Mention:
    return Mention(needed(span, "start", "a span"), needed(span, "end", "a span"), span["label"])


def _relation(row: _Row) -> GoldRelation:
    ends = []
    for key in ("head_span", "child_span"):
        span = as_object(needed(row, key, "a relation"), f"the {key} of a relation")
        ends.append((needed(span, "start", key), needed(span, "end", key)))
    return GoldRelation(needed(row, "label", "a relation"), ends[0], ends[1])


def _id(value: object) -> str | float:
    """Return what an option is called by."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise InputError(
            f"the id of an option must be a string or a number, but {shown(value)} was given."
        )
    return value


def _tasks(row: _Row, *, accepted: bool) -> tuple[GoldTask, ...]:
    if "options" in row:
        options = as_rows(row["options"], "options")
        names = {
            _id(needed(option, "id", "an option")): as_text(
                option.get("text", option["id"]), "an option"
            )
            for option in options
        }
        chosen = [_id(one) for one in as_list(row.get("accept") or (), "accept")]
        style = as_object(row.get("config") or {}, "config").get("choice_style", "single")
        unknown = [one for one in chosen if one not in names]
        if unknown:
            raise InputError(
                f"accept names {shown(unknown[0])}, which is no option; the options are "
                f"{', '.join(map(shown, names)) or 'none'}."
            )
        true = tuple(names[one] for one in chosen)
        multi = style == "multiple" or len(true) > 1
        return (GoldTask(TASK, tuple(names.values()), true, multi),)
    if "label" in row and "spans" not in row:
        label = as_text(row["label"], "label")
        return (GoldTask(TASK, (label,), (label,) if accepted else (), True),)
    return ()
