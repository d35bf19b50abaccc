"""The ``json_structures`` of GLiNER2's training format, as gold structures.

It knows where a value stands only through the function that it is given.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

from onepass.corpus.checks import as_name, as_names, as_notes, as_object
from onepass.corpus.example import GoldField, GoldStructure, GoldValue
from onepass.corpus.surfaces import Span, closest_to
from onepass.errors import InputError
from onepass.schema.shown import shown

Places = Callable[[object, str], tuple[str, list[Span]]]  # (value, its name) -> surface, spans
Fields = Mapping[str, Any]
_Record = dict[str, tuple[GoldValue, ...]]
_Claimed = dict[Hashable, set[Span]]  # by a record at its first places those that equal ones have
_Known = dict[Hashable, _Record]  # records by their values


def read_structures(
    rows: Sequence[Fields], descriptions: Fields, places: Places
) -> tuple[GoldStructure, ...]:
    """Group the rows by name and return one gold structure for each.

    Args:
        rows: ``{name: {field: value}}``, one a record.
        descriptions: ``{name: {field: description}}``; a field that stands only here is one, too.
        places: finds a value in the text.

    Raises:
        InputError: for a value that is wrong, or not one of its choices.
    """
    grouped: dict[str, list[Fields]] = {}
    for row in rows:
        for name, fields in row.items():
            what = f"structure {shown(as_name(name, 'the name of a structure'))}"
            grouped.setdefault(name, []).append(as_object(fields, what))
    return tuple(
        _structure(
            name, records, as_notes(descriptions.get(name) or {}, "json_descriptions"), places
        )
        for name, records in grouped.items()
    )


def _structure(
    name: str, rows: Sequence[Fields], descriptions: Mapping[str, str], places: Places
) -> GoldStructure:
    choices: dict[str, dict[str, None]] = {}
    lists: dict[str, bool] = {}
    for row in rows:
        for key, value in row.items():
            what = f"field {shown(as_name(key, 'the name of a field'))}"
            known = choices.setdefault(key, {})
            if _is_choice(value):
                known.update(dict.fromkeys(as_names(value["choices"], f"the choices of {what}")))
                value = value["value"]
            lists[key] = lists.get(key, False) or isinstance(value, list)
    for key in descriptions:
        choices.setdefault(as_name(key, "the name of a field"), {})
    fields = tuple(
        GoldField(
            key, descriptions.get(key), tuple(known), "list" if lists.get(key, True) else "str"
        )
        for key, known in choices.items()
    )
    records: _Known = {}
    claimed: _Claimed = defaultdict(set)
    for row in rows:
        record = _next_record(row, {f.name: f.choices for f in fields}, places, (records, claimed))
        if record:
            records.setdefault(_key(record), record)
    return GoldStructure(name, fields, tuple(records.values()))


def _next_record(
    row: Fields,
    choices: Mapping[str, tuple[str, ...]],
    places: Places,
    earlier: tuple[_Known, _Claimed],
) -> _Record:
    """Return a record at occurrences that no equal one has, as long as there are some."""
    records, claimed = earlier
    first = _record(row, choices, places)
    taken = claimed[_key(first)]

    def free(value: object, what: str) -> tuple[str, list[Span]]:
        surface, spans = places(value, what)
        return surface, [span for span in spans if span not in taken] or spans

    record = _record(row, choices, free) if taken else first
    while _key(record) in records:
        spans = {value.span for values in record.values() for value in values if value.span}
        if spans <= taken:
            break
        taken |= spans
        record = _record(row, choices, free)
    return record


def _key(record: _Record) -> Hashable:
    """Return what equal records have in common."""
    return frozenset(record.items())


def _is_choice(value: object) -> bool:
    return isinstance(value, Mapping) and {"value", "choices"} <= value.keys()


def _record(
    row: Fields, choices: Mapping[str, tuple[str, ...]], places: Places
) -> dict[str, tuple[GoldValue, ...]]:
    """Return the values of one record; fields without any are left out."""
    chosen: dict[str, tuple[GoldValue, ...]] = {}
    found: dict[str, list[tuple[str, list[Span]]]] = {}
    for key, raw in row.items():
        value = raw["value"] if _is_choice(raw) else raw
        values = [v for v in (value if isinstance(value, list) else [value]) if not _blank(v)]
        if not values:
            continue
        if choices[key]:
            chosen[key] = tuple(_choice(v, choices[key], key) for v in values)
        else:
            found[key] = [places(v, f"field {shown(key)}") for v in values]
    certain = [spans[0][0] for values in found.values() for _, spans in values if len(spans) == 1]
    for key, parts in found.items():
        chosen[key] = tuple(_placed(surface, spans, certain) for surface, spans in parts)
    return {key: chosen[key] for key in row if key in chosen}


def _choice(value: object, choices: Sequence[str], key: str) -> GoldValue:
    if isinstance(value, str) and value in choices:
        return GoldValue(choice=value)
    raise InputError(
        f"the value {shown(value)} of field {shown(key)} is not one of its choices: "
        f"{', '.join(choices)}."
    )


def _placed(surface: str, spans: Sequence[Span], certain: Sequence[int]) -> GoldValue:
    if not spans:
        return GoldValue(text=surface)
    start, end = closest_to(spans, certain)
    return GoldValue(start, end)


def _blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())
