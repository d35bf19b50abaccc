"""Which score is enough: thresholds of the call, the schema and the checkpoint, resolved.

The most specific wins: a label's own threshold, then one that the call gives for the label or for
its task, then the schema's task, then what the checkpoint has for the label, then what it was
calibrated to, then 0.5.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import NDArray

from onepass.errors import InputError
from onepass.schema import Schema
from onepass.schema.shown import shown

CHOICES = "choices"  # of fields of records; what is not given for them is what "records" has
KINDS = ("entities", "classifications", "records", CHOICES, "relations")
SINGLE = "single"  # calibration of single-label tasks, which are answered by a softmax
ABSTAIN = "abstain"  # threshold of the best label of a single-label task that may abstain
DEFAULT = 0.5

Given = float | Mapping[str, float] | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """How logits of one kind become honest probabilities: ``sigmoid(scale * logit + shift)``.

    Fitted on held-out data (Platt, 1999) and stored with the checkpoint. For a softmax over labels
    only the scale matters.
    """

    scale: float = 1.0
    shift: float = 0.0


PLAIN = Calibration()


def sigmoid(logits: NDArray[np.float32], calibration: Calibration = PLAIN) -> NDArray[np.float32]:
    """Return the probabilities of logits of any shape.

    >>> sigmoid(np.zeros(1, dtype=np.float32))
    array([0.5], dtype=float32)
    """
    if calibration != PLAIN:
        scaled = logits * np.float32(calibration.scale) + np.float32(calibration.shift)
        logits = scaled.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        probs: NDArray[np.float32] = np.reciprocal(1.0 + np.exp(-logits))
    return probs


@dataclass(frozen=True, slots=True, eq=False)
class Thresholds:
    """Thresholds in the order of a schema, and what the scores are before they are compared.

    Attributes:
        entities: (labels,), those of the schema's `span_labels`.
        classes: for each task, (labels,); of a single-label task, 0 where none was given.
        fields: for each structure, (fields,).
        relations: (types,).
        floors: for each task that may abstain, the least score of its best label by itself; None
            for the others.
        calibration: of the checkpoint, by kind.
    """

    entities: NDArray[np.float32]
    classes: tuple[NDArray[np.float32], ...]
    fields: tuple[NDArray[np.float32], ...]
    relations: NDArray[np.float32]
    floors: tuple[float | None, ...] = ()
    calibration: Mapping[str, Calibration] = field(default_factory=dict)


def resolve_thresholds(
    schema: Schema,
    given: Given,
    calibrated: Mapping[str, float],
    calibration: Mapping[str, Calibration] | None = None,
    labels: Mapping[str, float] | None = None,
) -> Thresholds:
    """Return the thresholds that hold for a call.

    Args:
        schema: whose labels, tasks, fields and types may have their own.
        given: of the call: one number for all, or a mapping from a kind ("entities",
            "classifications", "records", "choices", "relations"), a label, a task, a structure or
            a relation type to a number. What is given for records counts for choices, too, if
            nothing is for those.
        calibrated: thresholds of the checkpoint, by kind, and `ABSTAIN`.
        calibration: of its scores, by kind.
        labels: thresholds of the checkpoint, by the name of an entity label, of a label of a task
            that may have several, or of a relation type. A name that is not asked for is nothing.

    Raises:
        InputError: for a number outside [0, 1], or a name that the schema does not have.

    >>> from onepass.schema import Schema
    >>> schema = Schema().entities(["person", "place"])
    >>> resolve_thresholds(schema, {"place": 0.75}, {"entities": 0.25}).entities.tolist()
    [0.25, 0.75]
    """
    named = _check_given(schema, given)
    everything = None if isinstance(given, Mapping) or given is None else float(given)

    def first(*options: float | None) -> float:
        return next(option for option in options if option is not None)

    def base(*kinds: str, label: str | None = None) -> float:
        called = (named.get(kind) for kind in kinds)
        own = None if labels is None or label is None else labels.get(label)
        return first(*called, everything, own, *(calibrated.get(kind) for kind in kinds), DEFAULT)

    classes = []
    for task in schema.classification_tasks:
        # One label always wins a single-label task, unless a floor was asked for by name.
        least = [
            first(
                label.threshold,
                named.get(task.name),
                task.threshold,
                base("classifications", label=label.name)
                if task.multi_label
                else named.get("classifications", 0.0),
            )
            for label in task.labels
        ]
        classes.append(np.array(least, dtype=np.float32))
    fields = []
    for structure in schema.structures:
        own = [
            first(
                f.threshold,
                named.get(structure.name),
                base(CHOICES, "records") if f.choices else base("records"),
            )
            for f in structure.fields
        ]
        fields.append(np.array(own, dtype=np.float32))
    floors = tuple(
        first(calibrated.get(ABSTAIN), DEFAULT) if task.abstain is True else task.abstain
        for task in schema.classification_tasks
    )
    return Thresholds(
        entities=np.array(
            [
                first(
                    label.threshold,
                    named.get(label.name),
                    base("entities", label=label.name),
                )
                for label in schema.span_labels
            ],
            dtype=np.float32,
        ),
        classes=tuple(classes),
        fields=tuple(fields),
        relations=np.array(
            [
                first(r.threshold, named.get(r.name), base("relations", label=r.name))
                for r in schema.relation_types
            ],
            dtype=np.float32,
        ),
        floors=floors,
        calibration=calibration or {},
    )


def _check_given(schema: Schema, given: Given) -> Mapping[str, float]:
    """Return the named thresholds of a call, checked."""
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        _check_number(given, "threshold")
        return {}
    names = {
        *KINDS,
        *(label.name for label in schema.span_labels),
        *(task.name for task in schema.classification_tasks),
        *(structure.name for structure in schema.structures),
        *(relation.name for relation in schema.relation_types),
    }
    for name, value in given.items():
        if name not in names:
            raise InputError(f"A threshold was given for {shown(name)}, {_misnamed(schema, name)}.")
        _check_number(value, f"threshold of {shown(name)}")
    return given


def _misnamed(schema: Schema, name: str) -> str:
    """Say what a name is, if no threshold of a call can be given for it, and what can be done."""
    tasks, structures = schema.classification_tasks, schema.structures
    members = [(label.name, "label", "task", one.name) for one in tasks for label in one.labels]
    members += [(f.name, "field", "structure", one.name) for one in structures for f in one.fields]
    for member, what, kind, owner in members:
        if member == name:
            return (
                f"which is a {what} of the {kind} {shown(owner)}; name {shown(owner)} in its "
                f"place, or give the {what} a threshold of its own in the schema"
            )
    return (
        f"which is neither one of {', '.join(KINDS)} nor an entity label, a question, a task, a "
        "structure or a relation type of the schema; correct it, or leave it out"
    )


def _check_number(value: object, what: str) -> None:
    if isinstance(value, bool) or not isinstance(value, Real) or not 0 <= float(value) <= 1:
        raise InputError(f"The {what} must be a number from 0 to 1, but {shown(value)} was given.")
