"""Our own hand-written examples (``data/written``), from their compact form to the multitask form.

Usage: python recipes/builtin/written.py DIRECTORY OUTPUT

OUTPUT is JSONL that ``onepass data``, ``train`` and ``eval`` read.

The compact form is for people: mentions and values are copied from the text, and their places are
found here. ``t`` text, ``e`` {label or "label|description": [mentions]}, ``n`` labels that are
absent, ``c`` {task: {labels, true}}, ``s`` {structure: {fields: {field: "description" or
"[a|b] description"}, records: [{field: value, list or null}]}}, ``r`` [[head, type, tail]], ``rn``
relation types that do not hold.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_LETTER = r"[^\W_]"  # or a digit


def main(directory: Path, output: Path) -> None:
    """Write the examples of a directory in the multitask form."""
    with output.open("w", encoding="utf-8") as file:
        for row in written_rows(directory):
            file.write(json.dumps(row, ensure_ascii=False) + "\n")


def written_rows(directory: Path) -> Iterator[dict[str, Any]]:
    """Yield the examples of a directory in the multitask form."""
    for path in sorted(directory.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                yield expand(json.loads(line), f"written_{path.stem}")


def expand(row: dict[str, Any], source: str) -> dict[str, Any]:
    """Return one example in the multitask form."""
    text = row["t"]
    holding = [kind for _, kind, _ in row.get("r", [])]
    entities, labels, descriptions = [], [], {}
    for key, mentions in row.get("e", {}).items():
        label, _, description = key.partition("|")
        labels.append(label.strip())
        if description.strip():
            descriptions[label.strip()] = description.strip()
        for mention in dict.fromkeys(mentions):
            entities += [
                {"start": start, "end": end, "label": label.strip()}
                for start, end in places(text, mention)
            ]
    return {
        "text": text,
        "entities": entities,
        "label_set": list(dict.fromkeys([*labels, *row.get("n", [])])),
        "label_descriptions": descriptions,
        "classifications": [
            {
                "task": task,
                "labels": spec["labels"],
                "gold": spec["true"],
                "multi_label": len(spec["true"]) > 1,
            }
            for task, spec in row.get("c", {}).items()
        ],
        "structures": [_structure(text, name, spec) for name, spec in row.get("s", {}).items()],
        "relations": [
            {
                "type": kind,
                "head": {"value": head, "spans": places(text, head)},
                "tail": {"value": tail, "spans": places(text, tail)},
            }
            for head, kind, tail in row.get("r", [])
        ],
        "relation_set": list(dict.fromkeys([*holding, *row.get("rn", [])])),
        "source": source,
    }


def places(text: str, value: str) -> list[list[int]]:
    """Return the occurrences of a value: those that are no part of a word, if there are any.

    "thirty" is a part of "thirty-two", which is one word to the model, as "art" is of "Bart".

    >>> places("art in Bart and art-house art", "art"), places("an art-house", "art")
    ([[0, 3], [26, 29]], [[3, 6]])
    """
    before, behind = value[0].isalnum(), value[-1].isalnum()
    whole = (f"(?<!{_LETTER})" * before, f"(?!{_LETTER})" * behind)
    alone = (f"(?<!{_LETTER}[-_])" * before, f"(?![-_]{_LETTER})" * behind)
    bounds = ((whole[0] + alone[0], alone[1] + whole[1]), whole, ("", ""))
    every = (re.finditer(first + re.escape(value) + last, text) for first, last in bounds)
    found = ([[m.start(), m.end()] for m in one] for one in every)
    return next(filter(None, found), [])


def _structure(text: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for field, described in spec["fields"].items():
        described = described or ""
        if described.startswith("[") and "]" in described:
            choices, _, rest = described[1:].partition("]")
            fields[field] = {"description": rest.strip(), "choices": choices.split("|")}
        else:
            fields[field] = {"description": described}
    records = []
    for record in spec["records"]:
        values: dict[str, Any] = {}
        for field, held in record.items():
            many = held if isinstance(held, list) else [held]
            values[field] = {
                "list": isinstance(held, list),
                "values": [
                    {"choice": value}
                    if "choices" in fields[field]
                    else {"value": value, "spans": places(text, value)}
                    for value in many
                    if value is not None
                ],
            }
        records.append(values)
    return {"type": name, "fields": fields, "records": records}


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
