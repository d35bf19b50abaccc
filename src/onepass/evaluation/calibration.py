"""Honest scores: fit what turns a checkpoint's logits into probabilities, and its thresholds.

A line through the logits for each kind of task (Platt, 1999), one temperature for single-label
tasks (Guo et al., 2017), on data that the checkpoint was not trained on. What comes out is what
``onepass.json`` of a checkpoint holds. It knows nothing about files or families.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from onepass.arrays import Float64s
from onepass.corpus.example import Example
from onepass.evaluation.abstention import abstain_curve, fits_of
from onepass.evaluation.findings import FINDINGS, Answer, single_answers
from onepass.evaluation.judged import Judged
from onepass.evaluation.platt import calibrated, fit_platt, fit_temperature, floored, tempered
from onepass.evaluation.predict import Extracts, predict_all
from onepass.evaluation.records import judged_choices
from onepass.evaluation.reliability import Reliability
from onepass.evaluation.thresholds import Sweep, sweep_answers
from onepass.models.thresholds import ABSTAIN, CHOICES, SINGLE
from onepass.results.types import Extraction

LOWEST = 0.02  # scores below it are never looked at
_GRID = (0.02, 0.03, 0.05, 0.07, *(round(0.1 + 0.05 * step, 2) for step in range(17)))
FEWEST = 50  # findings below which a kind is left as it is
CHANCE = 0.005  # of F1 around its best: the middle of thresholds that are as good is taken

Pairs = dict[str, list[tuple[float, bool]]]
Answered = Sequence[tuple[Extraction, Example]]


def calibrate(model: Extracts, examples: Iterable[Example]) -> dict[str, Any]:
    """Fit calibration and thresholds of a checkpoint that has none yet.

    Args:
        model: a model without a calibration of its own, such as `onepass.Extractor.uncalibrated`
            returns.
        examples: annotated texts that it was not trained on, and that nothing is reported on
            afterwards.

    Returns:
        ``{"thresholds": {kind: ...}, "calibration": {kind: {"scale", "shift"}}, "sweep": {kind:
        ...}}``, the last one the best F1; kinds with too few findings, or with right or wrong ones
        only, are left out. The threshold "abstain" is that of single-label tasks, fitted if enough
        of them have no true label; "choices" is fitted if enough choices are found where the gold
        has none, and its threshold answers most of them rightly, or rightly not at all.

    >>> from onepass import Extractor
    >>> from onepass.corpus import Mention
    >>> examples = [Example("Marie Curie was born in Warsaw.", (Mention(24, 30, "city"),))]
    >>> calibrate(Extractor().uncalibrated(), examples)["calibration"]  # one text is too few
    {}
    """
    return fit(answer(model, examples))


def answer(model: Extracts, examples: Iterable[Example]) -> list[tuple[Extraction, Example]]:
    """Return all that a model finds in each example, down to the lowest scores, beside the gold.

    Args:
        model: without a calibration of its own.
        examples: annotated texts.
    """
    return [
        pair
        for batch in predict_all(model, examples, lowest=LOWEST, overlap="flat", abstain=0.0)
        for pair in batch.pairs()
    ]


def fit(answered: Answered) -> dict[str, Any]:
    """Fit calibration and thresholds.

    Args:
        answered: the pairs that `answer` returned.

    Returns:
        The same as `calibrate`.
    """
    return _fitted(_gather(answered))


@dataclass(frozen=True, slots=True)
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
    pairs: Pairs
    singles: Sequence[tuple[Float64s, int]]


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
        thresholds[kind] = floored(calibrated(on.best[kind], **line))
    if _tells_none(on.fits):
        raw = Sweep({ABSTAIN: abstain_curve(on.fits, _GRID)}).best()[ABSTAIN]
        line = calibration.get("classifications", {"scale": 1.0, "shift": 0.0})
        thresholds[ABSTAIN] = floored(calibrated(raw, **line))
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
                    before.add([(float(probs[top]), top == true)])
                    after.add([(float(tempered(probs, scale)[top]), top == true)])
                continue
            found = half.pairs.get(kind, [])
            before.add(found)
            after.add((calibrated(score, scale, shift), right) for score, right in found)
    return {kind: (before.error, after.error) for kind, (before, after) in counts.items()}


def _gather(answered: Answered) -> _Gathered:
    """Judge what was found."""
    judged = [judged_choices(prediction, gold) for prediction, gold in answered]
    curves = sweep_answers(answered, thresholds=_GRID, judged=judged)
    fits = [one for prediction, gold in answered for one in fits_of(prediction, gold)]
    best = _best(curves, list(chain(*judged)))
    pairs: Pairs = {}
    singles: list[tuple[Float64s, int]] = []
    for (prediction, gold), choices in zip(answered, judged, strict=True):
        one = Answer(prediction, gold, choices)
        singles += single_answers(one)
        for kind, found in FINDINGS.items():
            # Half of the best threshold: findings that matter, and as they would be selected there.
            least = max(LOWEST, best.get(kind, 0.0) / 2)
            pairs.setdefault(kind, []).extend(found(one, least))
    return _Gathered(curves, best, fits, pairs, singles)


def _best_f1(curves: Sweep) -> dict[str, float]:
    return {kind: round(max(curve.values()), 4) for kind, curve in curves.curves.items()}
