"""Scoring of classifications: accuracy of single answers, F1 of sets of answers, per task.

It knows nothing about models or scores of labels; what was chosen is what counts.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onepass.corpus.example import Example
from onepass.evaluation.counts import Counts, macro_f1, mean
from onepass.results.types import Extraction


@dataclass(slots=True)
class _Task:
    """What was counted of one task.

    A single-label question is right if the best label is a true one, or if none was chosen and none
    is true; a multi-label question, if exactly the true labels were chosen.
    """

    questions: int = 0
    right: int = 0
    labels: dict[str, Counts] = field(default_factory=dict)

    def add(self, chosen: set[str], true: set[str], right: bool) -> None:
        self.questions += 1
        self.right += right
        for label in chosen | true:
            counts = self.labels.setdefault(label, Counts())
            counts.add_counts(label in chosen and label in true, label in chosen, label in true)

    def merge(self, other: _Task) -> None:
        self.questions += other.questions
        self.right += other.right
        for label, counts in other.labels.items():
            self.labels.setdefault(label, Counts()).merge(counts)


def _micro(tasks: list[_Task]) -> Counts:
    pooled = Counts()
    for task in tasks:
        for counts in task.labels.values():
            pooled.merge(counts)
    return pooled


class ClassScorer:
    """Counts answers to classification tasks.

    >>> from onepass.corpus.example import GoldTask
    >>> from onepass.results.types import Classification, LabelScore
    >>> scorer = ClassScorer()
    >>> gold = Example("Lovely!", classifications=(GoldTask("tone", ("good", "bad"), ("good",)),))
    >>> answer = Classification((LabelScore("bad", 0.6),), {"good": 0.4, "bad": 0.6})
    >>> scorer.add(Extraction("Lovely!", classifications={"tone": answer}), gold)
    >>> scorer.scores()
    {'accuracy': 0.0, 'macro_f1': 0.0}
    """

    def __init__(self) -> None:
        self.texts = 0
        self._single: dict[str, _Task] = {}
        self._multi: dict[str, _Task] = {}

    def add(self, prediction: Extraction, gold: Example) -> None:
        """Count the answers for one text; a task without an answer chose no label."""
        self.texts += bool(gold.classifications)
        for task in gold.classifications:
            answer = prediction.classifications.get(task.name)
            chosen = [] if answer is None else [one.label for one in answer.labels]
            true = set(task.true)
            if task.multi_label:
                counted = self._multi.setdefault(task.name, _Task())
                counted.add(set(chosen), true, set(chosen) == true)
            else:
                counted = self._single.setdefault(task.name, _Task())
                best = set(chosen[:1])
                counted.add(best, true, bool(best & true) or best == true)

    def merge(self, other: ClassScorer) -> None:
        """Add what was counted on another part of the data."""
        self.texts += other.texts
        for mine, theirs in ((self._single, other._single), (self._multi, other._multi)):
            for name, task in theirs.items():
                mine.setdefault(name, _Task()).merge(task)

    def scores(self) -> dict[str, float]:
        """Return the scores of the kinds of task that were asked.

        - ``accuracy``: share of single-label questions that are right.
        - ``micro_f1``: of multi-label questions, all labels of all tasks pooled.
        - ``exact_match``: share of multi-label questions answered with exactly the true labels.
        - ``macro_f1``: mean over labels that are gold or were chosen; then mean over all tasks.
        """
        single, multi = list(self._single.values()), list(self._multi.values())
        scores: dict[str, float] = {}
        if single:
            scores["accuracy"] = sum(t.right for t in single) / sum(t.questions for t in single)
        if multi:
            scores["micro_f1"] = _micro(multi).f1
            scores["exact_match"] = sum(t.right for t in multi) / sum(t.questions for t in multi)
        if single or multi:
            scores["macro_f1"] = mean([macro_f1(task.labels.values()) for task in single + multi])
        return scores

    def table(self) -> dict[str, dict[str, float]]:
        """Return the scores of each task; the name of a multi-label task ends in `` (multi)``."""
        rows = {}
        for name, task in sorted(self._single.items()):
            rows[name] = {
                "accuracy": task.right / task.questions,
                "macro_f1": macro_f1(task.labels.values()),
                "questions": task.questions,
            }
        for name, task in sorted(self._multi.items()):
            rows[f"{name} (multi)"] = {
                "micro_f1": _micro([task]).f1,
                "macro_f1": macro_f1(task.labels.values()),
                "exact_match": task.right / task.questions,
                "questions": task.questions,
            }
        return rows
