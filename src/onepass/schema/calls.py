"""A schema written as the calls that build it: its ``repr``.

This module knows the content of a schema, not the builder that holds it.
"""

from __future__ import annotations

from onepass.schema.parse import Parts
from onepass.schema.rules import NO_RULES
from onepass.schema.shorthand import format_field
from onepass.schema.task import ClassificationTask
from onepass.schema.types import Field, Naming, Structure
from onepass.schema.write import (
    write_examples,
    write_field,
    write_labels,
    write_named,
    write_questions,
)


def builder_calls(parts: Parts) -> str:
    """Return the Python expression that builds the schema.

    >>> builder_calls(Parts())
    'Schema()'
    """
    calls = ["Schema()"]
    if parts.entity_labels:
        calls.append(f"entities({write_named(parts.entity_labels)!r})")
    calls.extend(_task_call(task) for task in parts.classification_tasks)
    calls.extend(_structure_call(structure) for structure in parts.structures)
    if parts.relation_types:
        calls.append(f"relations({write_named(parts.relation_types)!r})")
    if parts.questions:
        calls.append(f"ask({write_questions(parts.questions)!r})")
    if parts.naming is not None:
        calls.append(_naming_call(parts.naming))
    return ".".join(calls)


def _naming_call(naming: Naming) -> str:
    """Return the call that asks for names, with the arguments that are not defaults."""
    arguments = [repr(list(naming.choices))] if naming.choices else []
    if naming.count > 1:
        arguments.append(f"count={naming.count}")
    return f"name_entities({', '.join(arguments)})"


def _task_call(task: ClassificationTask) -> str:
    """Return the call that adds a task, with the arguments that are not defaults."""
    arguments = [repr(task.name), repr(write_labels(task))]
    if task.multi_label:
        arguments.append("multi_label=True")
    if task.threshold is not None:
        arguments.append(f"threshold={task.threshold!r}")
    if task.prompt is not None:
        arguments.append(f"prompt={task.prompt!r}")
    if task.examples:
        arguments.append(f"examples={write_examples(task)!r}")
    if task.abstain is not None:
        arguments.append(f"abstain={task.abstain!r}")
    if task.window_scores is not None:
        arguments.append(f"window_scores={task.window_scores!r}")
    return f"classification({', '.join(arguments)})"


def _structure_call(structure: Structure) -> str:
    """Return the call that adds a structure: shorthand, or values where it does not suffice."""
    fields = ", ".join(_field(field) for field in structure.fields)
    return f"structure({structure.name!r}, [{fields}])"


def _field(field: Field) -> str:
    if field.rules != NO_RULES:
        return repr(write_field(field))
    return repr(field if field.threshold is not None else format_field(field))
