"""Honest scores: fit what turns a checkpoint's logits into probabilities, and its thresholds.

A line through the logits for each kind of task (Platt, 1999), one temperature for single-label
tasks (Guo et al., 2017), on data that the checkpoint was not trained on. What comes out is what
``onepass.json`` of a checkpoint holds. It knows nothing about files or families.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from onepass.arrays import Float64s
from onepass.corpus.example import Example
from onepass.evaluation.abstention import abstain_curve, fits_of
from onepass.evaluation.answered import LOWEST, Answered, answer
from onepass.evaluation.counts import Counts
from onepass.evaluation.curves import Section, gather_relations, gather_sections
from onepass.evaluation.findings import FINDINGS, Answer, single_answers
from onepass.evaluation.goals import Goal, middle
from onepass.evaluation.judged import Judged
from onepass.evaluation.platt import calibrated, fit_platt, fit_temperature, floored
from onepass.evaluation.predict import Extracts
from onepass.evaluation.records import judged_choices
from onepass.models.thresholds import ABSTAIN, CHOICES, SINGLE

_GRID = (
    0.02, 0.03, 0.05, 0.07, *(round(0.1 + 0.025 * step, 3) for step in range(33)),
    0.92, 0.94, 0.95, 0.96, 0.97, 0.98, 0.99, 0.995,
)  # fmt: skip
FEWEST = 50  # findings below which a kind is left as it is
CHANCE = 0.005  # of the share of right choices: F1 decides among those that differ by less

F1 = Goal()
Pairs = dict[str, list[tuple[float, bool]]]
Curve = Mapping[float, Counts]  # by raw threshold


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
        for, beside ``"fitted_labels": {name: kind}``; kinds and labels with too few findings, or
        with right or wrong ones only, are left out, and labels of several kinds. The threshold
        "abstain" is that of single-label tasks, fitted if enough of them have no true label;
        "choices" is fitted if enough choices are found where the gold has none, and its threshold
        answers most of them rightly, or rightly not at all.

    >>> from onepass import Extractor
    >>> from onepass.corpus import Mention
    >>> examples = [Example("Marie Curie was born in Warsaw.", (Mention(24, 30, "city"),))]
    >>> calibrate(Extractor().uncalibrated(), examples)["calibration"]  # one text is too few
    {}

    Raises:
        InputError: for an unknown goal.
    """
    aim = Goal.parse(goal)  # before the work
    return fit(answer(model, examples), aim, per_label=per_label)


def fit(answered: Answered, goal: Goal = F1, *, per_label: bool = False) -> dict[str, Any]:
    """Fit calibration and thresholds.

    Args:
        answered: what `answer` returned.
        goal: see `calibrate`.
        per_label: see `calibrate`.

    Returns:
        The same as `calibrate`.
    """
    on = gather(answered, goal, per_label=per_label)
    sweep = {
        kind: round(max(one.f1 for one in curve.values()), 4) for kind, curve in on.curves.items()
    }
    return {**fitted(on), "sweep": sweep}


@dataclass(frozen=True, slots=True)
class Gathered:
    """What is fitted on.

    Attributes:
        answered: what it was judged from.
        sections: what was found, by kind; relations that are chosen among those of entities, at the
            best thresholds of these.
        curves: what holds at each raw threshold, by kind.
        best: raw threshold of each kind.
        fits: answers to single-label tasks, each by itself.
        pairs: findings, by kind, with whether they were right.
        singles: of single-label tasks, probabilities and the index of the true label.
        labels: raw thresholds of labels with what holds there, by kind; None if they are not asked
            for.
    """

    answered: Answered
    sections: Mapping[str, Section]
    curves: Mapping[str, Curve]
    best: Mapping[str, float]
    fits: Sequence[Judged]
    pairs: Pairs
    singles: Sequence[tuple[Float64s, int]]
    labels: Mapping[str, Mapping[str, tuple[float, Counts]]] | None = None

    def label_thresholds(self, kind: str) -> dict[str, float]:
        """Return the raw thresholds of the labels of a kind."""
        return _raw(self.labels or {}, kind)

    def count(self, kind: str, taught: Gathered) -> Counts:
        """Return what holds of a kind at thresholds that were chosen on other examples."""
        section = self.sections[kind]
        if kind == "relations" and self.answered.of_entities:
            own = taught.label_thresholds("entities")
            section = gather_relations(self.answered.between(taught.best["entities"], own))
        return section.count(taught.best[kind], taught.label_thresholds(kind))


def _raw(labels: Mapping[str, Mapping[str, tuple[float, Counts]]], kind: str) -> dict[str, float]:
    """Return the raw thresholds among what was chosen for the labels of a kind."""
    return {name: raw for name, (raw, _) in labels.get(kind, {}).items()}


def fitted(on: Gathered) -> dict[str, Any]:
    """Return the settings that `fit` returns."""
    thresholds: dict[str, float] = {}
    calibration: dict[str, dict[str, float]] = {}
    labels: dict[str, float] = {}
    kinds: dict[str, str] = {}
    for kind, found in on.pairs.items():
        if kind not in on.best or not _tells(right for _, right in found):
            continue
        scores = np.array([score for score, _ in found])
        scale, shift = fit_platt(scores, np.array([right for _, right in found]))
        line = {"scale": round(scale, 4), "shift": round(shift, 4)}
        calibration[kind] = line
        thresholds[kind] = floored(calibrated(on.best[kind], **line))
        for name, raw in on.label_thresholds(kind).items():
            labels[name], kinds[name] = floored(calibrated(raw, **line)), kind
    if _tells_none(on.fits):
        raw = middle(abstain_curve(on.fits, _GRID))
        line = calibration.get("classifications", {"scale": 1.0, "shift": 0.0})
        thresholds[ABSTAIN] = floored(calibrated(raw, **line))
    if _tells(int(probs.argmax()) == true for probs, true in on.singles):
        calibration[SINGLE] = {"scale": round(fit_temperature(on.singles), 4), "shift": 0.0}
    result: dict[str, Any] = {"thresholds": thresholds, "calibration": calibration}
    return result if on.labels is None else {**result, "labels": labels, "fitted_labels": kinds}


def _best(curves: Mapping[str, Curve], choices: Sequence[Judged], goal: Goal) -> dict[str, float]:
    """Return the best raw threshold of each kind.

    A choice of records is a question that may have no answer, and F1 would rather have a wrong
    answer than none: what counts is the share of choices that are right, or rightly left out, and
    F1 decides between thresholds that differ by chance in it. Without enough that have none there
    is no threshold of choices.
    """
    best = {kind: goal.threshold(curve) for kind, curve in curves.items() if kind != CHOICES}
    if _tells_none(choices):
        shares, counts = abstain_curve(choices, _GRID), curves[CHOICES]
        highest = max(shares.values())
        as_good = [at for at, share in shares.items() if share >= highest - CHANCE]
        best[CHOICES] = max(as_good, key=lambda at: counts[at].f1)
    return best


def _curve(section: Section) -> dict[float, Counts]:
    """Return what holds at each threshold."""
    return {at: section.count(at) for at in _GRID}


def _label_curves(section: Section) -> dict[str, dict[float, Counts]]:
    """Return what holds at each threshold of each label."""
    curves: dict[str, dict[float, Counts]] = {}
    for at in _GRID:
        for name, counts in section.by_label(at).items():
            curves.setdefault(name, {})[at] = counts
    return curves


def _best_labels(
    curves: Mapping[str, Mapping[str, Curve]], goal: Goal, fewest: int
) -> dict[str, dict[str, tuple[float, Counts]]]:
    """Return the best raw threshold of the labels that are annotated often enough, by kind."""
    several = Counter(name for own in curves.values() for name in own)
    best: dict[str, dict[str, tuple[float, Counts]]] = {}
    for kind, own in curves.items():
        for name, curve in sorted(own.items()):
            # There, a general label without annotations may stand back for specific ones.
            lowest = curve.get(_GRID[0], Counts())
            if several[name] > 1 or lowest.gold < fewest:
                continue
            if 0 < lowest.right < lowest.predicted:  # some are right and some wrong
                at = goal.threshold(curve)
                best.setdefault(kind, {})[name] = at, curve[at]
    return best


def _tells_none(fits: Sequence[Judged]) -> bool:
    """Say whether answers are enough to know when to give none: many with one, many without."""
    answerable = sum(one.answerable for one in fits)
    return FEWEST <= answerable <= len(fits) - FEWEST


def _tells(right: Iterable[bool]) -> bool:
    """Say whether findings are enough to fit something: many of them, some right and some wrong."""
    each = list(right)
    return len(each) >= FEWEST and 0 < sum(each) < len(each)


def gather(
    answered: Answered, goal: Goal, *, per_label: bool = False, fewest: int = FEWEST
) -> Gathered:
    """Judge what was found.

    Args:
        answered: what `answer` returned.
        goal: see `calibrate`.
        per_label: see `calibrate`.
        fewest: annotations from which a label gets a threshold.
    """
    judged = [judged_choices(prediction, gold) for prediction, gold in answered.pairs]
    sections = gather_sections(answered.pairs, _GRID, "flat", judged, answered.ties)
    curves = {kind: _curve(section) for kind, section in sections.items()}
    names = {kind: _label_curves(one) for kind, one in sections.items()} if per_label else {}
    choices = list(chain(*judged))
    best, matters = (_best(curves, choices, aim) for aim in (goal, F1))
    found = answered.pairs
    if answered.of_entities and "relations" in sections:  # which wait for thresholds of entities
        found = answered.between(matters["entities"], {})
        matters["relations"] = F1.threshold(_curve(gather_relations(found)))
        own = _raw(_best_labels(names, goal, fewest), "entities")
        section = gather_relations(answered.between(best["entities"], own))
        sections["relations"], curves["relations"] = section, _curve(section)
        best["relations"] = goal.threshold(curves["relations"])
        names |= {"relations": _label_curves(section)} if per_label else {}
    answers = [
        Answer(prediction, gold, own_choices, answered.ties)
        for (prediction, gold), own_choices in zip(found, judged, strict=True)
    ]
    pairs: Pairs = {}
    for kind, findings in FINDINGS.items():
        # Half of the best threshold for F1: findings that matter, and as they would be selected
        # there. The scores are the same for all goals.
        least = max(LOWEST, matters.get(kind, 0.0) / 2)
        pairs[kind] = [one for each in answers for one in findings(each, least)]
    return Gathered(
        answered,
        sections,
        curves,
        best,
        fits=[one for each in answers for one in fits_of(each.prediction, each.gold)],
        pairs=pairs,
        singles=[one for each in answers for one in single_answers(each)],
        labels=_best_labels(names, goal, fewest) if per_label else None,
    )
