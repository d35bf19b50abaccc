"""Scoring of classifications: accuracy of single answers, F1 of sets of answers, per task.

What was chosen is what counts; how honest the scores of labels are is counted beside it. It knows
nothing about models.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onepass.corpus.example import Example
from onepass.evaluation.counts import Counts, macro_f1, mean
from onepass.evaluation.reliability import Reliability
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
    {'accuracy': 0.0, 'macro_f1': 0.0, 'ece': 0.6}
    """

    def __init__(self) -> None:
        self.texts = 0
        self.reliability = Reliability()
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
                if answer is not None:
                    self.reliability.add((s, label in true) for label, s in answer.scores.items())
            else:
                counted = self._single.setdefault(task.name, _Task())
                best = set(chosen[:1])
                counted.add(best, true, bool(best & true) or best == true)
                if answer is not None and answer.scores:
                    top = max(answer.scores, key=lambda label: answer.scores[label])
                    self.reliability.add([(answer.scores[top], top in true)])

    def merge(self, other: ClassScorer) -> None:
        """Add what was counted on another part of the data."""
        self.texts += other.texts
        self.reliability.merge(other.reliability)
        for mine, theirs in ((self._single, other._single), (self._multi, other._multi)):
            for name, task in theirs.items():
                mine.setdefault(name, _Task()).merge(task)

    def counts(self) -> dict[str, tuple[int, int, int]]:
        """Return right, chosen and gold answers behind ``accuracy`` and ``micro_f1``."""
        counts = {}
        if self._single:
            asked = sum(task.questions for task in self._single.values())
            counts["accuracy"] = (sum(t.right for t in self._single.values()), asked, asked)
        if self._multi:
            counts["micro_f1"] = _micro(list(self._multi.values())).triple()
        return counts

    def scores(self) -> dict[str, float]:
        """Return the scores of the kinds of task that were asked.

        - ``accuracy``: share of single-label questions that are right.
        - ``micro_f1``: of multi-label questions, all labels of all tasks pooled.
        - ``exact_match``: share of multi-label questions answered with exactly the true labels.
        - ``macro_f1``: mean over labels that are gold or were chosen; then mean over all tasks.
        - ``ece``: expected calibration error; of the best label of single-label questions, of all
          labels of multi-label ones.
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
            scores["ece"] = self.reliability.error
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
