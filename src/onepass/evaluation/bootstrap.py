"""How sure scores are: intervals by resampling texts, and a paired test of two models.

A score is ``2 * right / (predicted + gold)`` of counts that are summed over texts: F1, or accuracy
where every question has one answer and one gold. This module knows nothing about what was counted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float64s, Int64s
from onepass.errors import InputError

ROUNDS = 1000
_INSIDE = (0.025, 0.975)  # quantiles between which 95 % lie
_SEED = 0
_CELLS = 4_000_000  # of the weights that are held at once

Rows = Int64s  # (texts, 3): right, predicted, gold


def rows_of(counts: Sequence[tuple[int, int, int]]) -> Rows:
    """Return counts as an array, (texts, 3).

    Args:
        counts: right, predicted and gold of each text.

    >>> rows_of([(1, 1, 2), (0, 1, 1)]).shape
    (2, 3)
    """
    return np.asarray(counts, dtype=np.int64).reshape(-1, 3)


def score_of(sums: Float64s | Rows) -> Float64s:
    """Return the score of sums of counts, (..., 3) to (...); 0 where nothing was counted."""
    below = sums[..., 1] + sums[..., 2]
    return np.where(below > 0, 2 * sums[..., 0] / np.maximum(below, 1), 0.0)


def interval(rows: Rows, *, rounds: int = ROUNDS) -> tuple[float, float]:
    """Return the 95 % percentile bootstrap interval of a score (Efron, 1979).

    Args:
        rows: (texts, 3) counts.
        rounds: how often texts are drawn anew, with the same seed every time.

    >>> low, high = interval(rows_of([(1, 1, 1)] * 80 + [(0, 1, 1)] * 20))
    >>> low < 0.8 < high
    True
    """
    if not len(rows):
        return 0.0, 0.0
    scores = _resampled(rows, rounds)
    low, high = np.quantile(scores, _INSIDE)
    return float(low), float(high)


@dataclass(frozen=True, slots=True)
class Difference:
    """What tells two models apart on the same texts.

    Attributes:
        difference: score of the second less that of the first.
        low: lower end of the 95 % bootstrap interval of the difference.
        high: upper end of it.
        p_value: two-sided probability of so large a difference if both are equally good.

    >>> found = Difference(0.04, 0.01, 0.07, p_value=0.02)
    >>> "better" if found.low > 0 else "not sure"
    'better'
    """

    difference: float
    low: float
    high: float
    p_value: float


def paired(first: Rows, second: Rows, *, rounds: int = ROUNDS) -> Difference:
    """Compare two models on the same texts, which count together.

    The test swaps the answers of the two models in a random half of the texts (approximate
    randomization; Noreen, 1989; Yeh, 2000).

    Args:
        first: counts of one model, (texts, 3).
        second: counts of the other, on the same texts in the same order.
        rounds: the number of times that texts are drawn anew, and that answers are swapped.

    Raises:
        InputError: if the numbers of texts differ.

    >>> better = paired(rows_of([(0, 1, 1)] * 40), rows_of([(1, 1, 1)] * 40))
    >>> better.difference, better.p_value < 0.01
    (1.0, True)
    """
    if len(first) != len(second):
        raise InputError(
            f"Two models can be compared on the same texts only, but one has {len(first)} and the "
            f"other {len(second)}."
        )
    if not len(first):
        return Difference(0.0, 0.0, 0.0, 1.0)
    observed = float(score_of(second.sum(axis=0)) - score_of(first.sum(axis=0)))
    drawn = _resampled(second, rounds) - _resampled(first, rounds)  # the same draws for both
    low, high = np.quantile(drawn, _INSIDE)
    generator = np.random.default_rng(_SEED)
    total, gap = first.sum(axis=0) + second.sum(axis=0), second - first
    extreme = 0
    for size in _chunks(rounds, len(first)):
        keep = generator.integers(0, 2, (size, len(first)))  # (rounds, texts)
        swapped = first.sum(axis=0) + keep @ gap  # (rounds, 3)
        differences = score_of(swapped) - score_of(total - swapped)
        extreme += int((np.abs(differences) >= abs(observed) - 1e-12).sum())
    return Difference(observed, float(low), float(high), (extreme + 1) / (rounds + 1))


def _resampled(rows: Rows, rounds: int) -> Float64s:
    """Return scores of texts drawn with replacement, (rounds,)."""
    generator = np.random.default_rng(_SEED)
    texts = len(rows)
    scores = []
    for size in _chunks(rounds, texts):
        weights = generator.multinomial(texts, np.full(texts, 1 / texts), size)  # (rounds, texts)
        scores.append(score_of(weights @ rows))
    return np.concatenate(scores)


def _chunks(rounds: int, texts: int) -> list[int]:
    size = max(_CELLS // max(texts, 1), 1)
    return [min(size, rounds - start) for start in range(0, rounds, size)]
