"""Scores of labels that stand below one another, consistent along every path.

A tree is given by the parents of its labels: for each the index of an earlier one, -1 for none. No
parents at all mean a list. This module knows nothing of names, thresholds or windows.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from onepass.arrays import Bools, Float64s

Parents = Sequence[int]

_ROOT = -1


def children_of(parents: Parents, count: int) -> dict[int, list[int]]:
    """Return the labels below each one that has some; those below none stand at -1.

    Args:
        parents: of each label; empty for a list.
        count: how many labels there are.

    >>> children_of([-1, 0, -1], 3)
    {-1: [0, 2], 0: [1]}
    """
    found: dict[int, list[int]] = {}
    for index in range(count):
        found.setdefault(parents[index] if parents else _ROOT, []).append(index)
    return found


def lift(logits: Float64s, parents: Parents, shared: Sequence[bool]) -> Float64s:
    """Return logits of which each is the best of its label's own and of all below it, (labels,).

    What holds for "tennis" holds for "sports", even if a model prefers the more exact word.

    Args:
        logits: (labels,).
        parents: of each label; empty for a list.
        shared: (labels,) whether a label reads the same as one elsewhere in the tree: it cannot say
            which of the two it is, so it lifts nothing.

    >>> lift(np.array([-2.0, 1.0, 3.0, 0.0]), [-1, 0, 0, -1], [False, False, True, False]).tolist()
    [1.0, 1.0, 3.0, 0.0]
    """
    out = logits.copy()
    below = np.full(len(logits), -np.inf)
    for index in range(len(parents) - 1, -1, -1):  # what is below a label comes behind it
        out[index] = max(logits[index], below[index])
        if parents[index] != _ROOT:
            told = below[index] if shared[index] else out[index]
            below[parents[index]] = max(below[parents[index]], told)
    return out


def share_out(logits: Float64s, parents: Parents) -> Float64s:
    """Return scores of which siblings share that of their parent, (labels,).

    A softmax among siblings says how they share it, so that the score of a label is the product
    along its path. Those of all leaves, as of a list, add up to 1.

    Args:
        logits: (labels,).
        parents: of each label; empty for a list.

    >>> share_out(np.zeros(4), [-1, 0, 0, -1]).tolist()
    [0.5, 0.25, 0.25, 0.5]
    """
    scores = np.ones(len(logits))
    for parent, own in children_of(parents, len(logits)).items():  # parents come first
        whole = 1.0 if parent == _ROOT else scores[parent]
        scores[own] = whole * _softmax(logits[own])
    return scores


def sum_up(scores: Float64s, parents: Parents) -> Float64s:
    """Return scores in which every label scores the sum of those right below it, (labels,).

    Args:
        scores: (labels,); only those of leaves are read.
        parents: of each label; empty for a list.

    >>> sum_up(np.array([0.0, 0.25, 0.5, 0.25]), [-1, 0, 0, -1]).tolist()
    [0.75, 0.25, 0.5, 0.25]
    """
    out = scores.copy()
    out[[parent for parent in set(parents) if parent != _ROOT]] = 0.0
    for index in range(len(parents) - 1, -1, -1):
        if parents[index] != _ROOT:
            out[parents[index]] += out[index]
    capped: Float64s = np.minimum(out, 1.0)  # rounding must not lift a sum above 1
    return capped


def leaves(parents: Parents, count: int) -> Bools:
    """Return which labels have none below them, (labels,).

    >>> leaves([-1, 0, -1], 3).tolist()
    [False, True, True]
    """
    out = np.ones(count, dtype=np.bool_)
    out[[parent for parent in set(parents) if parent != _ROOT]] = False
    return out


def cap(scores: Float64s, parents: Parents) -> Float64s:
    """Return scores of which none is above that of its parent, (labels,).

    >>> cap(np.array([0.5, 0.75, 0.25]), [-1, 0, 1]).tolist()
    [0.5, 0.5, 0.25]
    """
    out = scores.copy()
    for index, parent in enumerate(parents):
        if parent != _ROOT:
            out[index] = min(out[index], out[parent])
    return out


def hold_together(held: Bools, parents: Parents) -> Bools:
    """Return which labels hold together with all above them, (labels,).

    >>> hold_together(np.array([False, True, True]), [-1, 0, -1]).tolist()
    [False, False, True]
    """
    out = held.copy()
    for index, parent in enumerate(parents):
        if parent != _ROOT:
            out[index] &= out[parent]
    return out


def best_path(scores: Float64s, parents: Parents) -> list[int]:
    """Return the way from the best root to a leaf, at each step to the best of those below.

    >>> best_path(np.array([0.625, 0.25, 0.375, 0.375]), [-1, 0, 0, -1])
    [0, 2]
    """
    below = children_of(parents, len(scores))
    path: list[int] = []
    at = _ROOT
    while at in below:
        own = below[at]
        at = own[int(scores[own].argmax())]
        path.append(at)
    return path


def _softmax(logits: Float64s) -> Float64s:
    raised: Float64s = np.exp(logits - logits.max())
    out: Float64s = raised / raised.sum()
    return out
