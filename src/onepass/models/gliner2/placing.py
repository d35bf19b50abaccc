"""Which gold answers of a question stand in the score grid of one window.

It knows words and characters, not pieces or batches.
"""

from __future__ import annotations

from onepass.corpus.question import Question, RecordAnswer
from onepass.models.gliner2.prompt import Group, Kind
from onepass.text.placing import Placer


def instances_of(question: Question, group: Group, place: Placer) -> list[RecordAnswer]:
    """Return the gold instances of a group that is answered with spans.

    Entities are one instance. A relation is one if both of its spans have a cell, a record if one
    of its spans has, or if it has a choice and does not lie behind the window altogether.
    """
    if group.kind is Kind.ENTITIES:
        return [RecordAnswer(spans=question.entities)]
    if group.kind is Kind.RELATION:
        return [
            RecordAnswer(spans=((0, hs, he), (1, ts, te)))
            for hs, he, ts, te in question.pairs[group.task]
            if place.cell(hs, he) and place.cell(ts, te)
        ]
    return [record for record in question.records[group.task] if _stands_in(record, place)]


def count_answers(question: Question, group: Group, place: Placer) -> int:
    """Return how many gold answers of a group stand in the score grid.

    They are the spans of entities, the pairs of a relation, and the values of records: one that
    stands at several places of a text is one value.
    """
    instances = instances_of(question, group, place)
    if group.kind is Kind.RELATION:
        return len(instances)
    if group.kind is Kind.ENTITIES:
        return sum(place.cell(start, end) is not None for _, start, end in question.entities)
    return sum(
        len({(item, question.text[a:b]) for item, a, b in one.spans if place.cell(a, b)})
        + len(one.choices)
        for one in instances
    )


def _stands_in(record: RecordAnswer, place: Placer) -> bool:
    if any(place.cell(start, end) for _, start, end in record.spans):
        return True
    behind = bool(record.spans) and all(place.is_cut(end) for _, _, end in record.spans)
    return bool(record.choices) and not behind
