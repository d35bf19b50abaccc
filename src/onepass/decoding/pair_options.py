"""The pairs that an instance of a ruled relation type may stand for, the best few.

Which of them holds is decided with the entities, `onepass.decoding.consistency`.
"""

from __future__ import annotations

import numpy as np

from onepass.arrays import Reals
from onepass.decoding.candidates import RelationFind, SpanFind
from onepass.decoding.spans import candidates

_MOST = 6  # spans of an end that are kept: what is not among the best few is not meant


def pair_options(scores: Reals, kind: int, threshold: float) -> list[RelationFind]:
    """Return for each instance the pairs of its best heads and tails.

    Args:
        scores: probabilities, (instances, 2, words, width); heads, then tails.
        kind: the relation type.
        threshold: that both ends reach.

    >>> scores = np.zeros((1, 2, 3, 1))
    >>> scores[0, 0, :2, 0], scores[0, 1, 2, 0] = [0.9, 0.6], 0.8
    >>> [(one.head.start, one.tail.start, one.instance) for one in pair_options(scores, 0, 0.5)]
    [(0, 2, 0), (1, 2, 0)]
    """
    pairs = []
    for number, (heads, tails) in enumerate(scores):
        for head in _best(heads, threshold):
            for tail in _best(tails, threshold):
                if (head.start, head.end) != (tail.start, tail.end):
                    score = min(head.score, tail.score)
                    pairs.append(RelationFind(kind, head, tail, score, number))
    return pairs


def _best(scores: Reals, threshold: float) -> list[SpanFind]:
    """Return the best spans of one end, best first."""
    found = candidates(scores[None], [threshold])
    order = np.argsort(-found.scores, kind="stable")[:_MOST]
    return list(found.take(order).spans())
