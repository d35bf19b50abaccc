"""The canonical JSON form of a schema, written.

`onepass.schema.parse.parse_dict` reads it back equal. This module does not know the builder.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from onepass.schema.parse import Parts
from onepass.schema.relation import RelationType
from onepass.schema.task import ROOT, ClassificationTask
from onepass.schema.trees import NODE_KEYS
from onepass.schema.types import Field, Label, Naming, Question


def write_dict(parts: Parts) -> dict[str, Any]:
    """Return the canonical JSON form: kinds that are not asked for are left out.

    Entities, relations and labels are a list of names, or a mapping of names to objects as soon
    as one of them has a description or a threshold; fields are always objects.

    >>> write_dict(Parts((Label("person"), Label("firm", "a company"))))
    {'entities': {'person': {}, 'firm': {'description': 'a company'}}}
    """
    data = {
        "entities": write_named(parts.entity_labels),
        "classifications": [_write_task(task) for task in parts.classification_tasks],
        "structures": {
            structure.name: {"fields": [write_field(field) for field in structure.fields]}
            for structure in parts.structures
        },
        "relations": write_named(parts.relation_types),
        "questions": write_questions(parts.questions),
        "naming": {} if parts.naming is None else _write_naming(parts.naming),
    }
    return {key: value for key, value in data.items() if value}


def write_named(
    items: Iterable[Label | RelationType],
) -> list[str] | dict[str, dict[str, Any]]:
    """Return labels or relation types as a list of names, or as a mapping if one has options."""
    options = {item.name: _options(item) for item in items}
    return options if any(options.values()) else list(options)


def write_labels(task: ClassificationTask) -> Any:
    """Return the labels of a task: as `write_named` does, or as a mapping if they are a tree.

    >>> labels = (Label("a"), Label("b"), Label("c"))
    >>> write_labels(ClassificationTask("t", labels, parents=(-1, 0, -1)))
    {'a': ['b'], 'c': []}
    """
    if not task.parents:
        return write_named(task.labels)
    children: dict[int, list[int]] = {}
    for index, parent in enumerate(task.parents):
        children.setdefault(parent, []).append(index)
    return _write_level(task, children, ROOT)


def _write_level(task: ClassificationTask, children: Mapping[int, Sequence[int]], top: int) -> Any:
    """Return what stands below a label: names, or a mapping if one of them has more than a name."""
    own = children[top]
    if not any(index in children for index in own):
        return write_named([task.labels[index] for index in own])
    written: dict[str, Any] = {}
    for index in own:
        label = task.labels[index]
        options = _options(label)
        below = _write_level(task, children, index) if index in children else []
        if not below:
            written[label.name] = options or []
        elif options or (isinstance(below, dict) and set(below) <= set(NODE_KEYS)):
            # Without "labels" around them, names of this kind would be read as options.
            written[label.name] = {**options, "labels": below}
        else:
            written[label.name] = below
    return written


def write_questions(questions: Iterable[Question]) -> list[str] | dict[str, dict[str, Any]]:
    """Return questions as a list of texts, or as a mapping if one is more than its text.

    >>> write_questions([Question("when", "When was it?")])
    {'when': {'text': 'When was it?'}}
    """
    plain, options = True, {}
    for one in questions:
        kind = None if one.kind == "question" else one.kind
        values = {"text": one.text, "kind": kind, "threshold": one.threshold}
        options[one.name] = _without_none(values)
        plain = plain and options[one.name] == {"text": one.name}
    return list(options) if plain else options


def write_examples(task: ClassificationTask) -> list[list[Any]]:
    """Return the examples of a task as pairs; a single label is a string.

    >>> labels = (Label("a"), Label("b"))
    >>> write_examples(
    ...     ClassificationTask("t", labels, True, examples=(("x", ("a",)), ("y", ("a", "b"))))
    ... )
    [['x', 'a'], ['y', ['a', 'b']]]
    """
    return [
        [text, labels[0] if len(labels) == 1 else list(labels)] for text, labels in task.examples
    ]


def _write_naming(naming: Naming) -> dict[str, Any]:
    """Return the canonical object of how entities are named."""
    choices = {"choices": list(naming.choices)} if naming.choices else {}
    return {**choices, "count": naming.count}


def _write_task(task: ClassificationTask) -> dict[str, Any]:
    """Return the canonical object of a task."""
    return {
        "task": task.name,
        "labels": write_labels(task),
        "multi_label": task.multi_label,
        **_without_none({"threshold": task.threshold, "prompt": task.prompt}),
        **({"examples": write_examples(task)} if task.examples else {}),
        **_without_none({"abstain": task.abstain, "window_scores": task.window_scores}),
    }


def write_field(field: Field) -> dict[str, Any]:
    """Return the canonical object of a field.

    >>> write_field(Field("price", "str"))
    {'name': 'price', 'dtype': 'str'}
    """
    return {
        "name": field.name,
        "dtype": field.dtype,
        **({"choices": list(field.choices)} if field.choices else {}),
        **_options(field),
        **field.rules.given(),
        **({"labels": list(field.rules.labels)} if field.rules.labels else {}),
    }


def _options(item: Label | RelationType | Field) -> dict[str, Any]:
    """Return the options of a label, relation type or field, those that were given."""
    options = _without_none({"description": item.description, "threshold": item.threshold})
    if not isinstance(item, RelationType):
        return options
    labels = {"head": list(item.head), "tail": list(item.tail)}
    rules = {
        **{name: held for name, held in labels.items() if held},
        **({"symmetric": True} if item.symmetric else {}),
        "inverse": item.inverse,
        "max_heads": item.max_heads,
        "max_tails": item.max_tails,
    }
    return {**options, **_without_none(rules)}


def _without_none(values: dict[str, Any]) -> dict[str, Any]:
    """Return the entries that have a value."""
    return {key: value for key, value in values.items() if value is not None}
