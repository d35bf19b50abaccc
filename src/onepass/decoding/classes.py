"""From the logits of all windows and prompts to the answer of a classification task.

The logits of a task come together first, wherever its labels were asked; then each window is
answered, and the windows are put together. It knows nothing about texts or words.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float32s, Float64s
from onepass.decoding.findings import Findings
from onepass.decoding.merge import merge_class_scores
from onepass.decoding.trees import (
    best_path,
    cap,
    hold_together,
    leaves,
    lift,
    share_out,
    sum_up,
)
from onepass.results.types import Classification, LabelScore
from onepass.schema import ClassificationTask


@dataclass(frozen=True, slots=True, eq=False)
class ClassRules:
    """How the logits of one task become its answer.

    Attributes:
        thresholds: (labels,).
        floor: the least score, by itself, of the best label of a task that may abstain; None for
            one that may not.
        scale: (scale, shift) of logits of labels that hold or not, each by itself.
        single_scale: factor on the logits of labels of which one holds.
    """

    thresholds: Float32s
    floor: float | None = None
    scale: tuple[float, float] = (1.0, 0.0)
    single_scale: float = 1.0

    def alone(self, logits: Float64s) -> Float64s:
        """Return the scores of labels, each by itself, (labels,)."""
        scale, shift = self.scale
        with np.errstate(over="ignore"):
            out: Float64s = 1.0 / (1.0 + np.exp(-(scale * logits + shift)))
        return out


@dataclass(frozen=True, slots=True, eq=False)
class WindowLogits:
    """What one window says of a task.

    Attributes:
        words: of the window.
        logits: (labels,).
        alone: (labels,) by which each label is judged by itself.
    """

    words: int
    logits: Float64s
    alone: Float64s


def window_logits(task: int, labels: int, words: int, findings: Iterable[Findings]) -> WindowLogits:
    """Return the logits of one task in one window, from all prompts that asked any of its labels.

    Args:
        task: its number in the schema.
        labels: how many it has.
        words: of the window.
        findings: of each prompt.
    """
    logits, alone = np.zeros(labels), np.zeros(labels)
    for found in findings:
        for (asked, items), values in found.classes.items():
            if asked == task:
                logits[list(items)] = values
                alone[list(items)] = found.classes_alone.get((asked, items), values)
    return WindowLogits(words, logits, alone)


def answer_task(
    task: ClassificationTask, windows: Sequence[WindowLogits], rules: ClassRules
) -> Classification:
    """Return the answer of a task.

    Args:
        task: what was asked.
        windows: at least one.
        rules: thresholds and calibration.

    >>> from onepass.schema import Label
    >>> task = ClassificationTask("tone", (Label("calm"), Label("angry")))
    >>> logits = np.array([0.0, 2.0])
    >>> rules = ClassRules(np.zeros(2, dtype=np.float32))
    >>> answer_task(task, [WindowLogits(7, logits, logits)], rules).path
    ('angry',)
    """
    if task.parents:
        windows = [_lifted(one, task) for one in windows]
    scores = _scores(task, windows, rules)
    held = hold_together(scores.astype(np.float32) >= rules.thresholds, task.parents)
    fit = None
    if task.multi_label:
        rows = np.flatnonzero(held)
        chosen: list[int] = rows[np.argsort(-scores[rows], kind="stable")].tolist()
    else:
        path = best_path(scores, task.parents)
        end = sum(bool(held[label]) for label in path)
        if rules.floor is not None:
            alone = [max(rules.alone(one.alone)[label] for one in windows) for label in path]
            fit = float(max(alone))
            end = min(end, max((i + 1 for i, a in enumerate(alone) if a >= rules.floor), default=0))
        chosen = path[:end]
    names = task.result_names
    return Classification(
        tuple(LabelScore(names[i], float(scores[i])) for i in chosen),
        dict(zip(names, scores.tolist(), strict=True)),
        _paths(task, chosen) if task.parents else None,
        fit,
    )


def _lifted(window: WindowLogits, task: ClassificationTask) -> WindowLogits:
    """Return the logits of a tree, those of a label being no worse than those below it."""
    words = [(label.name.casefold(), label.description) for label in task.labels]
    counts = Counter(words)
    shared = [counts[one] > 1 for one in words]
    return WindowLogits(
        window.words,
        lift(window.logits, task.parents, shared),
        lift(window.alone, task.parents, shared),
    )


def _scores(
    task: ClassificationTask, windows: Sequence[WindowLogits], rules: ClassRules
) -> Float64s:
    """Return the scores of the text, (labels,)."""
    words = [one.words for one in windows]
    how = task.window_scores or ("max" if task.multi_label else "length")
    if task.multi_label:
        parts = [cap(rules.alone(one.logits), task.parents) for one in windows]
        return cap(merge_class_scores(parts, words, how), task.parents)  # a mean may round
    shares = [share_out(rules.single_scale * one.logits, task.parents) for one in windows]
    scores = merge_class_scores(shares, words, how)
    if how == "max" and len(windows) > 1:  # the leaves share one probability again
        scores = scores / scores[leaves(task.parents, len(scores))].sum()
    return sum_up(scores, task.parents)


def _paths(task: ClassificationTask, chosen: Sequence[int]) -> tuple[tuple[str, ...], ...]:
    """Return the paths to the labels that were chosen and have none below them that was."""
    passed = {task.parents[label] for label in chosen}
    paths = task.paths
    return tuple(paths[label] for label in chosen if label not in passed)
