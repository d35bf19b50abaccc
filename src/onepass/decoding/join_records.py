"""Records whose fields were asked in several prompts, joined to whole ones by where they stand.

Each prompt finds records of its own, and may miss one that another has found. This module knows
positions, no schema and no scores.
"""

from __future__ import annotations

from collections.abc import Sequence

from onepass.decoding.candidates import RecordFind, SpanFind

_Cost = tuple[int, int]  # joins with a record that begins later, words between; both summed
_NEVER: _Cost = (1 << 40, 0)


def join_records(passes: Sequence[tuple[RecordFind, ...]]) -> tuple[RecordFind, ...]:
    """Return the records of one structure in one window.

    Of two prompts with equal numbers of records the n-th of each are one. Else the fewer ones are
    placed among the others, in their order: each with the record that has the nearest value before
    its own first value, as children find their parent in `onepass.typed.link`.

    Args:
        passes: of each prompt its records, in the order of the text, with all fields of the
            structure, of which the prompt fills some.

    >>> def at(start):
    ...     return (SpanFind(start, start + 1, 0.9),)
    >>> names = tuple(RecordFind((at(start), ())) for start in (0, 10, 20))
    >>> colors = tuple(RecordFind(((), at(start))) for start in (13, 24))
    >>> [bool(record.fields[1]) for record in join_records([names, colors])]
    [False, True, True]
    """
    filled = [records for records in passes if records]
    whole = filled[0] if filled else ()
    for other in filled[1:]:
        more, fewer = (whole, other) if len(whole) >= len(other) else (other, whole)
        partners = dict(zip(_partners(fewer, more), fewer, strict=True))
        whole = tuple(
            _joined(record, partners[place]) if place in partners else record
            for place, record in enumerate(more)
        )
    return whole


def _joined(one: RecordFind, other: RecordFind) -> RecordFind:
    pairs = zip(one.fields, other.fields, strict=True)
    return RecordFind(tuple(mine or theirs for mine, theirs in pairs))


def _partners(fewer: Sequence[RecordFind], more: Sequence[RecordFind]) -> list[int]:
    """Return with which of more records each of fewer ones is joined, in ascending order."""
    starts = [_starts(record) for record in more]
    least = [[(0, 0)] * (len(more) + 1)]  # of the first so many, among the first so many others
    for record in fewer:
        own = _starts(record)
        row = [_NEVER]
        for place, others in enumerate(starts):
            before, cost = least[-1][place], _cost(own, others)
            row.append(min(row[-1], (before[0] + cost[0], before[1] + cost[1])))
        least.append(row)
    partners = []
    place = len(more)
    for row in reversed(least[1:]):
        while row[place] == row[place - 1]:
            place -= 1
        place -= 1
        partners.append(place)
    return partners[::-1]


def _starts(record: RecordFind) -> list[int]:
    spans = (find for held in record.fields for find in held if isinstance(find, SpanFind))
    return sorted(find.start for find in spans)


def _cost(own: Sequence[int], others: Sequence[int]) -> _Cost:
    """Return how badly two records fit; choices stand nowhere, and fit as well as any."""
    if not own or not others:
        return 0, 0
    before = [start for start in others if start <= own[0]]
    return (0, own[0] - before[-1]) if before else (1, others[0] - own[0])
