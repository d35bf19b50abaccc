"""Honest scores: fit what turns a checkpoint's logits into probabilities, and its thresholds.

A line through the logits for each kind of task (Platt, 1999), one temperature for single-label
tasks (Guo et al., 2017), on data that the checkpoint was not trained on. What comes out is what
``onepass.json`` of a checkpoint holds. It knows nothing about files or families.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any

import numpy as np

from onepass.arrays import Float64s
from onepass.corpus.example import Example
from onepass.evaluation.abstention import abstain_curve, fits_of
from onepass.evaluation.counts import Counts
from onepass.evaluation.curves import Section, gather_sections
from onepass.evaluation.findings import FINDINGS, Answer, single_answers
from onepass.evaluation.goals import Goal, middle
from onepass.evaluation.judged import Judged
from onepass.evaluation.platt import calibrated, fit_platt, fit_temperature, floored, tempered
from onepass.evaluation.predict import Extracts, predict_all
from onepass.evaluation.records import judged_choices
from onepass.evaluation.reliability import Reliability
from onepass.models.thresholds import ABSTAIN, CHOICES, SINGLE
from onepass.results.types import Extraction

LOWEST = 0.02  # scores below it are never looked at
_SURE = (0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995)  # for a precision that was asked for
_GRID = (0.02, 0.03, 0.05, 0.07, *(round(0.1 + 0.05 * step, 2) for step in range(17)))
FEWEST = 50  # findings below which a kind is left as it is
CHANCE = 0.005  # of F1 around its best: the middle of thresholds that are as good is taken

F1 = Goal()
Pairs = dict[str, list[tuple[float, bool]]]
Curve = Mapping[float, Counts]  # by raw threshold
Answered = Sequence[tuple[Extraction, Example]]


def calibrate(
    model: Extracts, examples: Iterable[Example], *, goal: str = "f1", per_label: bool = False
) -> dict[str, Any]:
    """Fit calibration and thresholds of a checkpoint that has none yet.

    Args:
        model: a model without a calibration of its own, such as `onepass.Extractor.uncalibrated`
            returns.
        examples: annotated texts that it was not trained on, and that nothing is reported on
            afterwards.
        goal: "f1" for the thresholds with the best F1; "precision=0.9" for the lowest ones at which
            90 % of what is found are right, "recall=0.9" for the highest at which 90 % of what is
            there are found, or those that come closest. It is that of entities, of tasks with
            several labels, of values of records and of relations.
        per_label: whether labels and relation types with enough annotations get thresholds of
            their own.

    Returns:
        ``{"thresholds": {kind: ...}, "calibration": {kind: {"scale", "shift"}}, "sweep": {kind:
        ...}}``, the last one the best F1, and ``"labels": {name: threshold}`` if they are asked
        for; kinds and labels with too few findings, or with right or wrong ones only, are left
        out, and labels of several kinds. The threshold "abstain" is that of single-label tasks,
        fitted if enough of them have no true label; "choices" is fitted if enough choices are found
        where the gold has none, and its threshold answers most of them rightly, or rightly not at
        all.

    >>> from onepass import Extractor
    >>> from onepass.corpus import Mention
    >>> examples = [Example("Marie Curie was born in Warsaw.", (Mention(24, 30, "city"),))]
    >>> calibrate(Extractor().uncalibrated(), examples)["calibration"]  # one text is too few
    {}

    Raises:
        InputError: for an unknown goal.
    """
    return fit(answer(model, examples), Goal.parse(goal), per_label=per_label)


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


def fit(answered: Answered, goal: Goal = F1, *, per_label: bool = False) -> dict[str, Any]:
    """Fit calibration and thresholds.

    Args:
        answered: the pairs that `answer` returned.
        goal: see `calibrate`.
        per_label: see `calibrate`.

    Returns:
        The same as `calibrate`.
    """
    return _fitted(_gather(answered, goal, per_label=per_label), per_label=per_label)


@dataclass(frozen=True, slots=True)
class _Gathered:
    """What is fitted on.

    Attributes:
        sections: what was found, by kind.
        curves: what holds at each raw threshold, by kind.
        best: raw threshold of each kind.
        fits: answers to single-label tasks, each by itself.
        pairs: findings, by kind, with whether they were right.
        singles: of single-label tasks, probabilities and the index of the true label.
        labels: raw thresholds of labels, by kind.
    """

    sections: Mapping[str, Section]
    curves: Mapping[str, Curve]
    best: Mapping[str, float]
    fits: Sequence[Judged]
    pairs: Pairs
    singles: Sequence[tuple[Float64s, int]]
    labels: Mapping[str, Mapping[str, float]] = field(default_factory=dict)


def _fitted(on: _Gathered, *, per_label: bool = False) -> dict[str, Any]:
    """Return what `fit` returns."""
    thresholds: dict[str, float] = {}
    calibration: dict[str, dict[str, float]] = {}
    labels: dict[str, float] = {}
    for kind, found in on.pairs.items():
        if kind not in on.best or not _tells(right for _, right in found):
            continue
        scores = np.array([score for score, _ in found])
        scale, shift = fit_platt(scores, np.array([right for _, right in found]))
        line = {"scale": round(scale, 4), "shift": round(shift, 4)}
        calibration[kind] = line
        thresholds[kind] = floored(calibrated(on.best[kind], **line))
        for name, raw in on.labels.get(kind, {}).items():
            labels[name] = floored(calibrated(raw, **line))
    if _tells_none(on.fits):
        raw = middle(abstain_curve(on.fits, _GRID))
        line = calibration.get("classifications", {"scale": 1.0, "shift": 0.0})
        thresholds[ABSTAIN] = floored(calibrated(raw, **line))
    if _tells(int(probs.argmax()) == true for probs, true in on.singles):
        calibration[SINGLE] = {"scale": round(fit_temperature(on.singles), 4), "shift": 0.0}
    best_f1 = {
        kind: round(max(one.f1 for one in curve.values()), 4) for kind, curve in on.curves.items()
    }
    result: dict[str, Any] = {"thresholds": thresholds, "calibration": calibration}
    return result | {"sweep": best_f1} | ({"labels": labels} if per_label else {})


def _best(curves: Mapping[str, Curve], choices: Sequence[Judged], goal: Goal) -> dict[str, float]:
    """Return the best raw threshold of each kind.

    A choice of records is a question that may have no answer, and F1 would rather have a wrong
    answer than none: what counts is the share of choices that are right, or rightly left out, and
    F1 decides between thresholds that differ by chance in it. Without enough that have none there
    is no threshold of choices.
    """
    best = {
        kind: goal.threshold(curve, within=CHANCE)
        for kind, curve in curves.items()
        if kind != CHOICES
    }
    if _tells_none(choices):
        shares, counts = abstain_curve(choices, _GRID), curves[CHOICES]
        highest = max(shares.values())
        as_good = [at for at, share in shares.items() if share >= highest - CHANCE]
        best[CHOICES] = max(as_good, key=lambda at: counts[at].f1)
    return best


def _best_labels(
    sections: Mapping[str, Section], grid: Sequence[float], goal: Goal
) -> dict[str, dict[str, float]]:
    """Return the best raw thresholds of the labels that are annotated often enough, by kind."""
    curves: dict[str, dict[str, dict[float, Counts]]] = {}
    for kind, section in sections.items():
        for at in grid:
            for name, counts in section.by_label(at).items():
                curves.setdefault(kind, {}).setdefault(name, {})[at] = counts
    several = Counter(name for own in curves.values() for name in own)
    return {
        kind: {
            name: goal.threshold(curve, within=CHANCE)
            for name, curve in own.items()
            if several[name] == 1 and _tells_label(curve[grid[0]])
        }
        for kind, own in curves.items()
    }


def _tells_label(lowest: Counts) -> bool:
    """Say whether a label is annotated often enough, and found rightly and wrongly."""
    return lowest.gold >= FEWEST and 0 < lowest.right < lowest.predicted


def _tells_none(fits: Sequence[Judged]) -> bool:
    """Say whether answers are enough to know when to give none: many with one, many without."""
    answerable = sum(one.answerable for one in fits)
    return FEWEST <= answerable <= len(fits) - FEWEST


def _tells(right: Iterable[bool]) -> bool:
    """Say whether findings are enough to fit something: many of them, some right and some wrong."""
    each = list(right)
    return len(each) >= FEWEST and 0 < sum(each) < len(each)


@dataclass(slots=True)
class HeldOut:
    """How a kind does on examples that it was not fitted on.

    Attributes:
        before: distances between scores and the truth as they are.
        after: of calibrated ones.
        counts: what holds at the fitted thresholds; empty where no threshold is fitted.
    """

    before: Reliability = field(default_factory=Reliability)
    after: Reliability = field(default_factory=Reliability)
    counts: Counts = field(default_factory=Counts)


def held_out(answered: Answered, goal: Goal = F1, *, per_label: bool = False) -> dict[str, HeldOut]:
    """Judge each half of the examples by what is fitted on the other half.

    Args:
        answered: what `answer` returned.
        goal: see `calibrate`.
        per_label: see `calibrate`.

    Returns:
        What came of it, by kind; of kinds that both halves fit.
    """
    halves = [_gather(half, goal, per_label=per_label) for half in (answered[::2], answered[1::2])]
    fitted = [_fitted(half) for half in halves]
    kinds = set(fitted[0]["calibration"]) & set(fitted[1]["calibration"])
    found = {kind: HeldOut() for kind in fitted[0]["calibration"] if kind in kinds}
    for half, taught, lines in zip(halves, reversed(halves), reversed(fitted), strict=True):
        for kind, one in found.items():
            scale, shift = (lines["calibration"][kind][part] for part in ("scale", "shift"))
            if kind == SINGLE:
                for probs, true in half.singles:
                    top = int(probs.argmax())
                    one.before.add([(float(probs[top]), top == true)])
                    one.after.add([(float(tempered(probs, scale)[top]), top == true)])
                continue
            pairs = half.pairs.get(kind, [])
            one.before.add(pairs)
            one.after.add((calibrated(score, scale, shift), right) for score, right in pairs)
            own = taught.labels.get(kind, {})
            one.counts.merge(half.sections[kind].count(taught.best[kind], own))
    return found


def _gather(answered: Answered, goal: Goal, *, per_label: bool) -> _Gathered:
    """Judge what was found."""
    judged = [judged_choices(prediction, gold) for prediction, gold in answered]
    grid = (*_GRID, *_SURE) if goal.measure == "precision" else _GRID
    sections = gather_sections(answered, grid, "flat", judged)
    curves = {name: {at: one.count(at) for at in grid} for name, one in sections.items()}
    fits = [one for prediction, gold in answered for one in fits_of(prediction, gold)]
    choices = list(chain(*judged))
    best = _best(curves, choices, goal)
    matters = best if goal == F1 else _best(curves, choices, F1)
    pairs: Pairs = {}
    singles: list[tuple[Float64s, int]] = []
    for (prediction, gold), own in zip(answered, judged, strict=True):
        one = Answer(prediction, gold, own)
        singles += single_answers(one)
        for kind, found in FINDINGS.items():
            # Half of the best threshold: findings that matter, and as they would be selected there.
            least = max(LOWEST, matters.get(kind, 0.0) / 2)
            pairs.setdefault(kind, []).extend(found(one, least))
    labels = _best_labels(sections, grid, goal) if per_label else {}
    return _Gathered(sections, curves, best, fits, pairs, singles, labels)
