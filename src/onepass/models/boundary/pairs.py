"""Which pairs of spans are scored for a relation type: those of its likeliest heads and tails."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.models.boundary.config import Relations
from onepass.models.boundary.scores import BoundaryScores, How, Pairs
from onepass.models.finite import check_finite
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import Kind
from onepass.models.thresholds import sigmoid


def propose_pairs(
    places: Int64s, logits: Float32s, how: Relations, *, own: tuple[int, int]
) -> Pairs:
    """Return the pairs whose scores are asked for, likeliest first; none of a span with itself.

    Args:
        places: (2, spans, 2) spans that may be heads, and tails.
        logits: (2, spans), minus infinity for what is no span.
        how: settings of the checkpoint.
        own: words of the text: the first, and the one behind the last; an end is of these.

    >>> places = np.array([[[0, 1], [2, 3]], [[0, 1], [2, 3]]])
    >>> pairs = propose_pairs(places, np.array([[2.0, 0.0], [0.0, 2.0]]), Relations(), own=(0, 3))
    >>> pairs.places.tolist()
    [[0, 1, 2, 3], [2, 3, 0, 1]]
    """
    probs = sigmoid(logits.astype(np.float32))
    heads, tails = (
        _likeliest(places[i], probs[i], number, how.threshold, own)
        for i, number in enumerate((how.heads, how.tails))
    )
    left, right = places[0][heads], places[1][tails]  # (heads, 2), (tails, 2)
    product = probs[0][heads][:, None] * probs[1][tails]
    other = (left[:, None] != right).any(-1)  # (heads, tails)
    order = np.argsort(-np.where(other, product, -1).ravel(), kind="stable")
    order = order[: min(how.pairs, int(other.sum()))]
    rows, columns = np.divmod(order, max(len(tails), 1))
    both = np.concatenate([left[rows], right[columns]], axis=1)
    ends = np.stack([probs[0][heads][rows], probs[1][tails][columns]], axis=1)
    return Pairs(both, ends, np.zeros(len(both), dtype=np.float32))


def _likeliest(
    places: Int64s, probs: Float32s, number: int, threshold: float, own: tuple[int, int]
) -> Int64s:
    """Return (at most number,) rows of the likeliest spans; of equal ones the earlier first."""
    order = np.lexsort((places[:, 1], places[:, 0], -probs))
    inside = (places[:, 0] >= own[0]) & (places[:, 1] <= own[1])
    fit = (probs >= threshold) & (probs > 0) & inside
    order = order[fit[order]]
    return order[:number]


def score_pairs(
    found: Sequence[BoundaryScores],
    readings: Sequence[Reading],
    texts: dict[str, Any],
    how: How,
) -> None:
    """Fill in the pairs of every relation type that is asked."""
    backend, config = how.backend, how.config
    if config.relations is None:
        return
    chosen: list[tuple[int, int, Pairs]] = []  # row, group, its pairs without scores
    for row, (scores, reading) in enumerate(zip(found, readings, strict=True)):
        for number, group in enumerate(reading.prompt.groups):
            if group.kind is Kind.RELATION:
                first = scores.firsts[number]
                pairs = propose_pairs(
                    scores.places[first : first + 2],
                    scores.logits[first : first + 2],
                    config.relations,
                    own=reading.own,
                )
                chosen.append((row, number, pairs))
    most = max((sum(len(p) for r, _, p in chosen if r == row) for row, _, _ in chosen), default=0)
    if not most:
        for row, number, pairs in chosen:
            found[row].pairs[number] = pairs
        return
    places = np.zeros((len(found), most, 4), dtype=np.int64)
    places[..., 1::2] = 1
    roles = np.zeros((len(found), most, 2), dtype=np.int64)
    taken = [0] * len(found)
    for row, number, pairs in chosen:
        at = slice(taken[row], taken[row] + len(pairs))
        places[row, at] = pairs.places
        roles[row, at] = found[row].firsts[number] + np.arange(2)
        taken[row] += len(pairs)
    (logits,) = backend.run("relate", {**texts, "roles": roles, "places": places})
    check_finite(logits)
    logits = logits / np.float32(config.temperatures.relations)
    taken = [0] * len(found)
    for row, number, pairs in chosen:
        at = slice(taken[row], taken[row] + len(pairs))
        found[row].pairs[number] = pairs.scored(logits[row, at])
        taken[row] += len(pairs)
