"""Which score is enough: thresholds of the call, the schema and the checkpoint, resolved.

The most specific wins: a label's own threshold, then one that the call gives for the label or for
its task, then the schema's task, then what the checkpoint has for the label, then what it was
calibrated to, then 0.5.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple, Protocol

import numpy as np

from onepass.arrays import Float32s
from onepass.errors import InputError
from onepass.models.kept import PLAIN, Calibration, Kept
from onepass.schema import Schema
from onepass.schema.options import Threshold
from onepass.schema.shown import shown

CHOICES = "choices"  # of fields of records; what is not given for them is what "records" has
KINDS = ("entities", "classifications", "records", CHOICES, "relations")
SINGLE = "single"  # calibration of single-label tasks, which are answered by a softmax
ABSTAIN = "abstain"  # threshold of the best label of a single-label task that may abstain
DEFAULT = 0.5

_NONE: Mapping[str, float] = MappingProxyType({})


def sigmoid(logits: Float32s, calibration: Calibration = PLAIN) -> Float32s:
    """Return the probabilities of logits of any shape.

    >>> sigmoid(np.zeros(1, dtype=np.float32))
    array([0.5], dtype=float32)
    """
    if calibration != PLAIN:
        scaled = logits * np.float32(calibration.scale) + np.float32(calibration.shift)
        logits = scaled.astype(np.float32, copy=False)
    with np.errstate(over="ignore"):
        probs: Float32s = np.reciprocal(1.0 + np.exp(-logits))
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

    entities: Float32s
    classes: tuple[Float32s, ...]
    fields: tuple[Float32s, ...]
    relations: Float32s
    floors: tuple[float | None, ...] = ()
    calibration: Mapping[str, Calibration] = field(default_factory=dict)


def resolve_thresholds(schema: Schema, given: Threshold, kept: Kept) -> Thresholds:
    """Return the thresholds that hold for a call.

    Args:
        schema: whose labels, tasks, fields and types may have their own.
        given: of the call: one number for all, or a mapping from a kind ("entities",
            "classifications", "records", "choices", "relations"), a label, a task, a structure or
            a relation type to a number, as `onepass.schema.options.CallOptions` checks them. What
            is given for records counts for choices, too, if nothing is for those.
        kept: what the checkpoint carries. Its thresholds are by kind, and `ABSTAIN`; those of
            labels by the name of an entity label, of a label of a task that may have several, or
            of a relation type. A name that is not asked for is nothing.

    Raises:
        InputError: for a name that the schema does not have.

    >>> from onepass.schema import Schema
    >>> schema = Schema().entities(["person", "place"])
    >>> kept = Kept({"entities": 0.25})
    >>> resolve_thresholds(schema, {"place": 0.75}, kept).entities.tolist()
    [0.25, 0.75]
    """
    named = given if isinstance(given, Mapping) else _NONE
    _check_names(schema, named)
    call = _Call(schema, named, None if isinstance(given, Mapping) else given, kept)
    return Thresholds(
        entities=call.of_kinds("entities").each(schema.span_labels, named),
        classes=call.classes(),
        fields=call.fields(),
        relations=call.of_kinds("relations").each(schema.relation_types, named),
        floors=call.floors(),
        calibration=kept.calibration,
    )


@dataclass(frozen=True, slots=True)
class _Call:
    """What a call gives, beside the schema and what the checkpoint carries.

    Attributes:
        schema: what is asked.
        named: thresholds of the call by name.
        everything: one number of the call for all.
        kept: of the checkpoint.
    """

    schema: Schema
    named: Mapping[str, float]
    everything: float | None
    kept: Kept

    def of_kinds(self, *kinds: str) -> _Least:
        """Return what holds where neither the schema nor the call names something smaller."""
        own = self.kept.thresholds
        called = next((self.named[kind] for kind in kinds if kind in self.named), self.everything)
        if called is not None:
            return _Least(called)
        number = next((own[kind] for kind in kinds if kind in own), DEFAULT)
        return _Least(number, self.kept.labels)

    def classes(self) -> tuple[Float32s, ...]:
        """Return (labels,) of each task."""
        several = self.of_kinds("classifications")
        # One label always wins a single-label task, unless a floor was asked for by name.
        single = _Least(self.named.get("classifications", 0.0))
        classes = []
        for task in self.schema.classification_tasks:
            own = self.named.get(task.name, task.threshold)
            least = _Least(own) if own is not None else several if task.multi_label else single
            classes.append(least.each(task.labels))
        return tuple(classes)

    def fields(self) -> tuple[Float32s, ...]:
        """Return (fields,) of each structure."""
        values = self.of_kinds("records").number
        choices = self.of_kinds(CHOICES, "records").number
        fields = []
        for structure in self.schema.structures:
            own = self.named.get(structure.name)
            kinds = (values, choices) if own is None else (own, own)
            numbers = [
                kinds[bool(f.choices)] if f.threshold is None else f.threshold
                for f in structure.fields
            ]
            fields.append(np.array(numbers, dtype=np.float32))
        return tuple(fields)

    def floors(self) -> tuple[float | None, ...]:
        """Return the floor of each task that may abstain."""
        floor = self.kept.thresholds.get(ABSTAIN, DEFAULT)
        tasks = self.schema.classification_tasks
        return tuple(floor if task.abstain is True else task.abstain for task in tasks)


class _Named(Protocol):
    """A label, or a relation type."""

    @property
    def name(self) -> str: ...
    @property
    def threshold(self) -> float | None: ...


class _Least(NamedTuple):
    """A threshold of labels, and those that the checkpoint has for some of them in its place."""

    number: float
    of_label: Mapping[str, float] = _NONE

    def each(self, asked: Iterable[_Named], named: Mapping[str, float] = _NONE) -> Float32s:
        """Return the threshold of each label; `named` are those that the call gives by name."""
        of_label, number = self.of_label, self.number
        return np.array(
            [
                named.get(one.name, of_label.get(one.name, number))
                if one.threshold is None
                else one.threshold
                for one in asked
            ],
            dtype=np.float32,
        )


def _check_names(schema: Schema, given: Iterable[str]) -> None:
    """Refuse thresholds of a call for what is not asked."""
    names = {
        *KINDS,
        *(label.name for label in schema.span_labels),
        *(task.name for task in schema.classification_tasks),
        *(structure.name for structure in schema.structures),
        *(relation.name for relation in schema.relation_types),
    }
    for name in given:
        if name not in names:
            raise InputError(f"A threshold was given for {shown(name)}, {_misnamed(schema, name)}.")


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
