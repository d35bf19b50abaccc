"""Findings of several windows or passes -> findings of the document.

Windows overlap, so the same mention, record or pair is found more than once; here it becomes one.
Positions are global by the time they come here. Which of several different candidates that overlap
is kept is decided elsewhere (`onepass.decoding.overlap`). The order in which windows are given does
not matter.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float64s
from onepass.decoding.candidates import (
    Candidates,
    Find,
    RecordFind,
    RecordPart,
    RelationFind,
    SpanFind,
)
from onepass.decoding.overlap import resolve_overlaps
from onepass.schema.task import WindowScores

# What a finding says, without its score: (field, start, end), or (field, choice, -1) for a choice.
_Key = tuple[int, int, int]


def merge_candidates(parts: Iterable[Candidates]) -> Candidates:
    """Put the candidates of all windows into one table, each (start, end, label) once.

    Args:
        parts: candidates in global word indices.

    Returns:
        The candidates ordered by start, then end, then label, with the best score of each.

    >>> part = Candidates([3], [5], [0.6], [0]), Candidates([0, 3], [1, 5], [0.7, 0.8], [1, 0])
    >>> merge_candidates(part).scores.tolist()
    [0.7, 0.8]
    """
    return resolve_overlaps(Candidates.joined(parts), policy="all")


def merge_class_scores(
    parts: Sequence[Float64s], weights: Sequence[float] | Float64s, how: WindowScores
) -> Float64s:
    """Answer a classification task for the document from the answers of its windows.

    Args:
        parts: probabilities, one array (labels,) per window.
        weights: lengths of the windows, in any unit, (windows,).
        how: "max": the best window of each label counts, as suits labels that hold for the document
            if they hold for any part of it; "length": the windows vote in proportion to their
            length, as suits labels that share one probability; "mean": they vote alike.

    Returns:
        Scores of the document, (labels,).

    Raises:
        ValueError: if there is no window, or the shapes or weights do not fit.

    >>> windows = [np.array([0.9, 0.1]), np.array([0.3, 0.7])]
    >>> merge_class_scores(windows, [3, 1], "length").round(2).tolist()
    [0.75, 0.25]
    >>> merge_class_scores(windows, [3, 1], "mean").round(2).tolist()
    [0.6, 0.4]
    """
    if not parts or len({np.shape(part) for part in parts}) != 1 or np.ndim(parts[0]) != 1:
        raise ValueError("Class scores need at least one window, all with the same labels.")
    share = np.asarray(weights, dtype=np.float64)
    if share.shape != (len(parts),) or not np.isfinite(share).all() or (share < 0).any():
        raise ValueError(f"Each of {len(parts)} windows needs a length of 0 or more: {weights}.")
    scores = np.asarray(parts, dtype=np.float64)  # (windows, labels)
    low: Float64s = scores.min(axis=0)  # (labels,)
    high: Float64s = scores.max(axis=0)  # (labels,)
    if how == "max":
        return high
    if how == "mean" or not share.any():  # windows without a word, as of an empty text, weigh alike
        share = np.ones_like(share)
    mean: Float64s = share @ scores / share.sum()  # (labels,)
    return np.clip(mean, low, high)  # rounding must not lift a mean above 1


@dataclass(frozen=True, slots=True)
class _Row:
    """A record with what is needed to compare it."""

    part: RecordPart
    number: int  # of the window, in the order of the document
    place: int  # in its window
    record: RecordFind
    keys: frozenset[_Key]
    spans: tuple[_Key, ...]
    single: frozenset[_Key]  # the spans of fields that hold one value
    total: float


def merge_records(
    parts: Iterable[RecordPart], single: Collection[int] = ()
) -> tuple[RecordFind, ...]:
    """Put the records of one structure together, dropping those that another one contains.

    A record is dropped if all that it says, spans and choices, is also said by another record and
    at least one span is among it; of two that say the same, the one with the higher total score
    stays. Choices have no place in the text: a record of choices alone is dropped only for an
    identical one from another window that overlaps its own. Records without findings are dropped.

    Of two records of one window, or of windows that overlap, whose single values stand at the same
    places, the fuller one stays if it fills every field that the other fills, lists with a value in
    common: they are one thing that was found twice.

    Args:
        parts: the records of each window, in global word indices.
        single: numbers of the fields that hold one value.

    Returns:
        The records in their order within the window, if there is one; those of several windows in
        the order of their first values in the text, since two windows that overlap see the same.

    >>> name, price = SpanFind(0, 2, 0.9), SpanFind(5, 6, 0.8)
    >>> half, full = RecordFind(((name,), ())), RecordFind(((name,), (price,)))
    >>> merge_records([RecordPart(0, 4, (half,)), RecordPart(0, 8, (full,))]) == (full,)
    True
    """
    rows = sorted(
        _rows(parts, single), key=lambda row: (-len(row.keys), -row.total, row.number, row.place)
    )
    kept = _drop_contained(_drop_changed([row for row in rows if row.spans], single))
    kept += _drop_repeated([row for row in rows if not row.spans])
    return tuple(row.record for row in _in_order(kept))


def _in_order(rows: list[_Row]) -> list[_Row]:
    """Return rows by place in the text; what has none stays behind the one before in its window."""
    rows = sorted(rows, key=lambda row: (row.number, row.place))
    if len({row.number for row in rows}) < 2:
        return rows
    placed: list[tuple[int, _Row]] = []
    last, number = 0, -1
    for row in rows:
        if row.number != number:
            last, number = row.part.start, row.number
        last = min((start for _, start, _ in row.spans), default=last)
        placed.append((last, row))
    return [row for _, row in sorted(placed, key=lambda one: one[0])]


def _rows(parts: Iterable[RecordPart], single: Collection[int]) -> Iterable[_Row]:
    for number, part in enumerate(sorted(parts, key=_part_key)):
        for place, record in enumerate(part.records):
            finds = _finds(record)
            keys = frozenset(_key(field, find) for field, find in finds)
            spans = {_key(field, find) for field, find in finds if isinstance(find, SpanFind)}
            total = sum(find.score for _, find in finds)
            ones = frozenset(span for span in spans if span[0] in single)
            if keys:
                yield _Row(part, number, place, record, keys, tuple(sorted(spans)), ones, total)


def _finds(record: RecordFind) -> list[tuple[int, Find]]:
    """The findings of a record with their fields."""
    return [(field, find) for field, held in enumerate(record.fields) for find in held]


def _key(field: int, find: Find) -> _Key:
    if isinstance(find, SpanFind):
        return field, find.start, find.end
    return field, find.choice, -1


def _part_key(part: RecordPart) -> tuple[int, int, list[list[tuple[_Key, float]]]]:
    """Order windows by place; windows at one place by content, so that any input order will do."""
    content = [
        [(_key(field, find), find.score) for field, find in _finds(record)]
        for record in part.records
    ]
    return part.start, part.end, content


def _drop_changed(rows: list[_Row], single: Collection[int]) -> list[_Row]:
    """Keep the rows, fullest first, that are no kept one found once more with other lists."""
    kept: dict[frozenset[_Key], list[_Row]] = defaultdict(list)
    out = []
    for row in rows:
        same = kept[row.single] if row.single else []
        if any(_windows_overlap(row, one) and _says_less(row, one, single) for one in same):
            continue
        same.append(row)
        out.append(row)
    return out


def _says_less(row: _Row, other: _Row, single: Collection[int]) -> bool:
    """Return whether each field of a row is filled by another one, lists with a value in common."""
    shared = {field for field, _, _ in row.keys & other.keys}
    filled = {field for field, held in enumerate(other.record.fields) if held and field in single}
    return {field for field, _, _ in row.keys} <= shared | filled


def _drop_contained(rows: list[_Row]) -> list[_Row]:
    """Keep the rows, fullest first, that no kept row contains."""
    holders: dict[_Key, set[int]] = defaultdict(set)  # which kept rows say this
    kept: list[_Row] = []
    for row in rows:
        held = sorted((holders[key] for key in row.keys), key=len)
        if set.intersection(*held):
            continue
        for key in row.keys:
            holders[key].add(len(kept))
        kept.append(row)
    return kept


def _drop_repeated(rows: list[_Row]) -> list[_Row]:
    """Keep each row of choices, best first, unless an overlapping window said the same.

    A window may say the same twice, of two different things. So its second copy is compared with
    the second copies of other windows, and so on.
    """
    copies: dict[tuple[int, frozenset[_Key]], int] = defaultdict(int)
    kept: dict[tuple[frozenset[_Key], int], list[_Row]] = defaultdict(list)
    for row in rows:
        copies[row.number, row.keys] += 1
        same = kept[row.keys, copies[row.number, row.keys]]
        if not any(_windows_overlap(row, other) for other in same):
            same.append(row)
    return [row for same in kept.values() for row in same]


def _windows_overlap(one: _Row, other: _Row) -> bool:
    a, b = one.part, other.part
    return (a.start, a.end) == (b.start, b.end) or (a.start < b.end and b.start < a.end)


def merge_relations(parts: Iterable[Iterable[RelationFind]]) -> tuple[RelationFind, ...]:
    """Put the relations of all windows together, each (type, head, tail) once.

    Args:
        parts: the relations of each window, in global word indices.

    Returns:
        The best-scored finding of each pair, ordered by head start, tail start, type.

    >>> head, tail = SpanFind(0, 2, 0.9), SpanFind(4, 5, 0.9)
    >>> weak, strong = RelationFind(0, head, tail, 0.6), RelationFind(0, head, tail, 0.8)
    >>> merge_relations([[weak], [strong]]) == (strong,)
    True
    """
    best: dict[tuple[int, ...], RelationFind] = {}
    for find in (find for part in parts for find in part):
        head, tail = find.head, find.tail
        key = (head.start, tail.start, find.type, head.end, tail.end)
        if key not in best or _strength(find) > _strength(best[key]):
            best[key] = find
    return tuple(best[key] for key in sorted(best))


def _strength(find: RelationFind) -> tuple[float, float, float]:
    return find.score, find.head.score, find.tail.score
