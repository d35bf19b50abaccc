"""What a whole extraction file says about its labels: descriptions, and the fields of its records.

It reads ``NAME.labels.json`` beside the file, if there is one, and goes through the file once when
the first record needs its fields. It knows nothing about entities or texts.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any

from onepass.corpus.checks import as_name, as_notes, as_object, as_rows, needed
from onepass.corpus.example import GoldField
from onepass.corpus.rows import sound_entries
from onepass.errors import InputError
from onepass.schema.shown import shown


class FileLabels:
    """The labels of an extraction file.

    Args:
        path: the file, ``NAME.jsonl``, ``NAME.jsonl.gz`` or ``NAME.json``.

    Attributes:
        entities: entity label to description.
        relations: relation type to description.

    Raises:
        InputError: if ``NAME.labels.json`` is there but cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        beside = _beside(path)
        content = _content(beside)
        try:
            self.entities = as_notes(content.get("entity_labels", {}), "entity_labels")
            self.relations = as_notes(content.get("relation_labels", {}), "relation_labels")
            fields = as_object(content.get("record_fields", {}), "record_fields")
            self._notes = as_notes(fields, "record_fields")
            self._names = list(map(_field_name, fields))  # (type, field)
        except InputError as error:
            raise InputError(f"{beside}: {error}") from error

    def kinds(self) -> tuple[str, ...]:
        """Return the record types: those described, then others seen in the file."""
        return tuple(self._fields)

    def fields(self, kind: str) -> tuple[GoldField, ...]:
        """Return the fields of a record type: those described, then others seen in the file."""
        return self._fields.get(kind, ())

    @cached_property
    def _fields(self) -> dict[str, tuple[GoldField, ...]]:
        most: dict[str, dict[str, int]] = {}  # type to field to its most values in one record
        for kind, name in self._names:
            most.setdefault(kind, {})[name] = 0
        for _, row in sound_entries(self._path):
            with suppress(InputError):  # is said where the row is read
                _count_values(row, most)
        return {
            kind: tuple(
                GoldField(
                    name,
                    self._notes.get(f"{kind} :: {name}"),
                    dtype="str" if count == 1 else "list",
                )
                for name, count in counts.items()
            )
            for kind, counts in most.items()
        }


def _count_values(row: Mapping[str, Any], most: dict[str, dict[str, int]]) -> None:
    """Raise ``most`` to what the records of a row hold; a wrong row changes nothing."""
    found: list[tuple[str, str, int]] = []
    for record in as_rows(row.get("records", ()), "records"):
        kind = as_name(needed(record, "type", "a record"), "the type of a record")
        for name, values in as_object(needed(record, "fields", "a record"), "fields").items():
            count = len(as_rows(values, f"the field {name!r}"))
            found.append((kind, as_name(name, "the name of a field"), count))
    for kind, name, count in found:
        counts = most.setdefault(kind, {})
        counts[name] = max(counts.get(name, 0), count)


def _field_name(key: str) -> tuple[str, str]:
    """Return the type and the field that a key of ``record_fields`` names."""
    kind, sign, name = key.partition(" :: ")
    if not sign:
        raise InputError(
            f"record_fields of {shown(key)} names no field; write it as 'type :: field'."
        )
    return kind, name


def _beside(path: Path) -> Path:
    name = path.name.removesuffix(".gz").removesuffix(".jsonl").removesuffix(".json")
    return path.with_name(f"{name}.labels.json")


def _content(beside: Path) -> Mapping[str, Any]:
    """Return the content of ``NAME.labels.json``; empty if there is no such file."""
    if not beside.is_file():
        return {}
    try:
        return as_object(json.loads(beside.read_text(encoding="utf-8")), "the content")
    except (ValueError, RecursionError) as error:  # not JSON, not UTF-8, or not an object
        raise InputError(f"{beside} must hold a JSON object in UTF-8: {error}") from error
