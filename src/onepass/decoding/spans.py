"""Dense span scores -> candidates.

``scores[label, start, width]`` belongs to the words [start, start + width + 1). It knows nothing
about how the scores were made, nor about which candidates will be kept.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import numpy.typing as npt

from onepass.arrays import Bools, Int64s, Reals
from onepass.decoding.candidates import Candidates, SpanFind


def candidates(scores: Reals, thresholds: npt.ArrayLike) -> Candidates:
    """Return every span that reaches the threshold of its label.

    Args:
        scores: probabilities, (labels, words, width).
        thresholds: one per label, inclusive, (labels,).

    Returns:
        The candidates, by label, then start, then width; none ends past the last word.

    Raises:
        ValueError: if the shapes do not fit.

    >>> scores = np.array([[[0.2, 0.9], [0.7, 0.9]]])  # one label, two words, width two
    >>> found = candidates(scores, [0.7])
    >>> list(zip(found.starts.tolist(), found.ends.tolist()))
    [(0, 2), (1, 2)]
    """
    # In the precision of the scores, so that a float32 0.9 reaches the threshold 0.9.
    limits = np.asarray(thresholds, dtype=scores.dtype)  # (labels,)
    if scores.ndim != 3 or limits.shape != scores.shape[:1]:
        raise ValueError(
            f"Scores need the shape (labels, words, width) with one threshold per label, "
            f"but have {scores.shape} and {limits.shape}."
        )
    hits = scores >= limits[:, None, None]  # (labels, words, width)
    hits &= _inside(scores.shape[1], scores.shape[2])
    labels, starts, widths = np.nonzero(hits)
    found = scores[labels, starts, widths].astype(np.float64)  # (candidates,)
    return Candidates(starts, starts + widths + 1, found, labels)


def best_span(scores: Reals, threshold: float) -> SpanFind | None:
    """Return the best span of one label, or None if none reaches the threshold.

    Args:
        scores: probabilities, (words, width).
        threshold: inclusive.

    Returns:
        The span with the highest score; of equal ones the earliest, then the shortest.

    Raises:
        ValueError: if the scores do not have two axes.

    >>> best_span(np.array([[0.25, 0.75], [0.5, 1.0]]), 0.5)
    SpanFind(start=0, end=2, score=0.75)
    """
    if scores.ndim != 2:
        raise ValueError(f"Scores need the shape (words, width), but have {scores.shape}.")
    if not (scores >= scores.dtype.type(threshold)).any():  # most labels of many, most of the time
        return None
    words, width = scores.shape
    reachable = np.where(_inside(words, width), scores, scores.dtype.type(-np.inf))
    start, offset = divmod(int(reachable.argmax()), width)
    best = reachable[start, offset]
    if not best >= scores.dtype.type(threshold):
        return None
    return SpanFind(start, start + offset + 1, float(best))


def distinct_spans(scores: Reals, thresholds: npt.ArrayLike) -> list[SpanFind | None]:
    """Return one span of each label, or None, so that no two of them share a word.

    The best one stands; a label whose best span overlaps it gets its own next best.

    Args:
        scores: probabilities, (labels, words, width).
        thresholds: one per label, inclusive, (labels,).

    >>> scores = np.array([[[0.9], [0.6]], [[0.8], [0.1]], [[0.7], [0.1]]])
    >>> [span and span.start for span in distinct_spans(scores, [0.5, 0.5, 0.5])]
    [0, None, None]
    """
    limits = np.asarray(thresholds, dtype=np.float64)
    best = [best_span(one, float(at)) for one, at in zip(scores, limits, strict=True)]
    placed = sorted((span.start, span.end) for span in best if span is not None)
    if all(one[1] <= other[0] for one, other in pairwise(placed)):
        return best
    found = candidates(scores, limits)
    chosen: list[SpanFind | None] = [None] * len(best)
    free = np.ones(scores.shape[1], dtype=bool)  # (words,)
    # Of equal scores the earlier label's, the earlier and the shorter one, as in `best_span`.
    for start, end, score, label in found.take(np.argsort(-found.scores, kind="stable")).rows():
        if chosen[label] is None and free[start:end].all():
            chosen[label] = SpanFind(start, end, score)
            free[start:end] = False
    return chosen


def whole_spans(scores: Reals, runs: Int64s) -> Reals:
    """Return scores by which no span cuts a run of words: what does counts as the one with all.

    Of several that become one the best score counts.

    Args:
        scores: probabilities, (..., words, width).
        runs: of words that are never cut, half-open, without overlaps, (runs, 2).

    Returns:
        The scores, with more widths where a run needs them.

    >>> scores = np.array([[0.5, 0.2], [0.8, 0.1], [0.1, 0.1]])
    >>> whole_spans(scores, np.array([[0, 2]])).tolist()
    [[0.0, 0.8, 0.1], [0.0, 0.0, 0.0], [0.1, 0.1, 0.0]]
    """
    if not len(runs):
        return scores
    words, width = scores.shape[-2:]
    begin, end = np.arange(words + 1), np.arange(words + 1)  # where a span then begins and ends
    for first, last in runs.tolist():
        begin[first + 1 : last], end[first + 1 : last] = first, last
    starts, widths = np.nonzero(_inside(words, width))
    ends = starts + widths + 1
    cut = (begin[starts] < starts) | (end[ends] > ends)
    starts, widths, ends = starts[cut], widths[cut], ends[cut]
    wide = end[ends] - begin[starts] - 1
    more = max(int(wide.max(initial=0)) + 1 - width, 0)
    blank = np.zeros((*scores.shape[:-1], more), dtype=scores.dtype)
    moved = np.moveaxis(np.concatenate([scores, blank], axis=-1), (-2, -1), (0, 1))
    values = moved[starts, widths]  # (spans, ...)
    moved[starts, widths] = 0
    np.maximum.at(moved, (begin[starts], wide), values)
    whole: Reals = np.moveaxis(moved, (0, 1), (-2, -1))
    return whole


def _inside(words: int, width: int) -> Bools:
    """Mark the spans that end at the last word or before, (words, width)."""
    inside: Bools = np.arange(words)[:, None] + np.arange(width) < words
    return inside
