"""Exports of Label Studio (JSON): labels of text, choices and relations.

Of several annotations of a text, the one marked as ground truth counts, else the first that was not
cancelled; texts without one are left out. All labels of the file are asked of every text, all
choices of a question are its labels. Places count UTF-16 units in a browser; they are converted.
Results about a part of the text that are no labels are refused, since the part would be read as one
without a label; other results about the whole text (text areas, taxonomies, ...) are not read.
This module knows nothing about other formats.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.corpus.checks import as_name, as_names, as_object, as_rows, as_text, needed
from onepass.corpus.example import Example, GoldRelation, GoldTask, Mention
from onepass.corpus.rows import sound_entries
from onepass.corpus.utf16 import Utf16Text
from onepass.errors import InputError
from onepass.schema.shown import shown

LEFT_OUT = "not annotated, or only with an annotation that was cancelled"

_Row = Mapping[str, Any]
_MARKED = {"start", "end", "labels"}  # of a part of the text in JSON-MIN
_ANNOTATED = {"id", "annotator", "annotation_id", "lead_time"}  # of a task in it
_PLACES = {"start", "end", "startOffset", "endOffset", "globalOffsets"}


def is_label_studio_row(row: _Row) -> bool:
    """Say whether a row is a task of Label Studio with its annotations.

    >>> is_label_studio_row({"data": {"text": "Bo"}, "annotations": []})
    True
    """
    return isinstance(row.get("data"), Mapping) and "annotations" in row


def is_small_export(row: _Row) -> bool:
    """Say whether a row is of the export JSON-MIN, which does not say what its parts are.

    >>> row = {"text": "Bo", "id": 1, "label": [{"start": 0, "end": 2, "labels": ["dog"]}]}
    >>> is_small_export(row), is_small_export({"text": "Bo"})
    (True, False)
    """
    marks = [one[0] for one in row.values() if isinstance(one, list) and one]
    labelled = any(isinstance(one, Mapping) and one.keys() >= _MARKED for one in marks)
    return labelled or row.keys() >= _ANNOTATED


@dataclass(slots=True)
class _Asked:
    """What is asked anywhere in a file."""

    labels: dict[str, None] = field(default_factory=dict)
    types: dict[str, None] = field(default_factory=dict)
    choices: dict[str, dict[str, None]] = field(default_factory=lambda: defaultdict(dict))
    several: set[str] = field(default_factory=set)  # questions with more than one choice


class LabelStudio:
    """Reads the tasks of one export.

    Args:
        path: of the whole file, whose labels are asked of every text.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def example(self, row: _Row) -> Example | None:
        """Read a task; None if it has no annotation.

        Raises:
            InputError: if a part of it is not what it should be.
        """
        results = _results(row)
        if results is None:
            return None
        text = Utf16Text(_text(row))
        for one in results:
            _check(one)
        asked = self._asked
        marks = [one for one in results if _is(one, "labels")]
        spans = _places(marks, text)
        mentions = [Mention(*_span(one, text), label) for one in marks for label in _labels(one)]
        return Example(
            text=text.text,
            entities=tuple(mentions),
            asked=tuple(sorted(asked.labels)),
            classifications=tuple(_tasks(results, asked)),
            relations=tuple(_relations(results, spans)),
            asked_relations=tuple(sorted(asked.types)),
        )

    @cached_property
    def _asked(self) -> _Asked:
        asked = _Asked()
        for _, row in sound_entries(self._path):
            with suppress(InputError):  # is said where the row is read
                for one in _results(row) or ():
                    _note(one, asked)
        return asked


def _check(one: _Row) -> None:
    """Refuse a result without a value, and one about a part of the text that cannot be read."""
    kind, value = one.get("type"), one.get("value")
    if kind in ("labels", "choices"):
        as_object(needed(one, "value", "a result"), f"the value of {kind}")
    if kind == "labels" or not isinstance(value, Mapping) or not _PLACES & value.keys():
        return
    if kind == "choices":
        raise InputError(
            f"choices of {shown(one.get('from_name', 'class'))} are about a part of the text, but "
            "only those about the whole text are read; make them labels, or leave them out."
        )
    raise InputError(
        f"a result about a part of the text has the type {shown(kind)}, but only "
        "those of the type 'labels' are read; make them such, or leave them out."
    )


def _note(one: _Row, asked: _Asked) -> None:
    """Add what a result has to what is asked."""
    if one.get("type") == "relation":
        asked.types.update(dict.fromkeys(_types(one)))
    elif _is(one, "labels"):
        asked.labels.update(dict.fromkeys(_labels(one)))
    elif _is(one, "choices"):
        name, chosen = _choices(one)
        asked.choices[name].update(dict.fromkeys(chosen))
        if len(chosen) > 1:
            asked.several.add(name)


def _results(row: _Row) -> list[_Row] | None:
    given = as_rows(needed(row, "annotations", "a task"), "annotations")
    annotations = [one for one in given if not one.get("was_cancelled")]
    best = next((one for one in annotations if one.get("ground_truth")), None)
    if best is None:
        best = next(iter(annotations), None)
    return None if best is None else list(as_rows(best.get("result", ()), "result"))


def _is(one: _Row, kind: str) -> bool:
    return one.get("type") == kind and isinstance(one.get("value"), Mapping)


def _labels(one: _Row) -> tuple[str, ...]:
    return as_names(one["value"].get("labels", ()), "labels")


def _choices(one: _Row) -> tuple[str, tuple[str, ...]]:
    """Return the question of a result of choices, and what was chosen."""
    name = as_name(one.get("from_name", "class"), "the from_name of choices")
    return name, as_names(needed(one["value"], "choices", "the value of choices"), "choices")


def _types(one: _Row) -> tuple[str, ...]:
    """Return the types of a relation, which need not have any."""
    given = one.get("labels")
    return as_names(given, "the labels of a relation") if given else ("related",)


def _id(value: object, what: str) -> str | int | None:
    """Return what a label is called by; None for one without a name."""
    if value is not None and (isinstance(value, bool) or not isinstance(value, str | int)):
        raise InputError(f"{what} must be a string or an integer, but {shown(value)} was given.")
    return value


def _places(marks: list[_Row], text: Utf16Text) -> dict[str | int | None, tuple[int, int]]:
    """Return the place of every id of a label, which several labels of one place may share."""
    places: dict[str | int | None, tuple[int, int]] = {}
    for one in marks:
        name, place = _id(one.get("id"), "the id of a label"), _span(one, text)
        if name is not None and places.setdefault(name, place) != place:
            raise InputError(
                f"two labels at different places have the id {shown(name)}; expected one id for "
                "each place."
            )
    return places


def _text(row: _Row) -> str:
    data = as_object(needed(row, "data", "a task"), "data")
    if "text" in data:
        return as_text(data["text"], "text")
    strings = [value for value in data.values() if isinstance(value, str)]
    if len(strings) != 1:
        raise InputError(
            f"the data of a task have no 'text' and {len(strings)} strings; expected a text."
        )
    return strings[0]


def _span(one: _Row, text: Utf16Text) -> tuple[int, int]:
    """Return the place of a label in characters; one that its own text proves wrong is refused.

    White space proves nothing: Label Studio's copy leaves out line ends, or has others.
    """
    value = one["value"]
    given = needed(value, "start", "a label"), needed(value, "end", "a label")
    if not all(type(at) is int and at >= 0 for at in given):
        raise InputError(f"a label stands at {given[0]!r} to {given[1]!r}, which are no places.")
    place, said = (text.characters(given[0]), text.characters(given[1])), value.get("text")
    if not isinstance(said, str):
        return place
    # The second way of counting is that of programs that count characters.
    there = [(way, text.text[slice(*way)]) for way in (place, given)]
    right = [way for way, own in there if own == said]
    right = right or [way for way, own in there if _joined(own) == _joined(said)]
    if right:
        return right[0]
    raise InputError(
        f"the label at {given[0]} to {given[1]} should mark {said!r}, but the text has "
        f"{text.text[slice(*place)]!r} there."
    )


def _joined(text: str) -> str:
    """Return a text without its white space."""
    return "".join(text.split())


def _tasks(results: list[_Row], asked: _Asked) -> Iterator[GoldTask]:
    chosen: dict[str, tuple[str, ...]] = {}
    for one in results:
        if _is(one, "choices"):
            name, names = _choices(one)
            if name in chosen:
                raise InputError(
                    f"the question {shown(name)} has two results; expected all its choices in one."
                )
            chosen[name] = names
    for name, true in chosen.items():
        yield GoldTask(name, tuple(sorted(asked.choices[name])), true, name in asked.several)


def _relations(
    results: list[_Row], spans: Mapping[str | int | None, tuple[int, int]]
) -> Iterator[GoldRelation]:
    for one in results:
        if one.get("type") != "relation":
            continue
        ends = [
            _id(needed(one, key, "a relation"), f"the {key} of a relation")
            for key in ("from_id", "to_id")
        ]
        missing = [end for end in ends if end not in spans]
        if missing:
            raise InputError(
                f"a relation names {shown(missing[0])}, which is no label of its text."
            )
        there = spans[ends[0]], spans[ends[1]]
        back = there[::-1]
        direction = one.get("direction")
        orders = [back] if direction == "left" else [there, back] if direction == "bi" else [there]
        for label in _types(one):
            yield from (GoldRelation(label, *order) for order in dict.fromkeys(orders))
