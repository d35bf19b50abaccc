"""What is compared: a model, its first records alone, and its entities grouped into records.

It knows how records are made, and nothing about sets or scores.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from onepass.results.types import Entity, Extraction, Record, Value
from onepass.schema import Schema
from onepass.schema.types import Label, Structure

SYSTEMS = {
    "records": "asks for records",
    "K = 1": "asks for records and keeps the first of each structure",
    "entities, in turn": "asks for a label a field; a label that comes again begins a new record",
    "entities, one record": "asks for a label a field; all go into one record",
}


class Extracts(Protocol):
    """The part of `onepass.Extractor` that is used here."""

    def extract(self, text: str, schema: Schema, /, *, overlap: str = ...) -> Extraction:
        """Return what is in a text."""


def answers(
    model: Extracts, text: str, structures: Sequence[Structure], *, grouped: bool = True
) -> dict[str, Extraction]:
    """Return what each system says of a text; without ``grouped``, those that ask for records."""
    schema = Schema()
    for one in structures:
        schema.structure(one.name, list(one.fields))
    doc = model.extract(text, schema)
    first = {name: rows[:1] for name, rows in doc.records.items()}
    if not grouped:
        return {"records": doc, "K = 1": Extraction(text, records=first)}
    labels = labels_of(structures)
    found: Mapping[str, tuple[Entity, ...]] = {}
    if labels:
        asked = Schema().entities([label for label, _ in labels.values()])
        found = model.extract(text, asked, overlap="label").entities_by_label()
    turns, whole = {}, {}
    for one in structures:
        mentions = _mentions(one, labels, found)
        many = {field.name for field in one.fields if field.dtype == "list"}
        turns[one.name] = in_turn(mentions, many)
        whole[one.name] = _records([mentions] if mentions else [])
    return {
        "records": doc,
        "K = 1": Extraction(text, records=first),
        "entities, in turn": Extraction(text, records=turns),
        "entities, one record": Extraction(text, records=whole),
    }


def labels_of(structures: Sequence[Structure]) -> dict[tuple[str, str], tuple[Label, str]]:
    """Return, by structure and field, the entity label that stands for a field.

    It is the field's name, and the structure's before it where two structures share the name.
    Fields with choices have none: an answer need not be in the text.
    """
    names = [field.name for one in structures for field in one.fields]
    out = {}
    for one in structures:
        for field in one.fields:
            if not field.choices:
                shared = names.count(field.name) > 1
                name = f"{one.name} {field.name}" if shared else field.name
                out[one.name, field.name] = (Label(name, field.description), name)
    return out


def _mentions(
    structure: Structure,
    labels: Mapping[tuple[str, str], tuple[Label, str]],
    found: Mapping[str, tuple[Entity, ...]],
) -> list[tuple[str, Entity]]:
    """Return (field, mention) in the order of the text."""
    mentions = [
        (field.name, entity)
        for field in structure.fields
        if (structure.name, field.name) in labels
        for entity in found.get(labels[structure.name, field.name][1], ())
    ]
    return sorted(mentions, key=lambda one: (one[1].start, one[1].end))


def in_turn(mentions: Sequence[tuple[str, Entity]], many: set[str]) -> tuple[Record, ...]:
    """Return records that are cut where a field comes again.

    Args:
        mentions: (field, mention) in the order of the text.
        many: fields that hold lists: several in a row belong to one record.
    """
    groups: list[list[tuple[str, Entity]]] = []
    for name, entity in mentions:
        here = groups[-1] if groups else []
        again = any(name == other for other, _ in here)
        follows = bool(here) and here[-1][0] == name and name in many
        if not here or (again and not follows):
            groups.append([])
        groups[-1].append((name, entity))
    return _records(groups)


def _records(groups: Sequence[Sequence[tuple[str, Entity]]]) -> tuple[Record, ...]:
    out = []
    for group in groups:
        held: dict[str, tuple[Value, ...]] = {}
        for name, e in group:
            value = Value(e.text, e.start, e.end, e.score)
            held[name] = (*held.get(name, ()), value)
        out.append(held)
    return tuple(out)
