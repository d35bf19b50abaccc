"""Answers about the whole text: labels with their scores.

These types know nothing about models, words or windows, nor how a tree of labels was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain, pairwise
from typing import Any

from onepass.results.checks import (
    check_list,
    check_made,
    check_object,
    check_score,
    check_text,
)
from onepass.results.frozen import FrozenDict


@dataclass(frozen=True, slots=True)
class LabelScore:
    """A label that was chosen, with its score.

    Attributes:
        label: the label, as it was asked.
        score: the confidence of the model, from 0 to 1.

    >>> LabelScore("positive", 0.91).score
    0.91
    """

    label: str
    score: float

    def __post_init__(self) -> None:
        check_text(self.label, "'label'")
        object.__setattr__(self, "score", check_score(self.score, f"the label {self.label!r}"))


@dataclass(frozen=True, slots=True)
class Classification:
    r"""The answer to one task: what was chosen (best first), and the score of every label.

    Attributes:
        labels: the labels that were chosen, best first. In a tree, also those on the way to them,
            which always score as much or more.
        scores: the score of every label. A node of a tree is called by its path, "science/physics";
            a slash or a backslash in a name has a backslash before it.
        paths: the names on the way to each of the last nodes that were chosen, best first; None if
            the labels are no tree.
        fit: the score of the best label by itself, whatever the others score, from 0 to 1; None
            unless the task may abstain.

    >>> scores = {"sport": 0.25, "sport/golf": 0.25, "science": 0.75, "science/physics": 0.75}
    >>> chosen = LabelScore("science", 0.75), LabelScore("science/physics", 0.75)
    >>> Classification(chosen, scores, paths=(("science", "physics"),)).path
    ('science', 'physics')
    """

    labels: tuple[LabelScore, ...]
    scores: Mapping[str, float]
    paths: tuple[tuple[str, ...], ...] | None = None
    fit: float | None = None

    def __post_init__(self) -> None:
        for label in check_object(self.scores, "'scores'"):
            check_text(label, "A label in scores")
        scores = {label: check_score(s, f"the label {label!r}") for label, s in self.scores.items()}
        object.__setattr__(self, "labels", tuple(self.labels))
        object.__setattr__(self, "scores", FrozenDict(scores))
        for chosen in self.labels:
            check_made(chosen, LabelScore, "An item of 'labels'")
            if chosen.label not in scores:
                raise ValueError(f"The label {chosen.label!r} was chosen but is not in scores.")
            if chosen.score != scores[chosen.label]:
                raise ValueError(
                    f"The label {chosen.label!r} was chosen with a score of {chosen.score}, but "
                    f"has {scores[chosen.label]} in scores."
                )
        check_order(self.labels)
        if self.paths is not None:
            object.__setattr__(self, "paths", tuple(tuple(path) for path in self.paths))
            for name in chain.from_iterable(self.paths):
                check_text(name, "A name in paths")
            if bool(self.paths) != bool(self.labels):
                raise ValueError("There must be paths exactly if there are labels.")
        if self.fit is not None:
            object.__setattr__(self, "fit", check_score(self.fit, "the best label by itself"))

    @property
    def path(self) -> tuple[str, ...]:
        """The best answer: the names on the way to it, or its own alone; empty if there is none."""
        if self.paths is None:
            return (self.labels[0].label,) if self.labels else ()
        return self.paths[0] if self.paths else ()


def check_order(labels: Iterable[LabelScore]) -> None:
    """Refuse labels that are not ordered by their scores, best first.

    Raises:
        ValueError: naming two of them.

    >>> check_order([LabelScore("calm", 0.25), LabelScore("angry", 0.75)])
    Traceback (most recent call last):
    ...
    ValueError: The label 'angry' must come before 'calm'.
    """
    for better, worse in pairwise(labels):
        if better.score < worse.score:
            raise ValueError(f"The label {worse.label!r} must come before {better.label!r}.")


def labels_list(labels: Iterable[LabelScore]) -> list[dict[str, Any]]:
    """Return labels with their scores as plain dicts.

    >>> labels_list([LabelScore("calm", 0.75)])
    [{'label': 'calm', 'score': 0.75}]
    """
    return [{"label": one.label, "score": one.score} for one in labels]


def labels_from(given: object, what: str) -> tuple[LabelScore, ...]:
    """Return what `labels_list` wrote.

    >>> labels_from([{"label": "calm", "score": 0.75}], "'labels'")
    (LabelScore(label='calm', score=0.75),)
    """
    held = (check_object(one, f"An item of {what}") for one in check_list(given, what))
    return tuple(LabelScore(one["label"], one["score"]) for one in held)


def classification_dict(answer: Classification) -> dict[str, Any]:
    """Return an answer as plain values; "paths" and "fit" are there only if the answer has them.

    >>> classification_dict(Classification((), {"calm": 0.25}, fit=0.25))
    {'labels': [], 'scores': {'calm': 0.25}, 'fit': 0.25}
    """
    paths = {} if answer.paths is None else {"paths": [list(path) for path in answer.paths]}
    fit = {} if answer.fit is None else {"fit": answer.fit}
    return {
        "labels": labels_list(answer.labels), "scores": dict(answer.scores), **paths, **fit,
    }  # fmt: skip


def _scores_from(given: Any) -> Mapping[str, Any]:
    """Return the scores of labels; a map of Parquet comes as a list of pairs."""
    if not isinstance(given, list | tuple):
        return check_object(given, "'scores'")
    for pair in given:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise ValueError(
                f"An item of 'scores' must be a label and its score, but {pair!r:.60} was given."
            )
    return dict(given)


def classification_from(given: object, what: str = "The classification") -> Classification:
    """Return what `classification_dict` wrote; errors call it ``what``.

    >>> classification_from({"labels": [], "scores": {}}).path
    ()
    """
    answer = check_object(given, what)
    paths = answer.get("paths")
    return Classification(
        labels_from(answer["labels"], "'labels'"),
        _scores_from(answer["scores"]),
        None
        if paths is None
        else tuple(tuple(check_list(path, "A path")) for path in check_list(paths, "'paths'")),
        answer.get("fit"),
    )
