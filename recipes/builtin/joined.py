"""Long texts with much in them: several annotated texts in a row.

Real ones are rare in the sources, and a model that reads short texts only overlooks what stands in
long ones. It reads and writes `Example` only.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import combinations, islice

from onepass.corpus.example import Example, GoldStructure, GoldValue

Span = tuple[int, int]
MOST_JOINED_WORDS = 220
MOST_USES = 5  # of one text
SEPARATORS = (" ", "\n", "\n\n", "\n\n")
MOST_PARTS = 8
TRIES = 4  # for each text that is wanted
RARE = 8  # texts that a relation type is asked of; what many texts ask may hold in any


def joined_records(
    examples: Iterable[Example], count: int, rng: random.Random
) -> Iterator[Example]:
    """Yield long texts made of two or three with records, in a row.

    Only texts with two records of a type, or more, are taken. Half of the long ones ask for a
    record type that two texts have, with the fields that both know; the others for types that only
    one of them has.

    Args:
        examples: with records.
        count: how many texts at most.
        rng: decides which texts are put together.
    """
    held = [e for e in examples if any(len(one.records) > 1 for one in e.structures)]
    together = _of_one_type(held, rng)
    yield from together[: count // 2]
    tried = (_side_by_side(_some(held, rng), rng) for _ in range(TRIES * count))
    yield from islice(filter(None, tried), count - min(len(together), count // 2))


def _of_one_type(held: list[Example], rng: random.Random) -> list[Example]:
    """Return pairs of texts with the same record type, in an order of its own."""
    by_name: dict[str, list[tuple[Example, GoldStructure]]] = defaultdict(list)
    for example in held:
        for one in example.structures:
            if one.records:
                by_name[one.name.casefold()].append((example, one))
    uses: Counter[int] = Counter()
    pairs = [pair for found in by_name.values() for pair in combinations(found, 2)]
    rng.shuffle(pairs)
    joined = []
    for (first, left), (second, right) in pairs:
        if first is second or max(uses[id(first)], uses[id(second)]) >= MOST_USES:
            continue
        if not _fits((first, second)):
            continue
        others = {(field.name, field.choices): field.dtype for field in right.fields}
        fields = tuple(
            replace(field, dtype="list") if others[field.name, field.choices] == "list" else field
            for field in left.fields
            if (field.name, field.choices) in others
        )
        if len(fields) < 3 or 2 * len(fields) < max(len(left.fields), len(right.fields)):
            continue
        uses.update((id(first), id(second)))
        separator = rng.choice(SEPARATORS)
        shift = len(first.text) + len(separator)
        names = {field.name for field in fields}
        records = [_moved(record, names, 0) for record in left.records]
        records += [_moved(record, names, shift) for record in right.records]
        joined.append(
            Example(
                text=first.text + separator + second.text,
                structures=(replace(left, fields=fields, records=tuple(filter(None, records))),),
                source=f"{first.source}, joined",
            )
        )
    return joined


def _side_by_side(parts: list[Example], rng: random.Random) -> Example | None:
    """Return texts in a row, asked for what one or all hold; None where that would be unclear."""
    if len(parts) < 2:
        return None
    names = [one.name.casefold() for part in parts for one in part.structures]
    fields = [{f.name for one in part.structures for f in one.fields} for part in parts]
    shared = any(left & right for left, right in combinations(fields, 2))
    if len(set(names)) < len(names) or shared or not _fits(parts):
        return None
    only = rng.randrange(len(parts)) if rng.random() < 0.4 else None
    text, structures = "", []
    for place, part in enumerate(parts):
        text += rng.choice(SEPARATORS) if text else ""
        if only in (None, place):
            structures += [
                replace(
                    one,
                    records=tuple(_moved(record, set(record), len(text)) for record in one.records),
                )
                for one in part.structures
            ]
        text += part.text
    return Example(text, structures=tuple(structures), source=f"{parts[0].source}, joined")


def _fits(parts: Iterable[Example]) -> bool:
    """Return whether texts in a row are not too long."""
    return sum(len(part.text.split()) for part in parts) <= MOST_JOINED_WORDS


def _moved(
    record: Mapping[str, tuple[GoldValue, ...]], names: set[str], shift: int
) -> dict[str, tuple[GoldValue, ...]]:
    """Return the fields of a record that are asked, their places moved."""
    return {
        name: tuple(
            value if value.span is None else GoldValue(value.span[0] + shift, value.span[1] + shift)
            for value in values
        )
        for name, values in record.items()
        if name in names
    }


def joined_mentions(examples: Iterable[Example], rng: random.Random) -> Iterator[Example]:
    """Yield long texts made of several of one source, in a row, that were asked the same labels.

    Args:
        examples: with entities, all of one source.
        rng: decides how many are put together.
    """
    by_labels: dict[frozenset[str], list[Example]] = defaultdict(list)
    for example in examples:
        by_labels[frozenset(example.asked)].append(example)
    for labels, held in by_labels.items():
        if not labels:
            continue
        rng.shuffle(held)
        while held:
            most = rng.randint(60, MOST_JOINED_WORDS)
            parts = [held.pop()]
            words = len(parts[0].text.split())
            while held and len(parts) < MOST_PARTS:
                words += len(held[-1].text.split())
                if words > most:
                    break
                parts.append(held.pop())
            if len(parts) > 1:
                yield _mentions_of(parts, rng.choice(SEPARATORS))


def _mentions_of(parts: list[Example], separator: str) -> Example:
    """Return texts in a row with all their mentions."""
    text, mentions = "", []
    for part in parts:
        text += separator if text else ""
        mentions += [
            replace(one, start=one.start + len(text), end=one.end + len(text))
            for one in part.entities
        ]
        text += part.text
    return Example(
        text=text,
        entities=tuple(mentions),
        asked=parts[0].asked,
        descriptions=parts[0].descriptions,
        source=f"{parts[0].source}, joined",
    )


def joined_relations(
    examples: Iterable[Example], count: int, rng: random.Random
) -> Iterator[Example]:
    """Yield long texts made of two or three with relations, in a row.

    They are asked for relation types that all of them were asked for, and for those so rare that
    they hardly hold in another text.

    Args:
        examples: with relations.
        count: how many texts at most.
        rng: decides which texts are put together.
    """
    held = [example for example in examples if example.relations]
    uses = Counter(kind for example in held for kind in example.asked_relations)
    rare = {kind for kind, texts in uses.items() if texts <= RARE}
    tried = (_related(_some(held, rng), rare, rng) for _ in range(TRIES * count))
    yield from islice(filter(None, tried), count)


def _related(parts: list[Example], rare: set[str], rng: random.Random) -> Example | None:
    """Return texts in a row with the relations whose types may be asked of all."""
    if len(parts) < 2:
        return None
    common = set.intersection(*(set(part.asked_relations) for part in parts))
    asked = {kind for part in parts for kind in part.asked_relations if kind in common | rare}
    asked -= {kind for part in parts for kind in part.unsure_relations}
    text, relations = "", []
    for part in parts:
        text += rng.choice(SEPARATORS) if text else ""
        relations += [
            replace(one, head=_shifted(one.head, text), tail=_shifted(one.tail, text))
            for one in part.relations
            if one.type in asked
        ]
        text += part.text
    if not relations or not _fits(parts):
        return None
    return Example(
        text=text,
        relations=tuple(relations),
        asked_relations=tuple(sorted(asked)),
        relation_descriptions={
            kind: words
            for part in parts
            for kind, words in part.relation_descriptions.items()
            if kind in asked
        },
        source=f"{parts[0].source}, joined",
    )


def _some(held: list[Example], rng: random.Random) -> list[Example]:
    """Return two or three of the texts."""
    return rng.sample(held, min(len(held), rng.choice((2, 2, 3))))


def _shifted(span: Span, text: str) -> Span:
    """Return the place of a span behind a text."""
    return span[0] + len(text), span[1] + len(text)
