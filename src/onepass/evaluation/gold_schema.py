"""The question that an example answers: everything that was annotated in it, as a schema.

It knows nothing about models or scores.
"""

from __future__ import annotations

from onepass.corpus.example import Example, GoldField
from onepass.schema import Field, Schema


def schema_of(example: Example, *, abstain: float | None = None) -> Schema:
    """Return a schema that asks for all that was annotated in an example, present or not.

    Args:
        example: an annotated text; its labels, tasks, structures and relation types keep their
            order and their descriptions.
        abstain: the floor of single-label tasks, as in `onepass.Schema.classification`.

    Returns:
        A schema; an empty one if nothing was annotated.

    >>> schema_of(Example("Bo barks.", asked=("dog", "cat"), asked_relations=("chases",)))
    Schema().entities(['dog', 'cat']).relations(['chases'])
    """
    schema = Schema()
    if example.asked:
        schema.entities({label: example.descriptions.get(label) for label in example.asked})
    for task in example.classifications:
        schema.classification(
            task.name,
            {label: task.descriptions.get(label) for label in task.labels},
            multi_label=task.multi_label,
            prompt=task.prompt,
            examples=task.examples,
            abstain=None if task.multi_label else abstain,
        )
    for structure in example.structures:
        schema.structure(structure.name, [_field(field) for field in structure.fields])
    if example.asked_relations:
        descriptions = example.relation_descriptions
        schema.relations({name: descriptions.get(name) for name in example.asked_relations})
    return schema


def _field(gold: GoldField) -> Field:
    return Field(gold.name, gold.dtype, gold.choices, gold.description)
