"""Thresholds that a checkpoint had, on the scores of a new calibration.

What is fitted anew brings its own thresholds. All others would let through something else than
before if they stayed as they are. It knows nothing about files.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType

from onepass.corpus.example import Example
from onepass.evaluation.platt import floored
from onepass.models.kept import PLAIN, Calibration
from onepass.models.thresholds import ABSTAIN, CHOICES
from onepass.results.types import Extraction

Lines = Mapping[str, Calibration]  # by kind

_OF_LABELS = ("entities", "classifications", "relations")  # what has labels with thresholds
_FURTHEST = 30.0  # logit beyond which there is nothing but 0 and 1


def carried(thresholds: Mapping[str, float], before: Lines, after: Lines) -> dict[str, float]:
    """Return thresholds by kind that let the same through as before.

    Args:
        thresholds: by kind, and "abstain".
        before: the calibration that they were made for.
        after: the one that takes its place.

    Returns:
        Those that have a place among the new scores; none has where all scores were the same.

    >>> halved = {"entities": Calibration(0.5)}
    >>> carried({"entities": 0.9, "relations": 0.9}, {}, halved)
    {'entities': 0.75, 'relations': 0.9}
    """
    moved = {
        kind: _moved(at, _line(kind, before), _line(kind, after)) for kind, at in thresholds.items()
    }
    return {kind: at for kind, at in moved.items() if at is not None}


def carried_labels(
    labels: Mapping[str, float],
    before: Lines,
    after: Lines,
    answered: Iterable[tuple[Extraction, Example]],
    known: Mapping[str, str] = MappingProxyType({}),
) -> dict[str, float]:
    """Return thresholds of labels that let the same through as before.

    Args:
        labels: threshold by name, whatever the label is of.
        before: the calibration that they were made for.
        after: the one that takes its place.
        answered: the pairs of `onepass.evaluation.answered.answer`, which tell what a label is of:
            entities, relations, or tasks that may have several.
        known: the kinds of labels of which the checkpoint says it.

    Returns:
        Those that have one place among the new scores; a name that the texts have for several
        kinds, or do not have, has one only if all that it may be of moves alike.
    """
    kinds = _kinds_of_labels(gold for _, gold in answered)
    kinds |= {name: {kind} for name, kind in known.items()}
    found = {}
    for name, at in labels.items():
        places = {
            _moved(at, _line(kind, before), _line(kind, after))
            for kind in kinds.get(name, _OF_LABELS)
        }
        place = places.pop()
        if not places and place is not None:
            found[name] = place
    return found


def _kinds_of_labels(examples: Iterable[Example]) -> dict[str, set[str]]:
    kinds: dict[str, set[str]] = {}
    for example in examples:
        several = [task.labels for task in example.classifications if task.multi_label]
        names = (example.asked, [one for labels in several for one in labels])
        for kind, own in zip(_OF_LABELS, (*names, example.asked_relations), strict=True):
            for name in own:
                kinds.setdefault(name, set()).add(kind)
    return kinds


def _line(kind: str, lines: Lines) -> Calibration:
    """Return the calibration of the scores that a threshold of this kind is compared with."""
    if kind == ABSTAIN:
        kind = "classifications"
    elif kind == CHOICES and kind not in lines:
        kind = "records"
    return lines.get(kind, PLAIN)


def _moved(at: float, before: Calibration, after: Calibration) -> float | None:
    """Return where a threshold of one calibration lies in another; None if it has no place."""
    if before == after or at in (0.0, 1.0):  # everything, or what is certain, in either
        return at
    if not before.scale:
        return None
    raw = (math.log(at / (1 - at)) - before.shift) / before.scale
    logit = after.scale * raw + after.shift
    return floored(1 / (1 + math.exp(-min(max(logit, -_FURTHEST), _FURTHEST))))
