"""Token scores -> candidates: spans whose first word, last word and inside all hold.

For every label a word has a score for starting a span, for ending one, and for being inside one. It
knows nothing about how the scores were made, nor about which candidates will be kept.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from onepass.arrays import Integers, Reals
from onepass.decoding.candidates import Candidates


def token_candidates(scores: Reals, thresholds: npt.ArrayLike) -> Candidates:
    """Return every span that reaches the threshold of its label at its first, last and all words.

    Args:
        scores: probabilities of start, end and inside, (labels, words, 3).
        thresholds: one per label, inclusive, (labels,).

    Returns:
        The candidates, by label, then start, then end. The score of one is the lowest of its start,
        its end and all its inside scores; a span may have any number of words.

    Raises:
        ValueError: if the shapes do not fit.

    >>> scores = np.array([[[0.9, 0.1, 0.8], [0.2, 0.7, 0.6], [0.9, 0.9, 0.1]]])
    >>> found = token_candidates(scores, [0.5])
    >>> found.starts.tolist(), found.ends.tolist(), found.scores.tolist()
    ([0], [2], [0.6])
    """
    limits = np.asarray(thresholds, dtype=scores.dtype)
    if scores.ndim != 3 or scores.shape[2] != 3 or limits.shape != scores.shape[:1]:
        raise ValueError(
            f"Scores need the shape (labels, words, 3) with one threshold per label, but have "
            f"{scores.shape} and {limits.shape}."
        )
    holds = scores >= limits[:, None, None]  # (labels, words, 3)
    inside = holds[:, :, 2]
    # Words of one run of inside words share a number; a run never goes past its label.
    run = np.cumsum(~inside, axis=1) + (np.arange(len(limits)) * (scores.shape[1] + 1))[:, None]
    starts = np.nonzero(holds[:, :, 0] & inside)
    ends = np.nonzero(holds[:, :, 1] & inside)
    first, last = _pairs(run[starts], starts[1], run[ends], ends[1])
    labels, from_, to = starts[0][first], starts[1][first], ends[1][last]
    lowest = _range_min(np.ascontiguousarray(scores[:, :, 2]), labels, from_, to)
    found = np.minimum(lowest, scores[labels, from_, 0])
    found = np.minimum(found, scores[labels, to, 1])
    return Candidates(from_, to + 1, found.astype(np.float64), labels)


def _pairs(
    start_runs: Integers, start_words: Integers, end_runs: Integers, end_words: Integers
) -> tuple[Integers, Integers]:
    """Return the rows of all (start, end) of one run with the end not before the start."""
    if not len(start_runs) or not len(end_runs):
        nothing = np.zeros(0, dtype=np.int64)
        return nothing, nothing
    # Both are sorted by run, then word: the ends of a start are one stretch of the ends.
    span = int(max(start_words.max(), end_words.max())) + 1
    keys = end_runs * span + end_words
    low = np.searchsorted(keys, start_runs * span + start_words, side="left")
    high = np.searchsorted(keys, start_runs * span + span - 1, side="right")
    counts = high - low
    first = np.repeat(np.arange(len(start_runs)), counts)
    offset = np.arange(int(counts.sum())) - np.repeat(np.cumsum(counts) - counts, counts)
    return first, np.repeat(low, counts) + offset


def _range_min(values: Reals, rows: Integers, first: Integers, last: Integers) -> Reals:
    """Return, for each query, the lowest of ``values[row, first..last]``, by a sparse table."""
    if not len(rows):
        return np.zeros(0, dtype=values.dtype)
    length = last - first + 1
    level = np.floor(np.log2(length)).astype(np.int64)
    tables = [values]
    for step in range(int(level.max())):
        half = 1 << step
        tables.append(np.minimum(tables[-1][:, :-half], tables[-1][:, half:]))
    out = np.empty(len(rows), dtype=values.dtype)
    for step, table in enumerate(tables):
        own = level == step
        if own.any():
            left = table[rows[own], first[own]]
            out[own] = np.minimum(left, table[rows[own], last[own] - (1 << step) + 1])
    return out
