"""Records of public data sets, read into examples: extraction, classification and multitask.

The three share ``"text"`` and ``"source"``; other keys than these are ignored.

```
extraction      {"text", "entities": [{"start", "end", "label"}], "label_set": [label],
                 "relations": [{"head": i, "tail": j, "label"}], "relation_set": [type],
                 "records": [{"type", "fields": {name: [{"start", "end"} | {"value"}]}}]}
classification  {"text", "task", "labels": [label], "gold": [label], "multi_label",
                 "descriptions": {label: text}, "instruction"}
multitask       {"text", "entities", "label_set", "label_descriptions": {label: text},
                 "classifications": [{"task", "labels", "gold", "multi_label"}],
                 "structures": [{"type", "fields": {name: {"description", "choices"}},
                                 "records": [{name: {"list", "values":
                                     [{"value", "spans": [[start, end]]} | {"choice"}]}}]}],
                 "relations": [{"type", "head": {"value", "spans"}, "tail": {...}}],
                 "relation_set": [type]}
```

``spans`` lists every occurrence of a value, and which one is meant is not known. In extraction
records a file ``NAME.labels.json`` beside ``NAME.jsonl`` describes labels and fields; a record type
is asked with all fields that it has anywhere in the file. This module knows nothing about schemas
or models, draws nothing at random and leaves no text out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onepass.corpus import public_parts as parts
from onepass.corpus.checks import (
    as_flag,
    as_list,
    as_note,
    as_notes,
    as_object,
    as_rows,
    as_text,
    needed,
)
from onepass.corpus.example import Example, GoldField, GoldStructure, GoldTask, GoldValue, Mention
from onepass.corpus.public_labels import FileLabels
from onepass.errors import InputError
from onepass.schema.shown import shown

_Row = Mapping[str, Any]
_Record = dict[str, tuple[GoldValue, ...]]
_OWN = {"asked", "descriptions", "asked_relations", "relation_descriptions"}
_PUBLIC = {"label_set", "label_descriptions", "relation_set", "records"}


def is_classification_row(row: _Row) -> bool:
    """Say whether a row is a classification record.

    >>> is_classification_row({"text": "Bo", "task": "kind", "labels": ["dog"], "gold": ["dog"]})
    True
    """
    return {"text", "task", "labels", "gold"} <= row.keys()


def is_annotated_row(row: _Row) -> bool:
    """Say whether a row is an extraction or multitask record, and not in onepass's own format.

    >>> is_annotated_row({"text": "Bo", "label_set": []}), is_annotated_row({"text": "Bo"})
    (True, False)
    """
    keys = row.keys()
    return "text" in row and not keys & _OWN and bool(keys & _PUBLIC or _looks_public(row))


def _looks_public(row: _Row) -> bool:
    """Say whether a part is written as in the public formats rather than as in onepass's own."""
    for key, mark in (("classifications", "task"), ("structures", "type"), ("relations", "label")):
        for item in as_rows(row.get(key, ()), key):
            if mark in item or isinstance(item.get("head"), Mapping):
                return True
    return False


def example_from_classification(row: _Row) -> Example:
    """Read a classification record.

    Raises:
        InputError: for a wrong row.

    >>> row = {"text": "Play jazz", "task": "intent", "labels": ["play", "stop"], "gold": ["play"]}
    >>> example_from_classification(row).classifications[0].true
    ('play',)
    """
    return Example(
        text=as_text(needed(row, "text", "the row"), "text"),
        classifications=(_task(row),),
        source=as_text(row.get("source", ""), "source"),
    )


def _task(row: _Row) -> GoldTask:
    labels = parts.names(needed(row, "labels", "a task"), "labels")
    return GoldTask(
        name=as_text(needed(row, "task", "a task"), "task").replace("_", " "),
        labels=labels,
        true=parts.names(needed(row, "gold", "a task"), "gold"),
        multi_label=as_flag(row.get("multi_label", False), "multi_label"),
        descriptions=_only(labels, as_notes(row.get("descriptions") or {}, "descriptions")),
        prompt=as_note(row.get("instruction"), "instruction"),
    )


class AnnotatedRecords:
    """Reads extraction and multitask records, which agree wherever they share a key.

    Args:
        path: the whole file, whose record types have the same fields everywhere.

    Raises:
        InputError: if ``NAME.labels.json`` is there but cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._labels = FileLabels(path)

    def example(self, row: _Row) -> Example:
        """Read one record.

        Raises:
            InputError: for a wrong row.
        """
        text = as_text(needed(row, "text", "the row"), "text")
        mentions = [_mention(entity) for entity in as_rows(row.get("entities", ()), "entities")]
        # Without a label set, what was found is what was asked; an empty one says that the
        # mentions are not exhaustive (they only mark arguments of relations).
        asked = parts.names(row.get("label_set", [m.label for m in mentions]), "label_set")
        pairs = as_rows(row.get("relations", ()), "relations")
        relations = tuple(parts.relation(relation, mentions) for relation in pairs)
        if asked:
            _all_asked(mentions, asked, [pair[end] for pair in pairs for end in ("head", "tail")])
        types = parts.names(row.get("relation_set", ()), "relation_set")
        types = tuple(dict.fromkeys([*types, *(relation.type for relation in relations)]))
        own = as_notes(row.get("label_descriptions") or {}, "label_descriptions")
        return Example(
            text=text,
            entities=tuple(m for m in mentions if m.label in asked),
            asked=asked,
            descriptions=_only(asked, {**self._labels.entities, **own}),
            classifications=tuple(
                map(_task, as_rows(row.get("classifications", ()), "classifications"))
            ),
            structures=(
                *self._grouped(as_rows(row.get("records", ()), "records")),
                *map(_structure, as_rows(row.get("structures", ()), "structures")),
            ),
            relations=relations,
            asked_relations=types,
            relation_descriptions=_only(types, self._labels.relations),
            source=as_text(row.get("source", ""), "source"),
        )

    def _grouped(self, rows: Sequence[_Row]) -> Iterator[GoldStructure]:
        """Gather the records of an extraction row by type, types in the order of the row."""
        groups: dict[str, list[_Record]] = {}
        for row in rows:
            kind = as_text(needed(row, "type", "a record"), "the type of a record")
            fields = as_object(needed(row, "fields", "a record"), "fields")
            groups.setdefault(kind, []).append(
                {name: tuple(map(parts.value, as_rows(vs, name))) for name, vs in fields.items()}
            )
        for kind, records in groups.items():
            yield GoldStructure(kind, self._labels.fields(kind), tuple(records))


def _all_asked(mentions: Sequence[Mention], asked: Sequence[str], ends: Sequence[object]) -> None:
    """Refuse a mention that was not asked for and is no end of a relation either."""
    for index, mention in enumerate(mentions):
        if mention.label not in asked and index not in ends:
            raise InputError(
                f"an entity has the label {shown(mention.label)}, which is not in the label_set; "
                "add it there, or leave the entity out."
            )


def _mention(row: _Row) -> Mention:
    return Mention(
        needed(row, "start", "an entity"),
        needed(row, "end", "an entity"),
        needed(row, "label", "an entity"),
    )


def _structure(row: _Row) -> GoldStructure:
    """Read a structure of a multitask record."""
    fields = as_object(needed(row, "fields", "a structure"), "fields")
    lists: dict[str, bool] = {}  # field to whether it holds lists; unknown while it has no value
    records: list[_Record] = []
    for given in as_rows(needed(row, "records", "a structure"), "records"):
        record: _Record = {}
        for name, entry in given.items():
            held = as_object(entry, f"the field {name!r}")
            values = as_list(needed(held, "values", f"the field {name!r}"), "values")
            record[name] = tuple(map(parts.value, as_rows(values, "values")))
            many = as_flag(held.get("list", False), "list") or len(values) > 1
            lists[name] = lists.get(name, False) or many
        records.append(record)
    return GoldStructure(
        needed(row, "type", "a structure"),
        tuple(
            _field(name, as_object(spec, f"the field {name!r}"), lists.get(name, True))
            for name, spec in fields.items()
        ),
        tuple(records),
    )


def _field(name: str, spec: _Row, many: bool) -> GoldField:
    return GoldField(
        name,
        as_note(spec.get("description"), f"the description of the field {name!r}"),
        parts.names(spec.get("choices") or (), "choices"),
        "list" if many else "str",
    )


def _only(names: Sequence[str], notes: Mapping[str, str]) -> dict[str, str]:
    """Return the notes of these names."""
    return {name: notes[name] for name in names if name in notes}
