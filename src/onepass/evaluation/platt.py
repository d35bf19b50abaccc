"""Lines and temperatures that turn logits into probabilities (Platt, 1999; Guo et al., 2017).

It knows scores and which of them were right, and nothing about texts, kinds of tasks or models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from onepass.arrays import Bools, Float64s

_EDGE = 1e-6  # keeps logits of scores 0 and 1 finite
_ROUNDS = 100
_FLATTEST = 1e-3  # scale below which nearly all scores, and what is no finding, would be one number
_DIGITS = 6  # of a threshold that is kept: scores near 1 differ in the later ones


def fit_platt(scores: Float64s, right: Bools) -> tuple[float, float]:
    """Return scale and shift with which ``sigmoid(scale * logit + shift)`` is calibrated.

    Args:
        scores: probabilities, (findings,).
        right: whether each was right, (findings,).

    Returns:
        The likeliest line under Platt's smoothed targets, without which it has no end where a score
        parts right from wrong; by Newton's method with a little damping. Where wrong findings score
        as high or higher, no line that is flat or falls, which would do away with thresholds or
        turn them round: the scale is 1 then.

    >>> scores = np.array([0.2] * 1000 + [0.6] * 1000)
    >>> right = np.array([True] * 300 + [False] * 700 + [True] * 800 + [False] * 200)
    >>> scale, shift = fit_platt(scores, right)
    >>> round(float(1 / (1 + np.exp(-(scale * np.log(0.2 / 0.8) + shift)))), 2)
    0.3
    """
    clipped = np.clip(scores, _EDGE, 1 - _EDGE)
    x = np.log(clipped / (1 - clipped))
    rights = int(right.sum())
    y = np.where(right, (rights + 1) / (rights + 2), 1 / (len(right) - rights + 2))
    design = np.stack([x, np.ones_like(x)], axis=1)  # (findings, 2)
    scale, shift = _newton(design, y, np.array([1.0, 0.0]), fixed=0)
    if scale < _FLATTEST:
        scale, shift = _newton(design, y, np.array([1.0, 0.0]), fixed=1)
    return scale, shift


def _newton(design: Float64s, y: Float64s, weights: Float64s, fixed: int) -> tuple[float, float]:
    """Return the two weights under which targets are likeliest; the first ones may be fixed.

    Args:
        design: (findings, 2).
        y: targets, (findings,).
        weights: to begin with, (2,).
        fixed: how many of the first weights stay.
    """
    free = design[:, fixed:]
    for _ in range(_ROUNDS):
        p = 1.0 / (1.0 + np.exp(-(design @ weights)))
        gradient = free.T @ (p - y)
        curvature = (free * (p * (1 - p))[:, None]).T @ free + 1e-6 * np.eye(free.shape[1])
        step = np.linalg.solve(curvature, gradient)
        weights = np.concatenate([weights[:fixed], weights[fixed:] - np.clip(step, -1.0, 1.0)])
        if np.abs(step).max() < 1e-8:
            break
    return float(weights[0]), float(weights[1])


def fit_temperature(answers: Sequence[tuple[Float64s, int]]) -> float:
    """Return the factor on the logits of single-label answers that makes them likeliest.

    Args:
        answers: probabilities (labels,) and the index of the true label.

    >>> fit_temperature([(np.array([0.9, 0.1]), 0)] * 3 + [(np.array([0.9, 0.1]), 1)]) < 1
    True
    """
    sizes = np.array([len(probs) for probs, _ in answers])
    firsts = np.cumsum(sizes) - sizes  # of each answer, where its labels start
    logits = np.log(np.maximum(np.concatenate([probs for probs, _ in answers]), _EDGE))
    # The largest logit of each answer is 0 from here on, so that no exponential overflows.
    logits -= np.repeat(np.maximum.reduceat(logits, firsts), sizes)
    true = logits[firsts + [index for _, index in answers]]
    scales = np.exp(np.linspace(np.log(0.1), np.log(5.0), 80))
    losses = [
        (np.log(np.add.reduceat(np.exp(scale * logits), firsts)) - scale * true).sum()
        for scale in scales
    ]
    return float(scales[int(np.argmin(losses))])


def calibrated(score: float, scale: float, shift: float) -> float:
    """Return what a raw score is among calibrated ones.

    >>> calibrated(0.5, 2.0, 0.0), round(calibrated(0.9, 1.0, -1.0), 2)
    (0.5, 0.77)
    """
    clipped = min(max(score, _EDGE), 1 - _EDGE)
    logit = math.log(clipped / (1 - clipped))
    return float(1 / (1 + np.exp(-(scale * logit + shift))))


def tempered(probs: Float64s, scale: float) -> Float64s:
    """Return the probabilities of single-label answers, (labels,), with logits times a factor.

    >>> tempered(np.array([0.8, 0.2]), 0.0)
    array([0.5, 0.5])
    """
    logits = scale * np.log(np.maximum(probs, _EDGE))
    odds = np.exp(logits - logits.max())
    found: Float64s = odds / odds.sum()
    return found


def floored(threshold: float) -> float:
    """Return a threshold as it is kept, in six digits and never above what it was.

    What reaches it stays.

    >>> floored(0.123456789)
    0.123456
    """
    scale = 10.0 ** (_DIGITS - min(math.floor(math.log10(threshold)) + 1, 0))
    return min(math.floor(threshold * scale) / scale, 1 - 10.0**-_DIGITS)
