"""A schema over as few prompts (passes) as fit beside the text.

It counts pieces; what stands in a prompt is in `onepass.models.gliner2.prompt`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.models.gliner2.names import AS_WRITTEN, Names
from onepass.models.gliner2.prompt import (
    Group,
    Kind,
    all_groups,
    described,
    encode_prompt,
    examples_text,
)
from onepass.schema import Field, Label, Schema
from onepass.schema.shown import shown


def split_groups(
    schema: Schema,
    tokenizer: PieceTokenizer,
    budget: int,
    kinds: Collection[Kind] = frozenset(Kind),
    names: Names = AS_WRITTEN,
) -> list[list[Group]]:
    """Distribute a schema over as few prompts as fit into a budget each.

    Labels of one group may land in several prompts; nothing is dropped.

    Args:
        schema: what is asked.
        tokenizer: of the checkpoint.
        budget: pieces that one prompt may have.
        kinds: of the groups that are asked, at least one of which the schema has.
        names: how the checkpoint reads them.

    Returns:
        The groups of each prompt.

    Raises:
        SchemaError: if a single label with what is said of it is longer than the budget.

    >>> from onepass.builtin import builtin_checkpoint
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> schema = Schema().entities(["person", "company", "city", "price"])
    >>> [[group.items for group in groups] for groups in split_groups(schema, tokenizer, 14)]
    [[(0, 1)], [(2, 3)]]
    """
    whole = [group for group in all_groups(schema) if group.kind in kinds]
    if len(encode_prompt(schema, whole, tokenizer, names).ids) <= budget:
        return [whole]
    passes: list[list[Group]] = [[]]
    for group in whole:
        for part in _parts(schema, group, tokenizer, budget, names):
            together = _with(passes[-1], part)
            if len(encode_prompt(schema, together, tokenizer, names).ids) <= budget:
                passes[-1] = together
            else:
                passes.append([part])
    return passes


def _with(groups: list[Group], part: Group) -> list[Group]:
    """Return groups with another part; parts of one thing are asked as one group.

    A record then keeps together what can be asked together.
    """
    if groups and (groups[-1].kind, groups[-1].task) == (part.kind, part.task):
        return [*groups[:-1], Group(part.kind, part.task, groups[-1].items + part.items)]
    return [*groups, part]


def _parts(
    schema: Schema, group: Group, tokenizer: PieceTokenizer, budget: int, names: Names
) -> list[Group]:
    """Split one group into parts that fit into the budget alone."""
    total = len(encode_prompt(schema, [group], tokenizer, names).ids)
    if total <= budget:
        return [group]
    if group.kind is Kind.RELATION or len(group.items) == 1:
        parts = _named_parts(schema, group, tokenizer.plain)
        sizes = [len(own) for own in tokenizer.pieces([text for _, _, text in parts])]
        title, beside, _ = parts[sizes.index(max(sizes))]
        raise SchemaError(
            f"{title} takes {total} pieces with {beside}, but a prompt of this model may have "
            f"{budget}; shorten it."
        )
    middle = len(group.items) // 2
    halves = (group.items[:middle], group.items[middle:])
    return [
        part
        for half in halves
        for part in _parts(schema, Group(group.kind, group.task, half), tokenizer, budget, names)
    ]


def _named_parts(
    schema: Schema, group: Group, plain: Callable[[str], str]
) -> list[tuple[str, str, str]]:
    """Return what a group of one item is made of: its name, what is beside it, and its text."""
    own, item = "its description", group.items[0]
    if group.kind is Kind.RELATION:
        relation = schema.relation_types[group.task]
        return [(f"The relation type {shown(relation.name)}", own, "")]
    if group.kind is Kind.ENTITIES:
        labels = len(schema.entity_labels)
        if item >= labels:
            question = schema.questions[item - labels]
            return [(f"The question {shown(question.name)}", "its marks", "")]
        return [(f"The entity label {shown(schema.entity_labels[item].name)}", own, "")]
    if group.kind is Kind.STRUCTURE:
        structure = schema.structures[group.task]
        field = structure.fields[item]
        title = f"field {shown(field.name)} of {shown(structure.name)}"
        return [
            (f"The {title}", own, _alone(field, plain)),
            (f"The name of the structure {shown(structure.name)}", "one field", structure.name),
            (f"The list of choices of the {title}", "its field", plain(" | ".join(field.choices))),
        ]
    task = schema.classification_tasks[group.task]
    label = task.labels[item]
    name, prompt = shown(task.name), "name" if task.prompt is None else "prompt"
    return [
        (f"The label {shown(label.name)} of task {name}", own, _alone(label, plain)),
        (f"The {prompt} of task {name}", "one label", plain(task.prompt or task.name)),
        (f"The list of examples of task {name}", "one label", examples_text(task, [label], plain)),
    ]


def _alone(item: Label | Field, plain: Callable[[str], str]) -> str:
    """Return what is read of a label or field."""
    return plain(item.name) + described(item.name, item.description, plain)
