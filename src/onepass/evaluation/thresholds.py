"""Scores at every threshold, from one run of the model: what a checkpoint is calibrated with.

The model is run once, at the lowest threshold and with all that a higher one may want; what would
have been found there is selected from that. It knows nothing about files or checkpoints.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from numbers import Real
from types import MappingProxyType
from typing import Any

import numpy as np

from onepass.corpus.example import Example
from onepass.decoding.candidates import Candidates
from onepass.decoding.overlap import Policy, Ties, select
from onepass.decoding.specificity import label_rank
from onepass.errors import InputError
from onepass.evaluation.curves import f1_curves, gather_sections
from onepass.evaluation.goals import middle
from onepass.evaluation.predict import Extracts, predict_all
from onepass.evaluation.run import Progress
from onepass.results.types import (
    Classification,
    Entity,
    Extraction,
    FieldValue,
    LabelScore,
    Record,
    Relation,
    Value,
)
from onepass.schema.shown import shown

GRID = tuple(round(0.05 * step, 2) for step in range(1, 20))  # 0.05 to 0.95

_NONE: Mapping[str, float] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Sweep:
    """F1 at every threshold.

    Attributes:
        curves: section to threshold to F1. The sections are "entities" (exact mentions),
            "classifications" (answers of tasks with several labels), "records" (field values
            without choices), "choices" (choices of fields) and "relations" (strict); those without
            a question that a threshold decides are left out.

    >>> Sweep({"entities": {0.4: 0.58, 0.5: 0.61, 0.6: 0.55}}).best()
    {'entities': 0.5}
    """

    curves: Mapping[str, Mapping[float, float]]

    def best(self, within: float = 0.0) -> dict[str, float]:
        """Return the threshold with the highest F1 for each section.

        Of several it is the middle one, the lower of two in the middle.

        Args:
            within: the loss of F1 up to which a threshold counts as well, if it lies in a row with
                the highest: so small a difference is chance. Of two in the middle it is the higher
                one then, which finds less that is wrong.

        >>> swept = Sweep({"entities": {0.3: 0.5, 0.4: 0.6, 0.5: 0.599, 0.6: 0.2, 0.7: 0.1}})
        >>> swept.best(), swept.best(within=0.01)
        ({'entities': 0.4}, {'entities': 0.5})
        """
        return {section: middle(curve, within) for section, curve in self.curves.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return the best thresholds and the curves as plain dicts; curves are lists of pairs."""
        return {
            "best": self.best(),
            "curves": {
                section: [[at, f1] for at, f1 in sorted(curve.items())]
                for section, curve in self.curves.items()
            },
        }


def sweep(
    model: Extracts,
    examples: Iterable[Example],
    *,
    thresholds: Sequence[float] = GRID,
    overlap: Policy = "flat",
    progress: Progress | None = None,
) -> Sweep:
    """Find out what F1 every threshold would give.

    ``on_long`` and ``solver`` of a call are left at their defaults, and a ``threshold`` is none of
    its own: one run tells of all.

    Args:
        model: an `onepass.Extractor`, or anything with its ``extract``; it is run once.
        examples: annotated texts; not those on which scores are reported afterwards.
        thresholds: the thresholds to try, each from 0 to 1.
        overlap: the policy of entities that the thresholds are meant for.
        progress: a function that gets the number of examples that are done.

    Raises:
        InputError: if there is no threshold, or one is outside [0, 1].
        SchemaError: if an example or the model cannot ask what was annotated.

    >>> from onepass import Extractor
    >>> from onepass.corpus import Mention
    >>> examples = [Example("Marie Curie was born in Warsaw.", (Mention(24, 30, "city"),))]
    >>> sweep(Extractor(), examples, thresholds=[0.3, 0.5]).curves["entities"]
    {0.3: 1.0, 0.5: 1.0}
    """
    grid = grid_of(thresholds)
    answered: list[tuple[Extraction, Example]] = []
    done = 0
    for batch in predict_all(model, examples, lowest=grid[0], overlap=overlap):
        answered += batch.pairs()
        done += batch.done
        if progress is not None:
            progress(done)
    return sweep_answers(answered, thresholds=grid, overlap=overlap)


def grid_of(thresholds: Sequence[float]) -> list[float]:
    """Return the thresholds to try once each, in ascending order.

    Raises:
        InputError: if there is none, or one is no number from 0 to 1.

    >>> grid_of([0.5, 0.1, 0.5])
    [0.1, 0.5]
    """
    given = list(thresholds) if isinstance(thresholds, Iterable) else []
    if not given or not all(isinstance(at, Real) and 0 <= at <= 1 for at in given):
        raise InputError(
            f"thresholds must be numbers from 0 to 1, but {shown(thresholds)} was given; give one "
            "or more, or leave them out."
        )
    return sorted({float(at) for at in given})


def sweep_answers(
    answered: Iterable[tuple[Extraction, Example]],
    *,
    thresholds: Sequence[float] = GRID,
    overlap: Policy = "flat",
) -> Sweep:
    """Find out what F1 every threshold gives on what a model has said already.

    Args:
        answered: each prediction, made by `onepass.evaluation.predict.predict_all` at a threshold
            not above the lowest, with its gold.
        thresholds: to try.
        overlap: the policy of entities that the thresholds are meant for.
    """
    grid = sorted(set(thresholds))
    return Sweep(f1_curves(gather_sections(answered, grid, overlap), grid))


def at_threshold(
    doc: Extraction,
    threshold: float,
    *,
    policy: Policy,
    labels: Sequence[str],
    multi_label: Iterable[str] = (),
    ties: Ties = "longest",
) -> Extraction:
    """Return what an extraction would have been at a higher threshold.

    But for one thing: where a checkpoint looks for spare instances, a record that repeats a part of
    another one is left out, and here one is kept that had more of its own at the lower threshold.

    Args:
        doc: of `onepass.evaluation.predict.predict_all`, at a threshold not above this one.
        threshold: inclusive.
        policy: which of the entities that overlap are kept.
        labels: entity labels in the order of the schema; the earlier wins a tie.
        multi_label: names of the tasks whose labels are chosen by threshold.
        ties: as in `onepass.evaluation.curves.gather_sections`.
    """
    multi = set(multi_label)
    return replace(
        doc,
        entities=_entities(doc.entities, threshold, policy, labels, ties),
        classifications={
            name: _chosen(answer, threshold) if name in multi else answer
            for name, answer in doc.classifications.items()
        },
        records={
            name: tuple(row for row in (_record(r, threshold) for r in rows) if _holds(row))
            for name, rows in doc.records.items()
        },
        relations=tuple(
            r for r in doc.relations if min(r.score, r.head.score, r.tail.score) >= threshold
        ),
    )


def between_kept(
    doc: Extraction,
    threshold: float,
    own: Mapping[str, float],
    *,
    labels: Sequence[str],
    ties: Ties,
) -> Extraction:
    """Return an extraction in which relations count by their own scores, between kept entities.

    So does a checkpoint choose that relates the entities that it keeps, whatever their scores.

    Args:
        doc: as in `at_threshold`; its relations are between its entities.
        threshold: of entities, inclusive.
        own: of the entity labels that have one of their own.
        labels: as in `at_threshold`.
        ties: likewise.

    Returns:
        The same relations: with ends that score 1 where both are entities that are kept among those
        that overlap ("flat"), else with a score of 0.
    """
    kept = _entities(doc.entities, threshold, "flat", labels, ties, own)
    places = {(entity.start, entity.end) for entity in kept}
    return replace(doc, relations=tuple(_between(relation, places) for relation in doc.relations))


def _between(relation: Relation, places: Set[tuple[int | None, int | None]]) -> Relation:
    head, tail = relation.head, relation.tail
    if {(head.start, head.end), (tail.start, tail.end)} <= places:
        return replace(relation, head=replace(head, score=1.0), tail=replace(tail, score=1.0))
    return replace(relation, score=0.0)


def _entities(
    found: Sequence[Entity],
    threshold: float,
    policy: Policy,
    labels: Sequence[str],
    ties: Ties,
    own: Mapping[str, float] = _NONE,
) -> tuple[Entity, ...]:
    kept = [entity for entity in found if entity.score >= own.get(entity.label, threshold)]
    names = list(dict.fromkeys([*labels, *(entity.label for entity in kept)]))
    index = {name: number for number, name in enumerate(names)}
    table = Candidates(
        np.array([entity.start for entity in kept], dtype=np.int64),
        np.array([entity.end for entity in kept], dtype=np.int64),
        np.array([entity.score for entity in kept], dtype=np.float64),
        np.array([index[entity.label] for entity in kept], dtype=np.int64),
    )
    ranks = None
    if ties == "longest":
        ranks = np.array([label_rank(name) for name in names], dtype=np.int64)
    rows = select(table, policy=policy, ranks=ranks, ties=ties)
    return tuple(kept[row] for row in rows)


def _chosen(answer: Classification, threshold: float) -> Classification:
    best_first = sorted(answer.scores.items(), key=lambda item: -item[1])
    labels = tuple(LabelScore(label, s) for label, s in best_first if s >= threshold)
    return Classification(labels, answer.scores)


def _record(row: Record, threshold: float) -> Record:
    # Values of a list do not overlap to begin with: a lower one never kept a higher one out.
    return {name: _held(held, threshold) for name, held in row.items()}


def _held(held: FieldValue, threshold: float) -> FieldValue:
    if isinstance(held, tuple):
        return tuple(value for value in held if value.score >= threshold)
    return held if isinstance(held, Value) and held.score >= threshold else None


def _holds(row: Record) -> bool:
    return any(held is not None and held != () for held in row.values())
