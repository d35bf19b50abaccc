"""Honest scores: fit what turns a checkpoint's logits into probabilities, and its thresholds.

A line through the logits for each kind of task (Platt, 1999), one temperature for single-label
tasks (Guo et al., 2017), on data that the checkpoint was not trained on. What comes out is what
``onepass.json`` of a checkpoint holds. It knows nothing about files or families.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np
from numpy.typing import NDArray

from onepass.corpus.example import Example
from onepass.evaluation.abstention import abstain_curve, fits_of
from onepass.evaluation.judged import Judged
from onepass.evaluation.predict import Extracts, predict_all
from onepass.evaluation.records import choice_fields, judged_choices, normalize
from onepass.evaluation.reliability import Reliability
from onepass.evaluation.thresholds import Sweep, at_threshold, sweep_answers
from onepass.models.thresholds import ABSTAIN, CHOICES, SINGLE
from onepass.results.types import Extraction, Value

Floats = NDArray[np.float64]

LOWEST = 0.02  # scores below it are never looked at
_GRID = (0.02, 0.03, 0.05, 0.07, *(round(0.1 + 0.05 * step, 2) for step in range(17)))
_EDGE = 1e-6  # keeps logits of scores 0 and 1 finite
FEWEST = 50  # findings below which a kind is left as it is
CHANCE = 0.005  # of F1 around its best: the middle of thresholds that are as good is taken
_ROUNDS = 100
_DIGITS = 6  # of a threshold that is kept: scores near 1 differ in the later ones

Pairs = dict[str, list[tuple[float, bool]]]


def fit_platt(scores: Floats, right: NDArray[np.bool_]) -> tuple[float, float]:
    """Return scale and shift with which ``sigmoid(scale * logit + shift)`` is calibrated.

    Args:
        scores: probabilities, (findings,).
        right: whether each was right, (findings,).

    Returns:
        The likeliest line under Platt's smoothed targets, without which it has no end where a score
        parts right from wrong; by Newton's method with a little damping. Where wrong findings score
        higher, no line that falls, which would turn thresholds round: the scale is 1 then.

    >>> scores = np.array([0.2] * 1000 + [0.6] * 1000)
    >>> right = np.array([True] * 300 + [False] * 700 + [True] * 800 + [False] * 200)
    >>> scale, shift = fit_platt(scores, right)
    >>> round(float(1 / (1 + np.exp(-(scale * np.log(0.2 / 0.8) + shift)))), 2)
    0.3
    """
    x = _logit(scores)
    rights = int(right.sum())
    y = np.where(right, (rights + 1) / (rights + 2), 1 / (len(right) - rights + 2))
    design = np.stack([x, np.ones_like(x)], axis=1)  # (findings, 2)
    scale, shift = _newton(design, y, np.array([1.0, 0.0]), fixed=0)
    if scale < 0:
        scale, shift = _newton(design, y, np.array([1.0, 0.0]), fixed=1)
    return scale, shift


def _newton(design: Floats, y: Floats, weights: Floats, fixed: int) -> tuple[float, float]:
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


def fit_temperature(answers: list[tuple[Floats, int]]) -> float:
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


Answered = Sequence[tuple[Extraction, Example]]


def calibrate(model: Extracts, examples: Iterable[Example]) -> dict[str, Any]:
    """Fit calibration and thresholds of a checkpoint that has none yet.

    Args:
        model: without a calibration of its own.
        examples: gold that it was not trained on, and that nothing is reported on afterwards.

    Returns:
        What `fit` returns.
    """
    return fit(answer(model, examples))


def answer(model: Extracts, examples: Iterable[Example]) -> list[tuple[Extraction, Example]]:
    """Return all that a model finds in each example, down to the lowest scores, beside the gold.

    Args:
        model: without a calibration of its own.
        examples: annotated texts.
    """
    return [
        (prediction, gold)
        for batch in predict_all(model, examples, lowest=LOWEST, overlap="flat", abstain=0.0)
        for prediction, gold in zip(batch.predictions, batch.examples, strict=False)
    ]


def fit(answered: Answered) -> dict[str, Any]:
    """Fit calibration and thresholds.

    Args:
        answered: what `answer` returned.

    Returns:
        ``{"thresholds": {kind: ...}, "calibration": {kind: {"scale", "shift"}}, "sweep": {kind:
        ...}}``, the last one the best F1; kinds with too few findings, or with right or wrong ones
        only, are left out. The threshold "abstain" is that of single-label tasks, fitted if enough
        of them have no true label; "choices" is fitted if enough choices are found where the gold
        has none, and its threshold answers most of them rightly, or rightly not at all.
    """
    return _fitted(_gather(answered))


@dataclass(slots=True)
class _Gathered:
    """What is fitted on.

    Attributes:
        curves: F1 by kind and raw threshold.
        best: raw threshold of each kind.
        fits: answers to single-label tasks, each by itself.
        pairs: findings, by kind, with whether they were right.
        singles: of single-label tasks, probabilities and the index of the true label.
    """

    curves: Sweep
    best: Mapping[str, float]
    fits: Sequence[Judged]
    pairs: Pairs = field(default_factory=dict)
    singles: list[tuple[Floats, int]] = field(default_factory=list)


def _fitted(on: _Gathered) -> dict[str, Any]:
    """Return what `fit` returns."""
    thresholds: dict[str, float] = {}
    calibration: dict[str, dict[str, float]] = {}
    for kind, found in on.pairs.items():
        if kind not in on.best or not _tells(right for _, right in found):
            continue
        scores = np.array([score for score, _ in found])
        scale, shift = fit_platt(scores, np.array([right for _, right in found]))
        line = {"scale": round(scale, 4), "shift": round(shift, 4)}
        calibration[kind] = line
        thresholds[kind] = floored(_moved(on.best[kind], **line))
    if _tells_none(on.fits):
        raw = Sweep({ABSTAIN: abstain_curve(on.fits, _GRID)}).best()[ABSTAIN]
        line = calibration.get("classifications", {"scale": 1.0, "shift": 0.0})
        thresholds[ABSTAIN] = floored(_moved(raw, **line))
    if _tells(int(probs.argmax()) == true for probs, true in on.singles):
        calibration[SINGLE] = {"scale": round(fit_temperature(on.singles), 4), "shift": 0.0}
    return {"thresholds": thresholds, "calibration": calibration, "sweep": _best_f1(on.curves)}


def _best(curves: Sweep, choices: Sequence[Judged]) -> dict[str, float]:
    """Return the best raw threshold of each kind.

    A choice of records is a question that may have no answer, and F1 would rather have a wrong
    answer than none: what counts is the share of choices that are right, or rightly left out, and
    F1 decides between thresholds that differ by chance in it. Without enough that have none there
    is no threshold of choices.
    """
    best = curves.best(within=CHANCE)
    best.pop(CHOICES, None)
    if _tells_none(choices):
        shares, f1 = abstain_curve(choices, _GRID), curves.curves[CHOICES]
        highest = max(shares.values())
        as_good = [at for at, share in shares.items() if share >= highest - CHANCE]
        best[CHOICES] = max(as_good, key=lambda at: f1[at])
    return best


def _tells_none(fits: Sequence[Judged]) -> bool:
    """Say whether answers are enough to know when to give none: many with one, many without."""
    answerable = sum(one.answerable for one in fits)
    return FEWEST <= answerable <= len(fits) - FEWEST


def _tells(right: Iterable[bool]) -> bool:
    """Say whether findings are enough to fit something: many of them, some right and some wrong."""
    each = list(right)
    return len(each) >= FEWEST and 0 < sum(each) < len(each)


def floored(threshold: float) -> float:
    """Return a threshold as it is kept, in six digits and never above what it was.

    What reaches it stays.

    >>> floored(0.123456789)
    0.123456
    """
    scale = 10.0 ** (_DIGITS - min(math.floor(math.log10(threshold)) + 1, 0))
    return min(math.floor(threshold * scale) / scale, 1 - 10.0**-_DIGITS)


def calibration_errors(answered: Answered) -> dict[str, tuple[float, float]]:
    """Return how far scores are from the truth, as they are and calibrated, on other examples.

    Each half of the examples is judged by what was fitted on the other half.

    Args:
        answered: what `answer` returned.

    Returns:
        By kind the expected calibration error before and after; of kinds that both halves fit.
    """
    halves = [_gather(answered[::2]), _gather(answered[1::2])]
    counts: dict[str, tuple[Reliability, Reliability]] = {}
    fitted = [_fitted(half) for half in halves]
    kinds = set(fitted[0]["calibration"]) & set(fitted[1]["calibration"])
    for half, other in zip(halves, reversed(fitted), strict=True):
        for kind in kinds:
            before, after = counts.setdefault(kind, (Reliability(), Reliability()))
            scale, shift = (other["calibration"][kind][part] for part in ("scale", "shift"))
            if kind == SINGLE:
                for probs, true in half.singles:
                    top = int(probs.argmax())
                    logits = scale * np.log(np.maximum(probs, _EDGE))
                    odds = np.exp(logits - logits.max())
                    before.add([(float(probs[top]), top == true)])
                    after.add([(float(odds[top] / odds.sum()), top == true)])
                continue
            found = half.pairs.get(kind, [])
            before.add(found)
            after.add((_moved(score, scale, shift), right) for score, right in found)
    return {kind: (before.error, after.error) for kind, (before, after) in counts.items()}


def _gather(answered: Answered) -> _Gathered:
    """Judge what was found."""
    judged = [judged_choices(prediction, gold) for prediction, gold in answered]
    curves = sweep_answers(answered, thresholds=_GRID, judged=judged)
    fits = [one for prediction, gold in answered for one in fits_of(prediction, gold)]
    gathered = _Gathered(curves, _best(curves, list(chain(*judged))), fits)
    for (prediction, gold), choices in zip(answered, judged, strict=True):
        _collect(prediction, gold, choices, gathered)
    return gathered


def _collect(
    prediction: Extraction, gold: Example, choices: Sequence[Judged], out: _Gathered
) -> None:
    """Note the score of each finding with whether it was right."""
    pairs = out.pairs
    # Half of the best threshold: findings that matter, and as they would be selected there.
    floor = {kind: max(LOWEST, at / 2) for kind, at in out.best.items()}
    if gold.asked and "entities" in floor:
        cut = at_threshold(prediction, floor["entities"], policy="flat", labels=gold.asked)
        wanted = {(m.start, m.end, m.label) for m in gold.entities}
        pairs.setdefault("entities", []).extend(
            (e.score, (e.start, e.end, e.label) in wanted) for e in cut.entities
        )
    for task in gold.classifications:
        answer = prediction.classifications[task.name]
        if task.multi_label:
            pairs.setdefault("classifications", []).extend(
                (score, label in task.true) for label, score in answer.scores.items()
            )
        elif len(task.true) == 1:
            labels = list(answer.scores)
            probs = np.array([answer.scores[label] for label in labels])
            out.singles.append((probs, labels.index(task.true[0])))
    pairs.setdefault(CHOICES, []).extend(
        (one.score, one.right) for one in choices if one.score >= floor.get(CHOICES, LOWEST)
    )
    for structure in gold.structures:
        chosen = choice_fields(structure)
        facts = {
            (name, normalize(_words(gold.text, value)))
            for record in structure.records
            for name, values in record.items()
            for value in values
        }
        for row in prediction.records.get(structure.name, ()):
            for name, held in row.items():
                for value in () if name in chosen else held if isinstance(held, tuple) else (held,):
                    if isinstance(value, Value) and value.score >= floor.get("records", LOWEST):
                        right = (name, normalize(value.text)) in facts
                        pairs.setdefault("records", []).append((value.score, right))
    pairs_of = {
        (r.type, gold.text[slice(*r.head)], gold.text[slice(*r.tail)]) for r in gold.relations
    }
    pairs.setdefault("relations", []).extend(
        (r.score, (r.type, r.head.text, r.tail.text) in pairs_of)
        for r in prediction.relations
        if r.score >= floor.get("relations", LOWEST)
    )


def _words(text: str, value: Any) -> str:
    if value.choice is not None:
        return str(value.choice)
    return str(value.text) if value.start is None else text[value.start : value.end]


def _moved(score: float, scale: float, shift: float) -> float:
    """Return what a raw score is among calibrated ones."""
    logit = _logit(np.array([score]))[0]
    return float(1 / (1 + np.exp(-(scale * logit + shift))))


def _logit(scores: Floats) -> Floats:
    clipped = np.clip(scores, _EDGE, 1 - _EDGE)
    logits: Floats = np.log(clipped / (1 - clipped))
    return logits


def _best_f1(curves: Sweep) -> dict[str, float]:
    return {kind: round(max(curve.values()), 4) for kind, curve in curves.curves.items()}
