"""From the records of all windows and prompts of a text to those of its `Extraction`.

Values that depend on other findings are taken out as slots, and put back once they are chosen.
Which are chosen is decided elsewhere (`onepass.decoding.consistency`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from onepass.decoding.candidates import (
    ChoiceFind,
    Find,
    RecordFind,
    RecordPart,
    SpanFind,
    ValueOption,
)
from onepass.decoding.consistency_values import Slot
from onepass.decoding.findings import WindowFindings
from onepass.decoding.join_records import join_records
from onepass.decoding.merge import merge_records
from onepass.results.types import FieldValue, Record, Value
from onepass.schema import Field, Schema
from onepass.schema.options import Solver
from onepass.text.windows import Window
from onepass.text.words import Words

Place = tuple[int, int, int, int, int]  # window, prompt, structure, record, field


def open_slots(
    schema: Schema, parts: Sequence[WindowFindings], solver: Solver
) -> dict[Place, Slot]:
    """Return the fields whose values are chosen together with other findings.

    They are those that name labels; and if the choice is exact, all that have rules.

    Args:
        schema: what was asked.
        parts: of the text.
        solver: how the choice is made.
    """
    slots: dict[Place, Slot] = {}
    for (window, prompt, number, instance), record in _records(parts):
        first = parts[window].window.start
        for item, options in enumerate(record.options):
            field = schema.structures[number].fields[item]
            if options and (field.rules.labels or solver == "exact"):
                moved = tuple(_moved_option(one, first) for one in options)
                place = (window, prompt, number, instance, item)
                slots[place] = Slot(field, moved, (window, prompt, number, item))
    return slots


def _records(
    parts: Sequence[WindowFindings],
) -> Iterator[tuple[tuple[int, int, int, int], RecordFind]]:
    """Yield the records of all windows: window, prompt, structure, number; and the record."""
    for window, part in enumerate(parts):
        for prompt, findings in enumerate(part.findings):
            for number, records in findings.records.items():
                for instance, record in enumerate(records):
                    yield (window, prompt, number, instance), record


def settled(
    schema: Schema,
    parts: Sequence[WindowFindings],
    values: Mapping[Place, tuple[SpanFind, ...]],
) -> list[WindowFindings]:
    """Return the findings with what was chosen in place of the options.

    Args:
        schema: what was asked.
        parts: of the text.
        values: of the slots, in words of the document.
    """
    out = []
    for window, part in enumerate(parts):
        findings = []
        for prompt, one in enumerate(part.findings):
            records = {
                number: _settled(found, (window, prompt, number), part.window, values)
                for number, found in one.records.items()
            }
            for number in one.spare:
                whole = RecordPart(0, part.window.end - part.window.start, records[number])
                records[number] = merge_records([whole], schema.structures[number].single)
            findings.append(replace(one, records=records))
        out.append(WindowFindings(part.window, tuple(findings)))
    return out


def _settled(
    records: tuple[RecordFind, ...],
    where: tuple[int, int, int],
    window: Window,
    values: Mapping[Place, tuple[SpanFind, ...]],
) -> tuple[RecordFind, ...]:
    """Return the records of one structure and prompt in which anything was chosen."""
    if not any(record.options for record in records):
        return records
    kept = []
    for instance, record in enumerate(records):
        fields = tuple(
            tuple(find.shift(-window.start) for find in values[*where, instance, item])
            if (*where, instance, item) in values
            else held
            for item, held in enumerate(record.fields)
        )
        if any(fields):
            kept.append(RecordFind(fields))
    return tuple(kept)


def _moved_option(option: ValueOption, words: int) -> ValueOption:
    return ValueOption(option.find.shift(words), option.late)


def assemble_records(
    words: Words, schema: Schema, parts: Sequence[WindowFindings]
) -> dict[str, tuple[Record, ...]]:
    """Return the records of each structure.

    Args:
        words: of the whole text.
        schema: what was asked.
        parts: whose records hold no options any more.
    """
    answers: dict[str, tuple[Record, ...]] = {}
    for number, structure in enumerate(schema.structures):
        windows = []
        for part in parts:
            whole = join_records([f.records.get(number, ()) for f in part.findings])
            moved = tuple(_moved(record, part.window.start) for record in whole)
            windows.append(RecordPart(part.window.start, part.window.end, moved))
        # Windows overlap and repeat each other; what one window says is taken as it is.
        many = len(windows) > 1
        found = merge_records(windows, structure.single) if many else windows[0].records
        answers[structure.name] = tuple(
            {
                field.name: _field_value(words, field, finds)
                for field, finds in zip(structure.fields, record.fields, strict=True)
            }
            for record in found
        )
    return answers


def _moved(record: RecordFind, words: int) -> RecordFind:
    return RecordFind(
        tuple(tuple(_moved_find(find, words) for find in finds) for finds in record.fields)
    )


def _moved_find(find: Find, words: int) -> Find:
    return find if isinstance(find, ChoiceFind) else find.shift(words)


def _field_value(words: Words, field: Field, finds: tuple[Find, ...]) -> FieldValue:
    values = tuple(
        Value(field.choices[find.choice], None, None, find.score)
        if isinstance(find, ChoiceFind)
        else value_of(words, find)
        for find in finds
    )
    if field.dtype == "list":
        return values
    return values[0] if values else None


def value_of(words: Words, find: SpanFind) -> Value:
    """Return the text of a span with its place and score."""
    start, end = words.place(find.start, find.end)
    return Value(words.text[start:end], start, end, find.score)
