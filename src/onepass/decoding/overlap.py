"""Which of the candidates that overlap are kept.

Greedy by score, under one of four policies. It knows nothing about what the positions count (words
or characters) nor what the labels mean; how general a label is comes in as a number.
"""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from onepass.arrays import Int64s
from onepass.decoding.candidates import Candidates
from onepass.schema.options import Overlap

Policy = Overlap
POLICIES: tuple[Policy, ...] = get_args(Policy)
Ties = Literal["longest", "first"]


# A specific label wins over a general one of the same span down to this share of its score. With a
# trained model the score itself tells the specific label most of the time: with an intermediate
# checkpoint of the built-in model, on 50 texts of each of five development sets, 0.9 cost 0.2
# points of F1 against scores alone; 0.5 and "always" cost 1.6.
CLOSE = 0.9


def select(
    found: Candidates, *, policy: Policy, ranks: Int64s | None = None, ties: Ties = "longest"
) -> Int64s:
    """Choose the candidates to keep where they overlap.

    Two spans overlap when they share a position; they cross when they overlap and neither contains
    the other. Better is: the higher score, then the longer span, then the earlier, then the lower
    label, then the earlier row; or, with ``ties="first"``, the earlier span before the shorter.

    - ``"all"`` drops repeated (start, end, label) only, keeping the best score.
    - ``"nested"`` also drops a span that crosses a better one that was kept.
    - ``"label"`` keeps, inside each label, no two spans that overlap.
    - ``"flat"`` keeps no two spans that overlap. Among candidates with the same span whose scores
      are within `CLOSE` of the best, the most specific label (lowest rank) stands for the span;
      between spans the score decides.

    Args:
        found: spans of at least one position.
        policy: one of `POLICIES`.
        ranks: how general each label is, 0 = specific, (labels,); used by ``"flat"`` only.
        ties: which of two candidates with one score is better.

    Returns:
        Rows of the kept candidates, (kept,), ordered by start, then end, then label.

    Raises:
        ValueError: if a span, a score, the policy or the ranks cannot be used.

    >>> found = Candidates([0, 0, 1], [2, 2, 4], [0.9, 0.85, 0.7], [0, 1, 0])
    >>> select(found, policy="flat").tolist()
    [0]
    >>> select(found, policy="flat", ranks=np.array([1, 0])).tolist()
    [1]
    >>> select(found, policy="label").tolist()
    [0, 1]
    """
    _check(found, policy, ranks)
    if not len(found):
        return np.zeros(0, dtype=np.int64)
    starts, ends, scores, labels = found.starts, found.ends, found.scores, found.labels
    lengths = ends - starts
    places = (starts, -lengths) if ties == "longest" else (lengths, starts)
    order = np.lexsort((labels, *places, -scores))  # best first; stable: earlier row first
    if policy == "flat":
        general = None if ranks is None else _close_ranks(found, ranks[labels])
        order = _best_of_each(order, (starts, ends), general)
    else:
        order = _best_of_each(order, (starts, ends, labels))
    if policy == "nested":
        order = order[_uncrossed(*_compress(starts[order], ends[order]))]
    elif policy == "label":
        order = order[_disjoint(*_compress(starts[order], ends[order], labels[order]))]
    elif policy == "flat":
        order = order[_disjoint(*_compress(starts[order], ends[order]))]
    kept: Int64s = order[np.lexsort((labels[order], ends[order], starts[order]))]
    return kept


def resolve_overlaps(
    found: Candidates, *, policy: Policy, ranks: Int64s | None = None, ties: Ties = "longest"
) -> Candidates:
    """Return the candidates that are kept where they overlap; arguments as for `select`.

    >>> found = Candidates([0, 1], [2, 4], [0.9, 0.7], [0, 0])
    >>> len(resolve_overlaps(found, policy="flat"))
    1
    """
    return found.take(select(found, policy=policy, ranks=ranks, ties=ties))


def _check(found: Candidates, policy: str, ranks: Int64s | None) -> None:
    if policy not in POLICIES:
        raise ValueError(f"The overlap policy must be one of {POLICIES}, but {policy!r} was given.")
    if not len(found):
        return
    if (found.starts >= found.ends).any():
        raise ValueError("Every candidate must end after it starts.")
    if not np.isfinite(found.scores).all():
        raise ValueError("Every candidate needs a finite score.")
    labels = found.labels
    if labels.min() < 0 or (ranks is not None and labels.max() >= len(ranks)):
        raise ValueError(f"Labels run from {labels.min()} to {labels.max()}, beyond their ranks.")


def _close_ranks(found: Candidates, general: Int64s) -> Int64s:
    """Return (candidates,) ranks; the highest of all for a score far from its span's best."""
    places = np.stack((found.starts, found.ends), axis=1)
    _, group = np.unique(places, axis=0, return_inverse=True)
    group = group.reshape(-1)
    best = np.full(group.max() + 1, -np.inf)
    np.maximum.at(best, group, found.scores)
    far = np.iinfo(np.int64).max
    return np.where(found.scores >= CLOSE * best[group], general, far).astype(np.int64)


def _best_of_each(order: Int64s, keys: tuple[Int64s, ...], first: Int64s | None = None) -> Int64s:
    """Keep the first row of each group of equal keys, with the lowest ``first`` if given."""
    place = np.arange(len(order))
    preferred = (place,) if first is None else (place, first[order])
    grouped = np.lexsort(preferred + tuple(key[order] for key in reversed(keys)))
    fresh = np.zeros(len(order), dtype=bool)
    fresh[0] = True
    for key in keys:
        column = key[order][grouped]
        fresh[1:] |= column[1:] != column[:-1]
    return order[np.sort(grouped[fresh])]  # still best first


def _compress(
    starts: Int64s, ends: Int64s, groups: Int64s | None = None
) -> tuple[list[int], list[int], int]:
    """Renumber positions without gaps, each group on its own stretch; return their number too."""
    count = len(starts)
    points, index = np.unique(np.concatenate((starts, ends)), return_inverse=True)
    if groups is not None:
        _, group = np.unique(groups, return_inverse=True)
        points, index = np.unique(
            np.concatenate((group, group)) * len(points) + index, return_inverse=True
        )
    return index[:count].tolist(), index[count:].tolist(), len(points)


def _disjoint(starts: list[int], ends: list[int], positions: int) -> Int64s:
    """Walk from best to worst, keep what shares no position with what was kept."""
    taken = bytearray(positions)
    kept = []
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if taken.find(1, start, end) < 0:
            taken[start:end] = b"\x01" * (end - start)
            kept.append(row)
    return np.array(kept, dtype=np.int64)


def _uncrossed(starts: list[int], ends: list[int], positions: int) -> Int64s:
    """Walk from best to worst, keep what crosses nothing that was kept.

    For each boundary inside kept spans we hold the nearest end and the nearest start of the spans
    around it. A new span crosses one of them if it starts inside and ends beyond that end, or ends
    inside and starts before that start. Keeping a span costs its length, which windows bound.
    """
    nearest_end = np.full(positions, positions, dtype=np.int64)
    nearest_start = np.full(positions, -1, dtype=np.int64)
    kept = []
    for row, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if nearest_end[start] >= end and nearest_start[end] <= start:
            inside = slice(start + 1, end)
            np.minimum(nearest_end[inside], end, out=nearest_end[inside])
            np.maximum(nearest_start[inside], start, out=nearest_start[inside])
            kept.append(row)
    return np.array(kept, dtype=np.int64)
