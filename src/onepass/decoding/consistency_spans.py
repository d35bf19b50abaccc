"""Which entities a span of another finding may stand for.

An end of a relation, or a value of a record, that has to be an entity takes over the span of one.
This module knows candidates, no schema and no scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from onepass.decoding.finds import Candidates, SpanFind


def entity_spans(
    found: Candidates, span: SpanFind, labels: Sequence[int]
) -> list[tuple[SpanFind, tuple[int, ...]]]:
    """Return the spans that a finding can stand for, with the rows of the entities that allow it.

    Args:
        found: candidates of entities.
        span: of the finding, whose score is kept.
        labels: that the entity may have; none allow any label, at exactly this span.

    Returns:
        The span itself if it is a candidate; else, of given labels, those that share words with it.

    >>> found = Candidates([0, 0], [1, 2], [0.9, 0.8], [0, 1])
    >>> entity_spans(found, SpanFind(1, 2, 0.7), [1])
    [(SpanFind(start=0, end=2, score=0.7), (1,))]
    """
    fits = (found.starts < span.end) & (found.ends > span.start)
    if labels:
        fits &= np.isin(found.labels, labels)
    exact = fits & (found.starts == span.start) & (found.ends == span.end)
    rows: dict[tuple[int, int], list[int]] = defaultdict(list)
    for row in np.flatnonzero(exact if exact.any() or not labels else fits).tolist():
        rows[int(found.starts[row]), int(found.ends[row])].append(row)
    return [(SpanFind(*place, span.score), tuple(own)) for place, own in rows.items()]
