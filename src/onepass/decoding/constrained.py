"""Spans for a field that has rules: what breaks a rule is no candidate.

Greedy by score, as without rules; a span that cannot be read as the field's kind comes after every
span that can. It knows neither models nor how scores were made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from onepass.decoding.finds import Find, SpanFind
from onepass.decoding.spans import candidates
from onepass.schema import Field
from onepass.typed.values import Fit, fit

SpanText = Callable[[int, int], str]


class _Row(NamedTuple):
    """A candidate, in the order in which candidates are judged: the smallest first."""

    worse: bool  # whether it cannot be read as the kind
    below: float  # the score, negated
    first: int  # of a list the longer span comes first, of single values the earlier
    second: int
    third: int
    find: SpanFind
    instance: int


def constrained_values(
    probs: npt.NDArray[np.floating[Any]], threshold: float, field: Field, text_of: SpanText
) -> list[tuple[SpanFind, ...]]:
    """Return the spans of one field for every instance of its structure.

    Args:
        probs: probabilities, (instances, words, width).
        threshold: that a span reaches.
        field: its rules and type.
        text_of: the text of the words [start, end).

    Returns:
        For each instance at most one span, or for lists spans without overlap in the order of the
        text; of an exclusive field, no two instances have spans that share a word.

    >>> from onepass.schema.rules import Rules
    >>> words = ["about", "12", "apples"]
    >>> probs = np.array([[[0.9, 0.1], [0.7, 0.2], [0.1, 0.1]]])
    >>> field = Field("count", "str", rules=Rules(kind="integer", ge=1))
    >>> constrained_values(probs, 0.5, field, lambda start, end: " ".join(words[start:end]))
    [(SpanFind(start=1, end=2, score=0.7),)]
    """
    rows: list[_Row] = []
    for instance, scores in enumerate(probs):
        rows += _rows(scores, threshold, field, (text_of, instance))
    taken = [bytearray(probs.shape[1]) for _ in probs]
    if field.rules.exclusive:
        taken = [bytearray(probs.shape[1])] * len(probs)
    most = 1 if field.dtype == "str" else field.rules.max_items
    kept: list[list[SpanFind]] = [[] for _ in probs]
    for row in sorted(rows, key=lambda row: (*row[:5], row.instance)):
        find, own, used = row.find, kept[row.instance], taken[row.instance]
        if (most is None or len(own) < most) and used.find(1, find.start, find.end) < 0:
            used[find.start : find.end] = b"\x01" * (find.end - find.start)
            own.append(find)
    return [tuple(sorted(own, key=lambda find: (find.start, find.end))) for own in kept]


def limited(finds: tuple[Find, ...], field: Field) -> tuple[Find, ...]:
    """Return the best finds that a list may hold, in the order given.

    >>> from onepass.decoding.finds import ChoiceFind
    >>> limited((ChoiceFind(0, 0.6), ChoiceFind(2, 0.9)), Field("a")) == (
    ...     ChoiceFind(0, 0.6), ChoiceFind(2, 0.9))
    True
    """
    most = field.rules.max_items
    if most is None or len(finds) <= most:
        return finds
    best = sorted(range(len(finds)), key=lambda place: -finds[place].score)[:most]
    return tuple(finds[place] for place in sorted(best))


def _rows(
    scores: npt.NDArray[np.floating[Any]],
    threshold: float,
    field: Field,
    where: tuple[SpanText, int],
) -> list[_Row]:
    """Return the candidates of one instance that keep the rules."""
    text_of, instance = where
    found = candidates(scores[None], [threshold])
    columns = (found.starts.tolist(), found.ends.tolist(), found.scores.tolist())
    rows = []
    for start, end, score in zip(*columns, strict=True):
        how = fit(text_of(start, end), field.rules)
        if how is Fit.REFUSED:
            continue
        one, two, three = (start, end, 0) if field.dtype == "str" else (start - end, start, end)
        find = SpanFind(start, end, score)
        rows.append(_Row(how is Fit.UNREADABLE, -score, one, two, three, find, instance))
    return rows
