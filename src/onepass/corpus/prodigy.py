"""Exports of Prodigy: JSONL rows with ``spans``, ``relations``, ``options`` and an ``answer``.

Rows that were rejected or ignored are left out, except those of a binary question about one label,
where a rejection is an answer. Rows do not say which labels were looked for, so all labels of the
file are asked of every text, also of one with nothing but an answer. If several options may hold in
one row, they may in all. This module knows nothing about other formats.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.corpus.checks import as_list, as_name, as_object, as_rows, as_text, needed
from onepass.corpus.example import TASK, Example, GoldRelation, GoldTask, Mention
from onepass.corpus.rows import sound_entries
from onepass.errors import InputError
from onepass.schema.shown import shown

_Row = Mapping[str, Any]
_MARKS = ("_input_hash", "_task_hash", "answer")
_ANSWERS = ("accept", "reject", "ignore")
_PARTS = ("spans", "relations", "options", "label")
LEFT_OUT = "rejected or ignored"


def is_prodigy_row(row: _Row) -> bool:
    """Say whether a row was exported by Prodigy.

    >>> is_prodigy_row({"text": "Bo", "spans": [], "answer": "accept"})
    True
    """
    return "text" in row and any(mark in row for mark in _MARKS)


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is asked anywhere in a file."""

    labels: tuple[str, ...]
    types: tuple[str, ...]
    several: bool  # several options of a row may hold


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
        if answer not in _ANSWERS:
            raise InputError(
                f"the answer must be one of {', '.join(_ANSWERS)}, but {shown(answer)} was given."
            )
        binary = _is_binary(row)
        if answer == "ignore" or (answer == "reject" and not binary):
            return None
        text = as_text(needed(row, "text", "the row"), "text")
        spans = as_rows(row.get("spans") or (), "spans")
        asked = self._asked
        bare = not any(key in row for key in _PARTS)  # accepted, so there is nothing to annotate
        return Example(
            text=text,
            entities=tuple(_mention(span) for span in spans if span.get("label")),
            asked=asked.labels if ("spans" in row and not binary) or bare else (),
            classifications=_tasks(row, accepted=answer == "accept", several=asked.several),
            relations=tuple(map(_relation, as_rows(row.get("relations") or (), "relations"))),
            asked_relations=asked.types if "relations" in row or bare else (),
        )

    @cached_property
    def _asked(self) -> _Asked:
        labels: set[str] = set()
        types: set[str] = set()
        several = False
        for _, row in sound_entries(self._path):
            labels.update(_named(row.get("spans")))
            types.update(_named(row.get("relations")))
            several = several or ("options" in row and _has_several(row))
        return _Asked(tuple(sorted(labels)), tuple(sorted(types)), several)


def _is_binary(row: _Row) -> bool:
    """Say whether a row asks whether a label fits its text.

    Spans without a label only show the words that a pattern matched.
    """
    return "label" in row and not any(_marked(row.get("spans")))


def _has_several(row: _Row) -> bool:
    """Say whether several options of a row hold, or may."""
    config, chosen = row.get("config"), row.get("accept")
    style = config.get("choice_style") if isinstance(config, Mapping) else None
    return style == "multiple" or (isinstance(chosen, list) and len(chosen) > 1)


def _named(marks: object) -> Iterator[str]:
    """Yield the labels of spans or relations; what is wrong is said where its row is read."""
    for label in _marked(marks):
        with suppress(InputError):
            yield as_name(label, "a label")


def _marked(marks: object) -> Iterator[object]:
    """Yield what stands as the label of each span or relation, which may be nothing."""
    for mark in marks if isinstance(marks, list) else ():
        yield mark.get("label") if isinstance(mark, Mapping) else None


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


def _tasks(row: _Row, *, accepted: bool, several: bool) -> tuple[GoldTask, ...]:
    if "options" in row:
        options = as_rows(row["options"], "options")
        names = {
            _id(needed(option, "id", "an option")): as_text(
                option.get("text", str(option["id"])), "an option"
            )
            for option in options
        }
        chosen = [_id(one) for one in as_list(row.get("accept") or (), "accept")]
        as_object(row.get("config") or {}, "config")
        unknown = [one for one in chosen if one not in names]
        if unknown:
            raise InputError(
                f"accept names {shown(unknown[0])}, which is no option; the options are "
                f"{', '.join(map(shown, names)) or 'none'}."
            )
        true = tuple(names[one] for one in chosen)
        return (GoldTask(TASK, tuple(names.values()), true, several),)
    if _is_binary(row):
        label = as_text(row["label"], "label")
        return (GoldTask(TASK, (label,), (label,) if accepted else (), True),)
    return ()
