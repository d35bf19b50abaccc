"""The JSON form of a schema, read into `Parts`, the tuples of a schema.

Every documented way of writing one is accepted; `onepass.schema.write` produces the canonical way.
This module does not know the builder.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from onepass.errors import SchemaError
from onepass.schema.leaves import (
    NAMING_KEYS,
    items_of,
    nearest,
    read_fields,
    read_labels,
    read_naming,
    read_object,
    read_questions,
    read_relation_types,
)
from onepass.schema.nesting import is_too_deep
from onepass.schema.relation import RelationType
from onepass.schema.shown import json_reason, shown
from onepass.schema.task import ClassificationTask
from onepass.schema.trees import read_tree
from onepass.schema.types import (
    Label,
    Naming,
    Question,
    Structure,
    check_distinct,
    check_name,
)

SCHEMA_KEYS = ("entities", "classifications", "structures", "relations", "questions", "naming")
TASK_KEYS = (
    "task", "labels", "multi_label", "threshold", "prompt", "examples", "abstain", "window_scores",
)  # fmt: skip


class Parts(NamedTuple):
    """The content of a schema."""

    entity_labels: tuple[Label, ...] = ()
    classification_tasks: tuple[ClassificationTask, ...] = ()
    structures: tuple[Structure, ...] = ()
    relation_types: tuple[RelationType, ...] = ()
    questions: tuple[Question, ...] = ()
    naming: Naming | None = None


def joined(first: Parts, second: Parts) -> Parts:
    """Return the content of both, refusing names that occur twice within a kind.

    >>> joined(Parts((Label("person"),)), Parts((Label("person"),)))
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: Entity labels must be distinct, but 'person' was given twice.
    """
    if first.naming is not None and second.naming is not None:
        raise SchemaError("How entities are named was said twice; say it once.")
    parts = Parts(
        first.entity_labels + second.entity_labels,
        first.classification_tasks + second.classification_tasks,
        first.structures + second.structures,
        first.relation_types + second.relation_types,
        first.questions + second.questions,
        first.naming or second.naming,
    )
    check_distinct((label.name for label in parts.entity_labels), "Entity labels")
    check_distinct((task.name for task in parts.classification_tasks), "Classification tasks")
    check_distinct((structure.name for structure in parts.structures), "Structures")
    check_distinct((kind.name for kind in parts.relation_types), "Relation types")
    # Both are labels of spans in the result.
    labels = [label.name for label in parts.entity_labels]
    asked = [question.name for question in parts.questions]
    check_distinct(labels + asked, "Entity labels and questions")
    return parts


def parse_json(text: str) -> Any:
    """Return the value that JSON text holds, refusing repeated keys and values that JSON lacks.

    No JSON ends in ``.json``: that is a path.

    Raises:
        SchemaError: if the text is not JSON, or an object repeats a key.

    >>> parse_json('{"entities": ["person"]}')
    {'entities': ['person']}
    """
    if text.lower().endswith(".json"):
        raise not_a_path(text)
    try:
        value = json.loads(text, object_pairs_hook=_unique_keys, parse_constant=_refuse_constant)
    except json.JSONDecodeError as error:
        raise SchemaError(
            f"A schema given as a string must be JSON, but {shown(text)} is not: "
            f"{json_reason(error)} at line {error.lineno}, column {error.colno}."
        ) from None
    except RecursionError:
        raise _too_deep() from None
    except SchemaError:
        raise
    except ValueError as error:  # a number of thousands of digits
        raise SchemaError(f"The JSON of the schema cannot be read: {error}.") from None
    if is_too_deep(value):
        raise _too_deep()
    return value


def parse_dict(data: object) -> Parts:
    """Return the content of a schema in its JSON form.

    Args:
        data: an object with any of "entities", "classifications", "structures", "relations",
            "questions", "naming"; "$schema" is allowed and ignored, null means not given.

    Raises:
        SchemaError: naming what is wrong, as the builder does.

    >>> parse_dict({"structures": {"product": ["name::str"]}}).structures[0].fields[0].dtype
    'str'
    """
    if isinstance(data, Mapping):
        data = {key: value for key, value in data.items() if key != "$schema"}
        _refuse_labels(data)
    given = read_object(data, SCHEMA_KEYS, "The schema")
    parts = Parts(
        read_labels(given.get("entities", ()), "entities"),
        _parse_tasks(given.get("classifications", ())),
        _parse_structures(given.get("structures", {})),
        read_relation_types(given.get("relations", ()), "relations"),
        read_questions(given.get("questions", ()), "questions"),
        _parse_naming(given["naming"]) if "naming" in given else None,
    )
    return joined(parts, Parts())


def _refuse_labels(data: Mapping[Any, Any]) -> None:
    """Refuse labels with descriptions where the whole schema is expected."""
    described = data and all(value is None or isinstance(value, str) for value in data.values())
    if described and not any(nearest(key, SCHEMA_KEYS) for key in data):
        raise SchemaError(
            f"The schema has no key {shown(next(iter(data)))}; for entities write "
            f'{{"entities": {shown(dict(data))}}}.'
        )


def _parse_tasks(values: object) -> tuple[ClassificationTask, ...]:
    """Return the tasks from a list of objects, or a mapping of names to labels or objects."""
    if not isinstance(values, Mapping):
        return tuple(
            _parse_task(None, read_object(item, TASK_KEYS, "A classification"))
            for item in items_of(values, "classifications", split_commas=False)
        )
    tasks: list[ClassificationTask] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            what = f"The classification {shown(name)}"
            tasks.append(_parse_task(name, read_object(value, TASK_KEYS[1:], what)))
        else:
            tasks.append(_parse_task(name, {"labels": value}))
    return tuple(tasks)


def _parse_task(name: object, given: Mapping[str, Any]) -> ClassificationTask:
    """Return one task from its checked object; ``name`` is None where the object holds it."""
    if name is None and "task" not in given:
        raise SchemaError(f"The classification {shown(given)} has no name; give it as 'task'.")
    task_name = check_name(
        given["task"] if name is None else name, "The name of a classification task"
    )
    if given.get("labels") is None:
        raise SchemaError(
            f"The classification {shown(task_name)} has no labels; give them as 'labels'."
        )
    labels, parents = read_tree(given["labels"], f"The labels of task {shown(task_name)}")
    return ClassificationTask(
        name=task_name,
        labels=labels,
        multi_label=given.get("multi_label", False),
        threshold=given.get("threshold"),
        prompt=given.get("prompt"),
        examples=given.get("examples", ()),
        abstain=given.get("abstain"),
        window_scores=given.get("window_scores"),
        parents=parents,
    )


def _parse_structures(values: object) -> tuple[Structure, ...]:
    """Return the structures from a mapping of names to fields."""
    if not isinstance(values, Mapping):
        if isinstance(values, list | tuple) and not values:
            return ()
        raise SchemaError(
            "structures must be an object of names and fields, "
            f"but {shown(values)} ({type(values).__name__}) was given."
        )
    structures: list[Structure] = []
    for name, value in values.items():
        structure_name = check_name(name, "The name of a structure")
        what = f"The structure {shown(structure_name)}"
        fields = value
        if isinstance(value, Mapping):
            fields = read_object(value, ("fields",), what).get("fields")
        if fields is None:
            raise SchemaError(f"{what} has no fields; give them as 'fields'.")
        fields_of = f"The fields of structure {shown(structure_name)}"
        structures.append(Structure(structure_name, read_fields(fields, fields_of)))
    return tuple(structures)


def _parse_naming(value: object) -> Naming:
    """Return how entities are named from its object."""
    given = read_object(value, NAMING_KEYS, "naming")
    return read_naming(given.get("choices"), given.get("count", 1))


def not_a_path(path: object) -> SchemaError:
    """Return the refusal of a path where a schema is expected."""
    return SchemaError(
        f"A schema is not read from a path, but {shown(str(path))} was given; write "
        f"Schema.from_json(Path({shown(str(path))}).read_text())."
    )


def _too_deep() -> SchemaError:
    return SchemaError("The JSON of the schema is nested too deeply; flatten it.")


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, refusing a key that occurs twice in it."""
    check_distinct((key for key, _ in pairs), "The keys of a JSON object")
    return dict(pairs)


def _refuse_constant(constant: str) -> Any:
    """Refuse NaN and Infinity, which Python's reader would let through."""
    raise SchemaError(f"A schema must be JSON, which has no {constant}; give a number or null.")
