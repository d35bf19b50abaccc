"""Entities as findings that others depend on: their weights, conflicts, and whose spans they lend.

An end of a relation, or a value of a record, that has to be an entity takes over the span of one.
This module knows candidates and no schema.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterable
from itertools import accumulate

from onepass.arrays import Int64s
from onepass.decoding.candidates import Candidates, SpanFind
from onepass.decoding.overlap import CLOSE, Policy


class EntitySpans:
    """The candidates of entities, looked up by where they stand.

    A finding asks for those that share words with it, and a long text has tens of thousands of
    both: all candidates must not be gone through for each.

    Args:
        found: candidates of entities.

    >>> spans = EntitySpans(Candidates([0, 0], [1, 2], [0.9, 0.8], [0, 1]))
    >>> spans.of(SpanFind(1, 2, 0.7), [1])
    [(SpanFind(start=0, end=2, score=0.7), (1,))]
    """

    def __init__(self, found: Candidates) -> None:
        self._rows = list(found.rows())
        self._order = sorted(range(len(self._rows)), key=lambda row: self._rows[row][0])
        self._starts = [self._rows[row][0] for row in self._order]
        # where the farthest ends of those up to and with each
        self._reach = list(accumulate((self._rows[row][1] for row in self._order), max))

    def of(self, span: SpanFind, labels: Collection[int]) -> list[tuple[SpanFind, tuple[int, ...]]]:
        """Return the spans that a finding can stand for, with the rows that allow it.

        Args:
            span: of the finding, whose score is kept.
            labels: that the entity may have; none allow any label, at exactly this span.

        Returns:
            The span itself if it is a candidate; else, of given labels, those that share words
            with it.
        """
        first, last = bisect_right(self._reach, span.start), bisect_left(self._starts, span.end)
        found: dict[tuple[int, int], list[int]] = defaultdict(list)
        for row in sorted(self._order[first:last]):
            start, end, _, label = self._rows[row]
            if end > span.start and (not labels or label in labels):
                found[start, end].append(row)
        itself = (span.start, span.end)
        if itself in found:
            return [(span, tuple(found[itself]))]
        if not labels:
            return []
        return [(SpanFind(*place, span.score), tuple(rows)) for place, rows in found.items()]


def entity_weights(found: Candidates, ranks: Int64s | None) -> list[float]:
    """Return the weight of each candidate: its score.

    Args:
        found: candidates of entities.
        ranks: how general each label is, (labels,): the most specific of the labels of a span that
            score about the same weighs as much as the best and a little more. None if that plays
            no part.

    >>> found = Candidates([0, 0], [1, 1], [0.9, 0.8], [0, 1])
    >>> entity_weights(found, None)
    [0.9, 0.8]
    """
    scores: list[float] = found.scores.tolist()
    if ranks is None:
        return scores
    spans: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row, place in enumerate(zip(found.starts.tolist(), found.ends.tolist(), strict=True)):
        spans[place].append(row)
    for rows in spans.values():
        best = max(scores[row] for row in rows)
        close = [row for row in rows if scores[row] >= CLOSE * best]
        general = ranks[found.labels[close]].tolist()
        first = min(zip(general, [-scores[row] for row in close], close, strict=True))[2]
        if scores[first] < best:
            scores[first] = best + 1e-6
    return scores


def entity_conflicts(found: Candidates, policy: Policy) -> Iterable[tuple[int, int]]:
    """Yield the pairs of candidates that may not both be kept.

    Args:
        found: candidates of entities.
        policy: which of them may share words.

    >>> list(entity_conflicts(Candidates([0, 1], [2, 3], [0.9, 0.8], [0, 1]), "label"))
    []
    """
    if policy == "all":
        return
    starts, ends = found.starts.tolist(), found.ends.tolist()
    labels = found.labels.tolist()
    order = sorted(range(len(starts)), key=lambda row: (starts[row], ends[row]))
    for i, one in enumerate(order):
        for other in order[i + 1 :]:
            if starts[other] >= ends[one]:
                break
            forbidden = {
                "flat": True,
                "label": labels[one] == labels[other],
                "nested": starts[one] < starts[other] and ends[one] < ends[other],
            }
            if forbidden[policy]:
                yield one, other
