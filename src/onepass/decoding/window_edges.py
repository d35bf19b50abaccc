"""Values that a window saw cut at its edge give way to those that another one saw whole.

Windows overlap so that what stands at the edge of one stands inside the next. The window in which
it is cut may be surer of the half than the other is of the whole, so scores cannot decide. A value
at an edge inside of the text is taken for cut if another window found one around it that is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from onepass.arrays import Bools, Int64s
from onepass.decoding.candidates import Find, RecordFind, RelationFind, SpanFind
from onepass.decoding.findings import Findings, WindowFindings
from onepass.text.windows import Window

_Role = tuple[str, int, int]  # what a value is: of a field of a structure, an end of a type, ...
_ENTITY: _Role = ("entity", 0, 0)
# Words between a cut value and the edge: of "Bank of | Scotland" a window may take "Bank".
_NEAR = 1
_BLOCK = 16  # words


def without_cut(windows: Sequence[WindowFindings]) -> list[WindowFindings]:
    """Return findings without values that are cut and that another window found whole.

    Entities are left out. Values of records, and ends of relations, become the whole value that was
    found in their place: of the same field, or the same end of the same type.

    Args:
        windows: all windows of one text, in any order; positions stay those of their windows, and
            may lie outside of them.

    >>> from onepass.decoding.candidates import Candidates
    >>> half = Findings(Candidates([0], [2], [0.9], [0]))
    >>> whole = Findings(Candidates([6], [9], [0.6], [0]))
    >>> read = [WindowFindings(Window(0, 12), (whole,)), WindowFindings(Window(7, 19), (half,))]
    >>> [len(part.findings[0].entities) for part in without_cut(read)]
    [1, 0]
    """
    if len(windows) < 2:
        return list(windows)
    text = Window(
        min(part.window.start for part in windows), max(part.window.end for part in windows)
    )
    edges = [_inner(part.window, text) for part in windows]
    reach = _reach(windows, edges, text)
    whole = _whole_values(windows, edges)
    return [
        WindowFindings(
            part.window,
            tuple(
                _Mending(part.window.start, edge, whole).findings(
                    _sieved(found, part.window.start, edge, reach, text)
                )
                for found in part.findings
            ),
        )
        for part, edge in zip(windows, edges, strict=True)
    ]


def _inner(window: Window, text: Window) -> Window:
    """Return the edges of a window inside of the text; others are moved to where no value is."""
    return Window(
        window.start if window.start > text.start else text.start - _NEAR - 1,
        window.end if window.end < text.end else text.end + _NEAR + 1,
    )


def _is_cut(start: int, end: int, edge: Window) -> bool:
    return start <= edge.start + _NEAR or end >= edge.end - _NEAR


def _cut_rows(starts: Int64s, ends: Int64s, edge: Window) -> Bools:
    rows: Bools = (starts <= edge.start + _NEAR) | (ends >= edge.end - _NEAR)
    return rows


def _reach(windows: Sequence[WindowFindings], edges: Sequence[Window], text: Window) -> Int64s:
    """Return (words + 1): where the farthest whole entity ends that begins before each word."""
    reach = np.full(text.end - text.start + 1, -1, dtype=np.int64)
    for part, edge in zip(windows, edges, strict=True):
        for found in part.findings:
            here = found.entities.shift(part.window.start)
            rows = ~_cut_rows(here.starts, here.ends, edge)
            np.maximum.at(reach, here.starts[rows] - text.start + 1, here.ends[rows])
    return np.maximum.accumulate(reach)


def _sieved(found: Findings, first: int, edge: Window, reach: Int64s, text: Window) -> Findings:
    """Return the findings of a reading without entities that are cut and stand in a whole one."""
    here = found.entities.shift(first)
    begins = here.starts - text.start
    # around it: one that begins earlier and ends there or later, or begins there and ends later
    inside = (reach[begins] >= here.ends) | (reach[begins + 1] > here.ends)
    rows = np.flatnonzero(~(_cut_rows(here.starts, here.ends, edge) & inside))
    if len(rows) == len(here):
        return found
    names = tuple(found.names[row] for row in rows.tolist()) if found.names else ()
    return replace(found, entities=found.entities.take(rows), names=names)


class _Whole:
    """The whole values that were found, by what they are and by where they stand.

    Positions are words of the document.
    """

    def __init__(self) -> None:
        # A span once, with its best score: as the end of a type it may stand in thousands of pairs.
        # It is noted in each block of words that it touches, so that a cut value looks through
        # those near it and not through all of a long text.
        self._values: defaultdict[tuple[_Role, int], dict[tuple[int, int], SpanFind]]
        self._values = defaultdict(dict)

    def add(self, role: _Role, find: SpanFind) -> None:
        """Note a value."""
        for block in range(find.start // _BLOCK, (find.end - 1) // _BLOCK + 1):
            near = self._values[role, block]
            held = near.setdefault((find.start, find.end), find)
            if held.score < find.score:
                near[find.start, find.end] = find

    def around(self, find: SpanFind, *roles: _Role) -> SpanFind:
        """Return the best value around a cut one, itself if there is none.

        Args:
            find: the cut value.
            roles: what it may be.
        """
        block = find.start // _BLOCK  # what is around it touches this one, too
        spans = [self._values[role, block] for role in roles if (role, block) in self._values]
        # the same span was seen whole by another window, too, which is no reason to make it longer
        if any((find.start, find.end) in held for held in spans):
            return find
        around = (
            one
            for held in spans
            for one in held.values()
            if one.start <= find.start and find.end <= one.end
        )
        return max(around, key=lambda one: (one.score, -one.start, one.end), default=find)


def _whole_values(windows: Sequence[WindowFindings], edges: Sequence[Window]) -> _Whole:
    whole = _Whole()
    for part, edge in zip(windows, edges, strict=True):
        for found in part.findings:
            for role, find in _values(found):
                moved = find.shift(part.window.start)
                if not _is_cut(moved.start, moved.end, edge):
                    whole.add(role, moved)
    return whole


def _values(found: Findings) -> Iterator[tuple[_Role, SpanFind]]:
    """Yield the values of a reading that others may be a part of."""
    for number, records in found.records.items():
        for record in records:
            for item, held in enumerate(record.fields):
                yield from ((_field(number, item), one) for one in held if type(one) is SpanFind)
            for item, options in enumerate(record.options):
                yield from ((_field(number, item), one.find) for one in options)
    for pair in found.relations:
        yield _end(pair, 0), pair.head
        yield _end(pair, 1), pair.tail
    if found.relations_of_entities and found.relations:
        yield from ((_ENTITY, one) for one in found.entities.spans())


def _field(structure: int, item: int) -> _Role:
    return "field", structure, item


def _end(pair: RelationFind, which: int) -> _Role:
    return "end", pair.type, which


@dataclass(frozen=True, slots=True, eq=False)
class _Mending:
    """Puts whole values in place of the cut ones of a window.

    Args:
        first: word of the document at which it starts.
        edge: of it, see `_inner`.
        whole: what all windows saw whole.
    """

    first: int
    edge: Window
    whole: _Whole

    def findings(self, found: Findings) -> Findings:
        """Return the findings of a reading."""
        if not (found.records or found.relations):
            return found
        records = {
            number: tuple(self._record(number, record) for record in records)
            for number, records in found.records.items()
        }
        others = (_ENTITY,) if found.relations_of_entities else ()
        relations = tuple(
            replace(
                pair,
                head=self._value(pair.head, _end(pair, 0), *others),
                tail=self._value(pair.tail, _end(pair, 1), *others),
            )
            for pair in found.relations
        )
        return replace(found, records=records, relations=relations)

    def _record(self, number: int, record: RecordFind) -> RecordFind:
        fields = tuple(
            _once(
                self._value(one, _field(number, item)) if isinstance(one, SpanFind) else one
                for one in held
            )
            for item, held in enumerate(record.fields)
        )
        options = tuple(
            tuple(replace(one, find=self._value(one.find, _field(number, item))) for one in held)
            for item, held in enumerate(record.options)
        )
        return RecordFind(fields, options)

    def _value(self, find: SpanFind, *roles: _Role) -> SpanFind:
        here = find.shift(self.first)
        if not _is_cut(here.start, here.end, self.edge):
            return find
        return self.whole.around(here, *roles).shift(-self.first)


def _once(values: Iterator[Find]) -> tuple[Find, ...]:
    """Return values without those that stand at the place of one before."""
    seen: dict[object, Find] = {}
    for one in values:
        key = (one.start, one.end) if isinstance(one, SpanFind) else one.choice
        seen.setdefault(key, one)
    return tuple(seen.values())
