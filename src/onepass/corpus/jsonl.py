"""onepass's own annotated format: one JSON object a line, read strictly.

```
{"text": str,
 "entities": [{"start": int, "end": int, "label": str}],
 "asked": [str],                     # labels that were looked for; those without a mention are negatives
 "descriptions": {label: str},
 "classifications": [{"name": str, "labels": [str], "true": [str], "multi_label": bool,
                      "descriptions": {label: str}, "prompt": str}],
 "structures": [{"name": str,
                 "fields": [{"name": str, "description": str, "choices": [str], "dtype": "str"|"list"}],
                 "records": [{field: [{"start": int, "end": int} | {"choice": str} | {"text": str}]}]}],
 "relations": [{"type": str, "head": [start, end], "tail": [start, end]}],
 "asked_relations": [str], "relation_descriptions": {type: str}, "source": str}
```

Every key but ``text`` is optional. Offsets are character indices, half-open. Entities whose label is
not listed in ``asked`` count as asked.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO, cast

from onepass.corpus.example import (
    Example,
    GoldField,
    GoldRelation,
    GoldStructure,
    GoldTask,
    GoldValue,
    Mention,
)
from onepass.errors import InputError

_KEYS = {
    "text", "entities", "asked", "descriptions", "classifications", "structures", "relations",
    "asked_relations", "relation_descriptions", "source",
}  # fmt: skip


def open_text(path: Path) -> TextIO:
    """Open a text file for reading, gzip or not.

    Raises:
        InputError: if there is no such file.
    """
    if not path.is_file():
        raise InputError(f"There is no file {path}; give the path of an existing JSONL file.")
    if path.suffix == ".gz":
        return cast(TextIO, gzip.open(path, "rt", encoding="utf-8"))
    return path.open(encoding="utf-8")


def read_rows(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the number (from 1) and the object of every line that is not blank.

    Raises:
        InputError: naming the first line that is not UTF-8 or not a JSON object.
    """
    number = 0
    with open_text(path) as file:
        try:
            for number, line in enumerate(file, 1):
                if not line.strip():
                    continue
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise InputError(
                        f"{path}, line {number}: expected a JSON object, "
                        f"got {type(row).__name__}."
                    )
                yield number, row
        except json.JSONDecodeError as error:
            raise InputError(
                f"{path}, line {number}: not valid JSON ({error.msg}, column {error.colno})."
            ) from error
        except UnicodeDecodeError as error:
            raise InputError(
                f"{path}, after line {number}: not UTF-8 (byte {error.object[error.start]:#04x}); "
                "convert the file to UTF-8."
            ) from error


def read_examples(path: Path) -> Iterator[Example]:
    """Yield the examples of a file in this format.

    Raises:
        InputError: naming the first line that does not fit, and why.
    """
    for number, row in read_rows(path):
        try:
            yield example_from_dict(row)
        except (InputError, KeyError, TypeError, ValueError) as error:
            reason = f"missing key {error}" if isinstance(error, KeyError) else str(error)
            raise InputError(f"{path}, line {number}: {reason}") from error


def example_from_dict(row: Mapping[str, Any]) -> Example:
    """Read one object of this format.

    Raises:
        InputError: for an unknown key, or an offset outside the text.
        KeyError, TypeError, ValueError: for a missing or misshapen part.

    >>> example_from_dict({"text": "Bo", "entities": [{"start": 0, "end": 2, "label": "dog"}]}).asked
    ('dog',)
    """
    unknown = sorted(set(row) - _KEYS)
    if unknown:
        raise InputError(f"unknown key {unknown[0]!r}; the keys are {', '.join(sorted(_KEYS))}.")
    text = row["text"]
    entities = tuple(
        Mention(*_span(text, e["start"], e["end"]), e["label"]) for e in row.get("entities", ())
    )
    relations = tuple(
        GoldRelation(r["type"], _span(text, *r["head"]), _span(text, *r["tail"]))
        for r in row.get("relations", ())
    )
    return Example(
        text=text,
        entities=entities,
        asked=tuple(dict.fromkeys([*row.get("asked", ()), *(e.label for e in entities)])),
        descriptions=row.get("descriptions", {}),
        classifications=tuple(map(_task, row.get("classifications", ()))),
        structures=tuple(_structure(text, s) for s in row.get("structures", ())),
        relations=relations,
        asked_relations=tuple(
            dict.fromkeys([*row.get("asked_relations", ()), *(r.type for r in relations)])
        ),
        relation_descriptions=row.get("relation_descriptions", {}),
        source=row.get("source", ""),
    )


def _span(text: str, start: int, end: int) -> tuple[int, int]:
    if not 0 <= start < end <= len(text):
        raise InputError(
            f"the span [{start}, {end}) lies outside the text of {len(text)} characters."
        )
    return start, end


def _task(row: Mapping[str, Any]) -> GoldTask:
    stray = [label for label in row["true"] if label not in row["labels"]]
    if stray:
        raise InputError(f"the true label {stray[0]!r} of task {row['name']!r} is not in its labels.")
    return GoldTask(
        row["name"],
        tuple(row["labels"]),
        tuple(row["true"]),
        bool(row.get("multi_label", False)),
        row.get("descriptions", {}),
        row.get("prompt"),
    )


def _structure(text: str, row: Mapping[str, Any]) -> GoldStructure:
    fields = tuple(
        GoldField(
            f["name"], f.get("description"), tuple(f.get("choices", ())), f.get("dtype", "list")
        )
        for f in row["fields"]
    )
    names = {f.name for f in fields}
    records = []
    for record in row["records"]:
        stray = [name for name in record if name not in names]
        if stray:
            raise InputError(f"the record field {stray[0]!r} is not a field of {row['name']!r}.")
        records.append(
            {name: tuple(_value(text, v) for v in values) for name, values in record.items()}
        )
    return GoldStructure(row["name"], fields, tuple(records))


def _value(text: str, row: Mapping[str, Any]) -> GoldValue:
    if "choice" in row:
        return GoldValue(choice=row["choice"])
    if "start" in row:
        start, end = _span(text, row["start"], row["end"])
        return GoldValue(start, end)
    return GoldValue(text=row["text"])


def write_examples(path: Path, examples: Iterable[Example]) -> int:
    """Write examples in this format and return how many there were."""
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for example in examples:
            file.write(json.dumps(example_to_dict(example), ensure_ascii=False) + "\n")
            count += 1
    return count


def example_to_dict(example: Example) -> dict[str, Any]:
    """Return the JSON form of an example; empty parts are left out."""
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
    }
    return {key: value for key, value in full.items() if value or key == "text"}


def _task_dict(task: GoldTask) -> dict[str, Any]:
    row: dict[str, Any] = {
        "name": task.name,
        "labels": list(task.labels),
        "true": list(task.true),
        "multi_label": task.multi_label,
    }
    if task.descriptions:
        row["descriptions"] = dict(task.descriptions)
    if task.prompt:
        row["prompt"] = task.prompt
    return row


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
