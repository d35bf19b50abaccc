"""Public annotated records, as examples: extraction, classification and multitask files.

Besides onepass's own JSONL (`onepass.corpus.jsonl`), GLiNER2's (`onepass.corpus.gliner2`),
GLiNER's (`onepass.corpus.gliner`), GLiClass's, CoNLL columns and exports of Label Studio and
Prodigy, three record formats are read, one JSON object a line, gzip or not. They share ``"text"``
and ``"source"``; other keys than these are ignored.

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

``spans`` lists every occurrence of a value, and which one is meant is not known. This module knows
nothing about schemas or models, draws nothing at random and leaves no text out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from onepass.corpus import conll, label_studio, prodigy
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
from onepass.corpus.gliclass import example_from_gliclass, is_gliclass_row
from onepass.corpus.gliner import example_from_gliner, is_gliner_row
from onepass.corpus.gliner2 import example_from_gliner2, is_gliner2_row
from onepass.corpus.jsonl import example_from_dict, is_plain_row
from onepass.corpus.public_labels import FileLabels
from onepass.corpus.rows import at_line, each_entry
from onepass.errors import InputError
from onepass.schema.shown import shown

_Row = Mapping[str, Any]
_Record = dict[str, tuple[GoldValue, ...]]
_OWN = {"asked", "descriptions", "asked_relations", "relation_descriptions"}
_PUBLIC = {"label_set", "label_descriptions", "relation_set", "records"}
_COMPACT = {"t", "e", "n", "c", "s", "r", "rn"}  # of our own files, which the recipe expands


def read_any(path: Path) -> Iterator[Example]:
    """Yield the examples of an annotated file, in whichever of the formats it holds.

    The format is that of the first row that shows one. In the extraction format a file
    ``NAME.labels.json`` beside ``NAME.jsonl`` describes labels and fields; a record type is asked
    with all fields that it has anywhere in the file.

    Args:
        path: a ``.jsonl`` or ``.jsonl.gz`` file, or one JSON list of such rows; or columns
            (``.conll``, ``.bio``, ``.iob``, ``.iob2``, ``.tsv``, ``.txt``, ``.annotated``), see
            `onepass.corpus.conll`.

    Raises:
        InputError: if the file cannot be read, naming the first line that does not fit, and why.

    >>> import json, tempfile
    >>> row = {"text": "Play jazz", "task": "intent", "labels": ["play", "stop"], "gold": ["play"]}
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "intents.jsonl"
    ...     _ = path.write_text(json.dumps(row))
    ...     next(read_any(path)).classifications[0].true
    ('play',)
    """
    for _, example in read_each(path):
        if isinstance(example, InputError):
            raise example
        yield example


def read_each(path: Path) -> Iterator[tuple[str, Example | InputError]]:
    """Yield the place ("line 3") and the example of every row, or what is wrong with the row.

    Args:
        path: as in `read_any`.

    Raises:
        InputError: where the file cannot be read on.
    """
    if conll.is_columns(path):
        yield from conll.read_each_sentence(path)
        return
    read: Callable[[_Row], Example | None] | None = None
    for place, row in each_entry(path):
        if isinstance(row, InputError):
            if place == "line 1":
                conll.check_name(path)
            yield place, row
            continue
        try:
            with at_line(path, place):
                read = read or _reader(row, path)
                example = (read or example_from_dict)(row)
        except InputError as error:
            yield place, error
        else:
            if example is not None:
                yield place, example


def is_own_row(row: _Row, path: Path) -> bool:
    """Say whether a row is in onepass's own format, or has only a text.

    Raises:
        InputError: if it fits no format.

    >>> is_own_row({"text": "Bo"}, Path()), is_own_row({"text": "", "answer": "accept"}, Path())
    (True, False)
    """
    return _reader(row, path) in (None, example_from_dict)


def _reader(row: _Row, path: Path) -> Callable[[_Row], Example | None] | None:
    """Return what reads rows like this one; None if the row has only a text."""
    keys = set(row)
    if label_studio.is_label_studio_row(row):
        return label_studio.LabelStudio(path).example
    if prodigy.is_prodigy_row(row):
        return prodigy.Prodigy(path).example
    if is_gliner2_row(row):
        return example_from_gliner2
    if is_gliner_row(row):
        return example_from_gliner
    if is_gliclass_row(row):
        return example_from_gliclass
    label_studio.check_export(row)
    if {"t"} < keys <= _COMPACT:
        raise InputError(
            "the row is in the compact form of onepass's data/written, in which mentions are words "
            "without places; in a clone of the repository run  python recipes/builtin/written.py "
            "DIRECTORY OUTPUT  to expand a directory of such files, and give the OUTPUT."
        )
    if "text" not in keys:
        raise InputError(
            f"the row has no 'text' (its keys: {', '.join(sorted(keys)) or 'none'}); expected "
            "onepass's own format, GLiNER2's, GLiNER's, GLiClass's, an export of Label Studio or "
            "Prodigy, or an extraction, classification or multitask record."
        )
    if is_plain_row(row):
        return None
    if {"task", "labels", "gold"} <= keys:
        return _classified
    if not keys & _OWN and (keys & _PUBLIC or _looks_public(row)):
        return _Annotated(path).example
    return example_from_dict


def _looks_public(row: _Row) -> bool:
    """Say whether a part is written as in the public formats rather than as in onepass's own."""
    for key, mark in (("classifications", "task"), ("structures", "type"), ("relations", "label")):
        for item in as_rows(row.get(key, ()), key):
            if mark in item or isinstance(item.get("head"), Mapping):
                return True
    return False


def _classified(row: _Row) -> Example:
    """Read a classification record."""
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


class _Annotated:
    """Reads extraction and multitask records, which agree wherever they share a key."""

    def __init__(self, path: Path) -> None:
        self._labels = FileLabels(path)

    def example(self, row: _Row) -> Example:
        """Read one record."""
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
