"""onepass's own annotated format: one JSON object a line, read strictly.

```
{"text": str,
 "entities": [{"start": int, "end": int, "label": str}],
 "asked": [str],       # labels that were looked for; those without a mention are negatives
 "descriptions": {label: str},
 "classifications": [{"name": str, "labels": [str], "true": [str], "multi_label": bool,
                      "descriptions": {label: str}, "prompt": str,
                      "examples": [[text, label] | [text, [label]]]}],
 "structures": [{"name": str,
                 "fields": [{"name": str, "description": str, "choices": [str],
                             "dtype": "str"|"list"}],
                 "records": [{field: [{"start": int, "end": int} | {"choice": str}
                                      | {"text": str}]}]}],
 "relations": [{"type": str, "head": [start, end], "tail": [start, end]}],
 "asked_relations": [str], "relation_descriptions": {type: str}, "source": str,
 "unsure": [str], "unsure_relations": [str]}  # may hold, though none is known: never asked
```

Every key but ``text`` is optional. Offsets are character indices, half-open. Entities whose label
is not listed in ``asked`` count as asked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from onepass.corpus.checks import (
    as_flag,
    as_list,
    as_names,
    as_note,
    as_notes,
    as_object,
    as_rows,
    as_text,
    known_keys,
    needed,
)
from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.corpus.rows import at_line, open_text, read_entries
from onepass.errors import InputError

__all__ = [
    "KEYS", "example_from_dict", "example_to_dict", "is_plain_row", "open_text", "read_examples",
    "write_examples",
]  # fmt: skip

KEYS = (
    "text", "entities", "asked", "descriptions", "classifications", "structures", "relations",
    "asked_relations", "relation_descriptions", "source", "unsure", "unsure_relations",
)  # fmt: skip
_TASK_KEYS = ("name", "labels", "true", "multi_label", "descriptions", "prompt", "examples")
_OF_MENTION, _OF_RELATION = "start, end, label", "type, head, tail"
_OF_TASK, _OF_STRUCTURE = "name, labels, true", "name, fields, records"
_HALVES = re.compile("[\ud800-\udbff][\udc00-\udfff]")  # of one character, in UTF-16


def read_examples(path: Path) -> Iterator[Example]:
    """Yield the examples of a file in this format, gzip or not.

    Raises:
        InputError: naming the first line that does not fit, and why.
    """
    for place, row in read_entries(path):
        with at_line(path, place):
            example = example_from_dict(row)
        yield example


def example_from_dict(row: Mapping[str, Any]) -> Example:
    """Read one object of this format.

    Raises:
        InputError: for an unknown or missing key, a value of the wrong type, an offset outside the
            text.

    >>> row = {"text": "Bo", "entities": [{"start": 0, "end": 2, "label": "dog"}]}
    >>> example_from_dict(row).asked
    ('dog',)
    """
    known_keys(row, KEYS, "the row")
    return Example(
        text=as_text(needed(row, "text", "the row"), "text"),
        entities=tuple(map(_mention, as_rows(row.get("entities", ()), "entities", _OF_MENTION))),
        asked=as_names(row.get("asked", ()), "asked"),
        descriptions=as_notes(row.get("descriptions", {}), "descriptions"),
        classifications=tuple(
            map(_task, as_rows(row.get("classifications", ()), "classifications", _OF_TASK))
        ),
        structures=tuple(
            map(_structure, as_rows(row.get("structures", ()), "structures", _OF_STRUCTURE))
        ),
        relations=tuple(
            map(_relation, as_rows(row.get("relations", ()), "relations", _OF_RELATION))
        ),
        asked_relations=as_names(row.get("asked_relations", ()), "asked_relations"),
        relation_descriptions=as_notes(
            row.get("relation_descriptions", {}), "relation_descriptions"
        ),
        source=as_text(row.get("source", ""), "source"),
        unsure=as_names(row.get("unsure", ()), "unsure"),
        unsure_relations=as_names(row.get("unsure_relations", ()), "unsure_relations"),
    )


def is_plain_row(row: Mapping[str, Any]) -> bool:
    """Say whether a row has only a text, so that it may begin a file in any format.

    >>> is_plain_row({"text": "Bo"}), is_plain_row({"text": "Bo", "asked": []})
    (True, False)
    """
    return "text" in row and set(row) <= {"text", "source"}


def _mention(row: Mapping[str, Any]) -> Mention:
    known_keys(row, ("start", "end", "label"), "an entity")
    return Mention(
        needed(row, "start", "an entity"),
        needed(row, "end", "an entity"),
        needed(row, "label", "an entity"),
    )


def _relation(row: Mapping[str, Any]) -> GoldRelation:
    known_keys(row, ("type", "head", "tail"), "a relation")
    ends = []
    for key in ("head", "tail"):
        span = as_list(needed(row, key, "a relation"), f"the {key} of a relation")
        if len(span) != 2:
            raise InputError(
                f"the {key} of a relation must be [start, end], but {len(span)} items were given."
            )
        ends.append((span[0], span[1]))
    return GoldRelation(needed(row, "type", "a relation"), ends[0], ends[1])


def _task(row: Mapping[str, Any]) -> GoldTask:
    known_keys(row, _TASK_KEYS, "a classification")
    return GoldTask(
        needed(row, "name", "a classification"),
        as_names(needed(row, "labels", "a classification"), "labels"),
        as_names(needed(row, "true", "a classification"), "true"),
        as_flag(row.get("multi_label", False), "multi_label"),
        as_notes(row.get("descriptions", {}), "descriptions"),
        as_note(row.get("prompt"), "prompt"),
        tuple(as_list(row.get("examples", ()), "examples")),
    )


def _structure(row: Mapping[str, Any]) -> GoldStructure:
    known_keys(row, ("name", "fields", "records"), "a structure")
    fields = as_rows(needed(row, "fields", "a structure"), "fields")
    records = as_rows(needed(row, "records", "a structure"), "records")
    return GoldStructure(
        needed(row, "name", "a structure"),
        tuple(map(_field, fields)),
        tuple(
            {
                name: tuple(map(_value, as_list(vs, f"field {name!r}")))
                for name, vs in record.items()
            }
            for record in records
        ),
    )


def _field(row: Mapping[str, Any]) -> GoldField:
    try:
        return _same_field(tuple(row.items()))
    except TypeError:  # choices are a list
        return _read_field(row)


@lru_cache(maxsize=10_000)
def _same_field(items: tuple[tuple[str, Any], ...]) -> GoldField:
    """Return a field that was read and checked before: a file asks the same ones of every text."""
    return _read_field(dict(items))


def _read_field(row: Mapping[str, Any]) -> GoldField:
    known_keys(row, ("name", "description", "choices", "dtype"), "a field")
    return GoldField(
        needed(row, "name", "a field"),
        as_note(row.get("description"), "the description of a field"),
        as_names(row.get("choices", ()), "choices"),
        row.get("dtype", "list"),
    )


def _value(value: object) -> GoldValue:
    row = as_object(value, "a field value")
    known_keys(row, ("start", "end", "choice", "text"), "a field value")
    text = row.get("text")
    return GoldValue(
        row.get("start"),
        row.get("end"),
        row.get("choice"),
        None if text is None else as_text(text, "the text of a field value"),
    )


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write examples in this format and return how many there were.

    Args:
        path: of the file.
        examples: any number.

    Raises:
        InputError: for an example that would not be the same when it is read back.
    """
    count = 0
    # A lone surrogate has no UTF-8 form; the escape that stands for it here is that of JSON.
    with path.open("w", encoding="utf-8", errors="backslashreplace") as file:
        for example in examples:
            line = json.dumps(example_to_dict(example), ensure_ascii=False)
            count += 1
            _check_halves(line, count)
            file.write(line + "\n")
    return count


def _check_halves(line: str, number: int) -> None:
    """Refuse surrogates that a reader of JSON would join, since all offsets behind them move."""
    halves = _HALVES.search(line)
    if halves:
        raise InputError(
            f"Example {number} holds the surrogates {halves[0]!a}, which become one character "
            "in a file, so that its offsets no longer fit; write that character itself, and count "
            "it as one."
        )


def example_to_dict(example: Example) -> dict[str, Any]:
    """Return the JSON form of an example; empty parts are left out.

    >>> example_to_dict(Example("Bo barks.", (Mention(0, 2, "dog"),)))
    {'text': 'Bo barks.', 'entities': [{'start': 0, 'end': 2, 'label': 'dog'}], 'asked': ['dog']}
    """
    full: dict[str, Any] = {
        "text": example.text,
        "entities": [{"start": e.start, "end": e.end, "label": e.label} for e in example.entities],
        "asked": list(example.asked),
        "descriptions": dict(example.descriptions),
        "classifications": [_task_dict(task) for task in example.classifications],
        "structures": [_structure_dict(structure) for structure in example.structures],
        "relations": [
            {"type": r.type, "head": list(r.head), "tail": list(r.tail)} for r in example.relations
        ],
        "asked_relations": list(example.asked_relations),
        "relation_descriptions": dict(example.relation_descriptions),
        "source": example.source,
        "unsure": list(example.unsure),
        "unsure_relations": list(example.unsure_relations),
    }
    return {key: value for key, value in full.items() if value or key == "text"}


def _task_dict(task: GoldTask) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": task.name,
        "labels": list(task.labels),
        "true": list(task.true),
        "multi_label": task.multi_label,
        "descriptions": dict(task.descriptions),
        "prompt": task.prompt,
        "examples": [
            [text, labels[0] if len(labels) == 1 else list(labels)]
            for text, labels in task.examples
        ],
    }
    return {key: value for key, value in row.items() if value or key in _TASK_KEYS[:4]}


def _structure_dict(structure: GoldStructure) -> dict[str, Any]:
    fields = []
    for f in structure.fields:
        row: dict[str, Any] = {"name": f.name, "dtype": f.dtype}
        if f.description:
            row["description"] = f.description
        if f.choices:
            row["choices"] = list(f.choices)
        fields.append(row)
    records = [
        {name: [_value_dict(value) for value in values] for name, values in record.items()}
        for record in structure.records
    ]
    return {"name": structure.name, "fields": fields, "records": records}


def _value_dict(value: GoldValue) -> dict[str, Any]:
    if value.choice is not None:
        return {"choice": value.choice}
    if value.start is not None:
        return {"start": value.start, "end": value.end}
    return {"text": value.text}
