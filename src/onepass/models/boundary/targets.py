"""Gold answers as spans of places: what the loss of a boundary network compares with.

Queries of one reading are numbered group by group, item by item. This module is torch-free; the
loss reads its arrays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onepass.arrays import Bools, Int64s
from onepass.corpus.question import RecordAnswer, SpanAnswer
from onepass.models.gliner2.encode import Batch, collate
from onepass.models.gliner2.placing import instances_of
from onepass.models.gliner2.prompt import Group, Kind
from onepass.models.gliner2.targets import Asked, ClassGroup, class_group
from onepass.text.placing import Placer

Span = tuple[int, int]  # words, half-open; choice words stand before those of the text


@dataclass(frozen=True, slots=True)
class BoundaryLoss:
    """How much each term of the loss counts.

    Attributes:
        boundaries: binary, over the places where spans start and end.
        inside: binary, over the words inside of spans.
        spans: binary, over the spans that are scored; those of the gold are always.
        nothing: binary, over whether an entity label has no span.
        records: softmax over the values of a single field of a record, binary over those of a list.
        relations: binary, over the pairs that are scored.
        classes: softmax over the labels of single-label tasks.
        binary_classes: binary, over the labels of all tasks.
    """

    boundaries: float = 1.0
    inside: float = 0.5
    spans: float = 1.0
    nothing: float = 0.2
    records: float = 1.0
    relations: float = 1.0
    classes: float = 1.0
    binary_classes: float = 0.3


@dataclass(frozen=True, slots=True, eq=False)
class GoldRecord:
    """A record: its anchor, and for each other field its spans; None where they are not known."""

    anchor: Span
    values: tuple[tuple[Span, ...] | None, ...]


@dataclass(frozen=True, slots=True, eq=False)
class GoldGroup:
    """A group that is answered with spans.

    Attributes:
        row: of the batch.
        marker: column of its parent in the row's markers; its items follow.
        first: its first query.
        kind: what it asks.
        spans: for each item, the gold spans.
        choices: item to the places of its choice words, of which its spans are.
        anchor: item whose spans are records; None where there is none.
        single: for each item, whether a record has one value.
        records: of a structure.
        pairs: of a relation type, (head, tail).
    """

    row: int
    marker: int
    first: int
    kind: Kind
    spans: tuple[frozenset[Span], ...]
    choices: dict[int, Int64s] = field(default_factory=dict)
    anchor: int | None = None
    single: tuple[bool, ...] = ()
    records: tuple[GoldRecord, ...] = ()
    pairs: frozenset[tuple[Span, Span]] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """A batch with its gold spans.

    Attributes:
        batch: arrays of the `encode` graph.
        groups: groups that are answered with spans.
        classes: groups that are answered with labels.
        counts: (batch,) queries of each row.
        closed: (batch, queries) true where nothing is known of a query.
        ignored: for each row, (query, span) that count neither as right nor as wrong.
        own: (batch, 2) words of each text: the first, and the one behind the last.
    """

    batch: Batch
    groups: tuple[GoldGroup, ...]
    classes: tuple[ClassGroup, ...]
    counts: Int64s
    closed: Bools
    ignored: tuple[frozenset[tuple[int, Span]], ...]
    own: Int64s

    def forced(self, row: int) -> Int64s:
        """Return (spans, 2): the gold spans and the choice words of a row."""
        own = [group for group in self.groups if group.row == row]
        spans = {span for group in own for one in group.spans for span in one}
        for group in own:
            for places in group.choices.values():
                spans |= {(place, place + 1) for place in places.tolist()}
        return np.array(sorted(spans), dtype=np.int64).reshape(-1, 2)


def build_targets(asked: Sequence[Asked], *, pooling: str = "first") -> Targets:
    """Return the batch of several questions with its gold spans.

    Args:
        asked: one an entry of the batch.
        pooling: of the checkpoint, how a word's vector is made of its pieces.
    """
    groups: list[GoldGroup] = []
    classes: list[ClassGroup] = []
    ignored: list[frozenset[tuple[int, Span]]] = []
    unknown: list[tuple[int, int]] = []
    counts = np.zeros(len(asked), dtype=np.int64)
    for row, one in enumerate(asked):
        prompt, marker = one.reading.prompt, 0
        place = Placer(one.reading.document, prompt.prefix_words, None, kept=len(one.words))
        own: set[tuple[int, Span]] = set()
        for number, group in enumerate(prompt.groups):
            first = int(counts[row])
            if group.kind is Kind.CLASSES:
                classes.append(class_group(one.question, group, row, marker))
            else:
                groups.append(_group(one, number, (row, marker, first), place))
                counts[row] += len(group.items)
                if group.kind is Kind.ENTITIES:
                    unsure = (*one.question.ignored, *one.question.outranked)
                    own |= {(first + item, span) for item, span in _placed(unsure, place)}
                elif group.kind is Kind.STRUCTURE:
                    for record in one.question.records[group.task]:
                        unknown += [(row, first + item) for item in record.unknown]
            marker += 1 + len(group.items)
        ignored.append(frozenset(own))
    closed = np.zeros((len(asked), max(int(counts.max(initial=0)), 1)), dtype=bool)
    for at in unknown:
        closed[at] = True
    return Targets(
        batch=collate([one.reading for one in asked], pooling=pooling),
        groups=tuple(groups),
        classes=tuple(classes),
        counts=counts,
        closed=closed,
        ignored=tuple(ignored),
        own=np.array([one.reading.own for one in asked], dtype=np.int64),
    )


def _placed(answers: Sequence[SpanAnswer], place: Placer) -> list[tuple[int, Span]]:
    """Return the items and spans of answers that stand in the window."""
    found = []
    for item, start, end in answers:
        cell = place.cell(start, end)
        if cell is not None:
            found.append((item, (cell[0], cell[0] + cell[1] + 1)))
    return found


def _group(one: Asked, number: int, where: tuple[int, int, int], place: Placer) -> GoldGroup:
    """Return the gold of a group; ``where`` is its row, its marker and its first query."""
    prompt, question = one.reading.prompt, one.question
    group = prompt.groups[number]
    choices = {item: rows for (own, item), rows in prompt.choices.items() if own == number}
    instances = instances_of(question, group, place)
    spans: list[set[Span]] = [set() for _ in group.items]
    for record in instances:
        for item, found in _values(record, choices, place):
            spans[item].add(found)
    gold = GoldGroup(*where, group.kind, tuple(map(frozenset, spans)), choices)
    if group.kind is Kind.RELATION:
        ends = [dict(_placed(record.spans, place)) for record in instances]
        pairs = frozenset((end[0], end[1]) for end in ends if len(end) == 2)
        return GoldGroup(*where, group.kind, gold.spans, pairs=pairs)
    if group.kind is Kind.ENTITIES:
        return gold
    return _structure(gold, group, one, (instances, place))


def _structure(
    gold: GoldGroup, group: Group, one: Asked, known: tuple[list[RecordAnswer], Placer]
) -> GoldGroup:
    """Return the gold of a structure with its records."""
    instances, place = known
    fields = [one.question.schema.structures[group.task].fields[item] for item in group.items]
    anchor = next((item for item, asked in enumerate(fields) if not asked.choices), None)
    records = []
    for record in instances:
        values: list[list[Span]] = [[] for _ in fields]
        for item, found in _values(record, gold.choices, place):
            values[item].append(found)
        if anchor is not None and values[anchor]:
            told = tuple(
                None if item in record.unknown else tuple(own) for item, own in enumerate(values)
            )
            records.append(GoldRecord(values[anchor][0], told))
    single = tuple(asked.dtype == "str" for asked in fields)
    where = (gold.row, gold.marker, gold.first, gold.kind, gold.spans, gold.choices)
    return GoldGroup(*where, anchor, single, tuple(records))


def _values(
    record: RecordAnswer, choices: dict[int, Int64s], place: Placer
) -> list[tuple[int, Span]]:
    """Return the items and spans of one instance; a choice is its word before the text."""
    found = _placed(record.spans, place)
    for item, choice in record.choices:
        word = int(choices[item][choice])
        found.append((item, (word, word + 1)))
    return found
