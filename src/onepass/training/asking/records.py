"""Which structures and relation types are asked of an example, and their gold records and pairs.

It knows nothing about the other kinds of question.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

from onepass.corpus.example import Example, GoldStructure
from onepass.corpus.question import RecordAnswer, SpanAnswer, folded
from onepass.schema import Field, RelationType, Schema
from onepass.training.asking.means import Means, SamplingOptions, Style

Pair = tuple[int, int, int, int]  # head start, head end, tail start, tail end

_DESCRIBE_FIELDS = 0.4
_MOST_FIELDS = 14


def ask_structures(
    example: Example, schema: Schema, means: Means, rng: random.Random
) -> tuple[tuple[RecordAnswer, ...], ...]:
    """Add structures to a schema and return, for each, its gold records.

    Args:
        example: what was annotated.
        schema: is added to; it has no structures yet.
        means: probabilities and limits.
        rng: decides.
    """
    if not example.structures:
        return ()
    chosen = list(example.structures)
    rng.shuffle(chosen)
    chosen = list({one.name: one for one in chosen}.values())[: means.options.max_structures]
    style = means.style(rng)
    every = [one.name for one in example.structures]
    names = means.asked_as([one.name for one in chosen], style, rng, means.bank.records, also=every)
    answers = []
    for structure, name in zip(chosen, names, strict=True):
        fields = _fields(structure, means.options, rng)
        answers.append(record_answers(structure, fields))
        also = [one.name for one in structure.fields]
        schema.structure(name, _named(fields, name, means, rng, style, also))
    return tuple(answers)


def _named(
    fields: Sequence[Field],
    record: str,
    means: Means,
    rng: random.Random,
    style: Style | None,
    also: Sequence[str],
) -> list[Field]:
    """Return fields and their choices under the names that they are asked by.

    Args:
        fields: under the names that they were annotated by.
        record: what their record is asked as.
        means: probabilities and other names.
        rng: decides.
        style: how names are written.
        also: names of all fields of the record, none of which is to be meant by another name.
    """
    names = means.asked_as([f.name for f in fields], style, rng, means.bank.fields, also)
    if rng.random() < means.options.prefix:
        before = record + ("_" if "_" in "".join((record, *names)) else " ")
        whole = [n if record.lower() in n.lower() else before + n for n in names]
        names = whole if len(set(whole)) == len(whole) else names
    return [
        replace(
            f, name=name, choices=tuple(means.asked_as(f.choices, style, rng, means.bank.classes))
        )
        for f, name in zip(fields, names, strict=True)
    ]


def _fields(gold: GoldStructure, options: SamplingOptions, rng: random.Random) -> list[Field]:
    """Return some of a structure's fields in any order, those with values first to be kept."""
    fields = list(gold.fields)
    used = {name for record in gold.records for name in record}
    rng.shuffle(fields)
    fields.sort(key=lambda f: (f.name not in used) + (rng.random() < 0.2))
    drawn = rng.randint(min(len(used) or 2, _MOST_FIELDS - 2), _MOST_FIELDS)
    fields = fields[: max(1, min(len(fields), drawn))]
    rng.shuffle(fields)
    if len(fields) > 1 and rng.random() < options.fewer_fields:
        fields = fields[: rng.randint(1, len(fields) - 1)]
    described = rng.random() < _DESCRIBE_FIELDS
    asked = []
    for f in fields:
        choices = list(f.choices)
        rng.shuffle(choices)
        dtype = "str" if f.choices else f.dtype
        asked.append(Field(f.name, dtype, tuple(choices), f.description if described else None))
    return asked


def record_answers(gold: GoldStructure, fields: Sequence[Field]) -> tuple[RecordAnswer, ...]:
    """Return the gold records in terms of the asked fields, in the order of the text.

    A record without a value in any of the fields is left out. A value that is not one of the
    choices of its field, or whose place is not known, makes the field unknown in its record.

    Args:
        gold: the annotated structure.
        fields: those that are asked.

    >>> from onepass.corpus.example import GoldField, GoldValue
    >>> gold = GoldStructure("car", (GoldField("name"),), ({"name": (GoldValue(0, 4),)},))
    >>> record_answers(gold, [Field("name")])
    (RecordAnswer(spans=((0, 0, 4),), choices=(), unknown=()),)
    """
    index = {f.name: i for i, f in enumerate(fields)}
    records = []
    for record in gold.records:
        spans: list[SpanAnswer] = []
        picked: list[tuple[int, int]] = []
        unknown: list[int] = []
        for name, values in record.items():
            if name not in index:
                continue
            i = index[name]
            choices = fields[i].choices
            for value in values:
                if value.choice is not None and value.choice in choices:
                    picked.append((i, choices.index(value.choice)))
                elif value.span is not None and not choices:
                    spans.append((i, *value.span))
                else:
                    unknown.append(i)
        if spans or picked or unknown:
            records.append(RecordAnswer(tuple(spans), tuple(picked), tuple(unknown)))
    records.sort(key=lambda r: min((start for _, start, _ in r.spans), default=1 << 30))
    return tuple(records)


def ask_relations(
    example: Example, schema: Schema, means: Means, rng: random.Random
) -> tuple[tuple[Pair, ...], ...]:
    """Add relation types to a schema and return, for each, its gold pairs.

    Args:
        example: what was annotated.
        schema: is added to; it has no relation types yet.
        means: probabilities, limits and the label bank.
        rng: decides.
    """
    pairs = pairs_by_type(example)
    present = list(pairs)
    held = (*present, *example.unsure_relations)
    same = {name for kind in held for name in means.bank.synonyms(kind)}
    absent = [name for name in example.asked_relations if folded(name) not in same]
    rng.shuffle(present)
    rng.shuffle(absent)
    limit = means.options.max_relations
    present = present[:limit]
    chosen = present + absent[: rng.randint(0 if present else 1, max(1, limit // 2))]
    chosen += _foreign(example, means, rng) if example.asked_relations else []
    rng.shuffle(chosen)
    described = rng.random() < means.options.describe
    if not chosen:
        return ()
    also = (*example.asked_relations, *example.unsure_relations)
    names = means.asked_as(chosen, means.style(rng), rng, also=also)
    asked = []
    for name, renamed in zip(chosen, names, strict=True):
        note = example.relation_descriptions.get(name) or means.bank.descriptions.get(name)
        asked.append(RelationType(renamed, note if described else None))
    schema.relations(asked)
    return tuple(pairs.get(name, ()) for name in chosen)


def _foreign(example: Example, means: Means, rng: random.Random) -> list[str]:
    """Return relation types of other examples now and then."""
    if not means.types or rng.random() >= means.options.foreign:
        return []
    drawn = rng.sample(means.types, min(len(means.types), rng.randint(1, 3)))
    noted = (*example.asked_relations, *example.unsure_relations)
    known = {name for kind in noted for name in means.bank.synonyms(kind)}
    return [name for name in drawn if folded(name) not in known]


def pairs_by_type(example: Example) -> dict[str, tuple[Pair, ...]]:
    """Return the distinct gold pairs of each relation type that has some, in the order of the text.

    >>> from onepass.corpus.example import GoldRelation
    >>> pairs_by_type(Example("Bo bit Al", relations=(GoldRelation("bit", (0, 2), (7, 9)),)))
    {'bit': ((0, 2, 7, 9),)}
    """
    found: dict[str, set[Pair]] = {}
    for relation in example.relations:
        found.setdefault(relation.type, set()).add((*relation.head, *relation.tail))
    return {kind: tuple(sorted(pairs)) for kind, pairs in found.items()}
