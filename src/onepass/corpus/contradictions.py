"""Which earlier annotation of the same text contradicts one, with few comparisons.

It knows examples, and nothing about files.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from itertools import islice

from onepass.corpus.example import Example, GoldStructure

_Record = frozenset[tuple[str, str | None, str | None]]  # field, choice or words, of each value
_Records = tuple[frozenset[str], frozenset[_Record]]  # fields, records


class Annotations:
    """What was annotated in one text, by the number of the row that said it first.

    Two rows contradict each other if both asked for the same label, relation type, label of a task
    or fields of a structure, and found something else.

    >>> from onepass.corpus.example import Mention
    >>> annotations = Annotations()
    >>> annotations.add(0, Example("Bo ran", (Mention(0, 2, "dog"),)))
    >>> annotations.contradicted(Example("Bo ran", asked=("dog",)))
    0
    """

    def __init__(self) -> None:
        # Of each claim the first two values are enough: any other value differs from the first.
        self._claims: dict[Hashable, list[tuple[Hashable, int]]] = {}
        # By name and fields the records of all rows, in their order.
        self._structures: dict[str, dict[frozenset[str], dict[frozenset[_Record], int]]] = {}

    def add(self, number: int, example: Example) -> None:
        """Remember a row, whose number is greater than all before."""
        for name, value in _claims(example):
            held = self._claims.setdefault(name, [])
            if len(held) < 2 and all(value != other for other, _ in held):
                held.append((value, number))
        for structure in example.structures:
            fields, records = _records(structure, example.text)
            known = self._structures.setdefault(structure.name, {}).setdefault(fields, {})
            known.setdefault(records, number)

    def contradicted(self, example: Example) -> int | None:
        """Return the number of the first row that contradicts an example of the same text."""
        found = [
            number
            for name, value in _claims(example)
            for other, number in self._claims.get(name, ())
            if value != other
        ]
        for structure in example.structures:
            own = _records(structure, example.text)
            for fields, known in self._structures.get(structure.name, {}).items():
                if fields.isdisjoint(own[0]):
                    continue
                # Where the fields are the same, two are enough, as of claims.
                rows = islice(known.items(), 2 if fields == own[0] else None)
                differing = (number for held, number in rows if _differ(own, (fields, held)))
                found += islice(differing, 1)
        return min(found, default=None)


def _claims(example: Example) -> Iterator[tuple[Hashable, Hashable]]:
    """Yield what an example says of each label, type and label of a task that it asked for."""
    spans: dict[str, set[Hashable]] = {label: set() for label in example.asked}
    pairs: dict[str, set[Hashable]] = {kind: set() for kind in example.asked_relations}
    for mention in example.entities:
        spans[mention.label].add((mention.start, mention.end))
    for relation in example.relations:
        pairs[relation.type].add((relation.head, relation.tail))
    for label, places in spans.items():
        yield ("label", label), frozenset(places)
    for kind, ends in pairs.items():
        yield ("type", kind), frozenset(ends)
    for task in example.classifications:
        for label in task.labels:
            yield ("task", task.name, label), label in task.true


def _records(structure: GoldStructure, text: str) -> _Records:
    """Return what the records say, in any order.

    Values are compared by their words, because the place of a value need not be known.
    """
    records = (
        frozenset(
            (name, value.choice, value.text if value.span is None else text[slice(*value.span)])
            for name, values in record.items()
            for value in values
        )
        for record in structure.records
    )
    return frozenset(field.name for field in structure.fields), frozenset(filter(None, records))


def _differ(own: _Records, other: _Records) -> bool:
    """Say whether records differ in the fields that both have."""
    return _only(own, other[0]) != _only(other, own[0])


def _only(own: _Records, fields: frozenset[str]) -> set[_Record]:
    if own[0] <= fields:
        return set(own[1])
    records = (frozenset(value for value in record if value[0] in fields) for record in own[1])
    return {record for record in records if record}
