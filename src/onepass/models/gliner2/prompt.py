"""A schema as GLiNER2 asks it: groups of markers and labels in front of the text.

``group [SEP_STRUCT] group ... [SEP_TEXT] word word ...`` with
``group = ( [P] prompt ( X item X item ... ) )``. Each group keeps the typed ids of what it asks, so
nothing is ever parsed back out of a prompt. A schema that does not fit beside the text is split
over several prompts by `onepass.models.gliner2.passes`. This module makes piece ids; it knows
nothing about scores.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.names import AS_WRITTEN, Names
from onepass.schema import ClassificationTask, Label, Schema

SEP_STRUCT, SEP_TEXT = "[SEP_STRUCT]", "[SEP_TEXT]"
PARENT = "[P]"
EXAMPLE, OUTPUT, DESCRIPTION = "[EXAMPLE]", "[OUTPUT]", "[DESCRIPTION]"
SPECIAL_TOKENS = (
    SEP_STRUCT, SEP_TEXT, PARENT, "[C]", "[E]", "[R]", "[L]", EXAMPLE, OUTPUT, DESCRIPTION,
)  # fmt: skip  # in the order of their ids


class Kind(StrEnum):
    """What a group asks for."""

    STRUCTURE = "structure"
    ENTITIES = "entities"
    RELATION = "relation"
    CLASSES = "classes"


MARKERS = {
    Kind.STRUCTURE: "[C]",
    Kind.ENTITIES: "[E]",
    Kind.RELATION: "[R]",
    Kind.CLASSES: "[L]",
}

# What the findings of a group are called in reports, thresholds and calibration.
SECTION_OF = {
    Kind.STRUCTURE: "records",
    Kind.ENTITIES: "entities",
    Kind.RELATION: "relations",
}


@dataclass(frozen=True, slots=True)
class Group:
    """One bracket of the prompt.

    Attributes:
        kind: what it asks.
        task: index of the structure, relation type or classification task; 0 for entities.
        items: indices of the labels or fields that it holds; (0, 1) for head and tail.
    """

    kind: Kind
    task: int
    items: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """One encoded pass.

    Attributes:
        groups: what is asked, in the order of the prompt.
        ids: (pieces,) up to and including ``[SEP_TEXT]`` and the choice words.
        parents: (groups,) position of each ``[P]``.
        markers: for each group, (items,) positions of its markers.
        prefix_places: (prefix words,) position of each choice word in ``ids``.
        prefix_lengths: (prefix words,) its number of pieces.
        choices: (group, item) to the (choices,) rows of its choice words.
    """

    groups: tuple[Group, ...]
    ids: Int64s
    parents: Int64s
    markers: tuple[Int64s, ...]
    prefix_places: Int64s
    prefix_lengths: Int64s
    choices: dict[tuple[int, int], Int64s]
    words: ClassVar[int] = 0  # no limit counts words

    @property
    def pieces(self) -> int:
        """Number of pieces."""
        return len(self.ids)

    @property
    def prefix_words(self) -> int:
        """Number of words that stand before the text's own words."""
        return len(self.prefix_places)


def all_groups(schema: Schema) -> list[Group]:
    """Return the groups of a whole schema, in the family's order.

    >>> schema = Schema().relations(["works for"]).entities(["person", "company"])
    >>> [(group.kind.value, group.items) for group in all_groups(schema)]
    [('entities', (0, 1)), ('relation', (0, 1))]
    """
    groups = [
        Group(Kind.STRUCTURE, i, tuple(range(len(structure.fields))))
        for i, structure in enumerate(schema.structures)
    ]
    if schema.span_labels:
        groups.append(Group(Kind.ENTITIES, 0, tuple(range(len(schema.span_labels)))))
    groups += [Group(Kind.RELATION, i, (0, 1)) for i in range(len(schema.relation_types))]
    groups += [
        Group(Kind.CLASSES, i, tuple(range(len(task.labels))))
        for i, task in enumerate(schema.classification_tasks)
    ]
    return groups


def encode_prompt(
    schema: Schema,
    groups: Sequence[Group],
    tokenizer: PieceTokenizer,
    names: Names = AS_WRITTEN,
) -> Prompt:
    """Encode some groups of a schema as one prompt.

    Args:
        schema: what the groups' indices point into.
        groups: the brackets, in the order in which they shall stand.
        tokenizer: of the checkpoint.
        names: how it reads them.

    >>> from onepass.builtin import builtin_checkpoint
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> schema = Schema().entities(["person", "company"])
    >>> prompt = encode_prompt(schema, all_groups(schema), tokenizer)
    >>> (prompt.ids[prompt.markers[0]] == tokenizer.id_of("[E]")).tolist()
    [True, True]
    """
    elements: list[str] = []
    parent_elements: list[int] = []
    marker_elements: list[list[int]] = []
    for group in groups:
        text, items = _wording(schema, group, tokenizer, names)
        parent_elements.append(len(elements) + 1)
        elements += ["(", PARENT, text, "("]
        places = []
        for item in items:
            places.append(len(elements))
            elements += [MARKERS[group.kind], item]
        marker_elements.append(places)
        elements += [")", ")", SEP_STRUCT]
    elements[-1] = SEP_TEXT
    prefix, choices = _choice_words(schema, groups, tokenizer, names)
    first_prefix = len(elements)
    ids, lengths = tokenizer.flat(elements + prefix)
    firsts = np.cumsum(lengths) - lengths  # position of each element's first piece
    return Prompt(
        groups=tuple(groups),
        ids=ids,
        parents=firsts[parent_elements],
        markers=tuple(firsts[places] for places in marker_elements),
        prefix_places=firsts[first_prefix:],
        prefix_lengths=lengths[first_prefix:],
        choices=choices,
    )


def _wording(
    schema: Schema, group: Group, tokenizer: PieceTokenizer, names: Names
) -> tuple[str, list[str]]:
    """Return the text behind ``[P]`` and the names behind the markers."""
    plain = tokenizer.plain
    if group.kind is Kind.RELATION:
        relation = schema.relation_types[group.task]
        base = names.read(relation.name)
        if relation.description:
            base = f"{base}: {relation.description}"
        return plain(base), ["head", "tail"]
    if group.kind is Kind.ENTITIES:
        return _items("entities", [_span_label(schema, names, i) for i in group.items], plain)
    if group.kind is Kind.STRUCTURE:
        structure = schema.structures[group.task]
        fields = [structure.fields[i] for i in group.items]
        read = [(names.read(field.name), field.description) for field in fields]
        return _items(plain(names.read(structure.name)), read, plain)
    task = schema.classification_tasks[group.task]
    labels = [task.labels[i] for i in group.items]
    name = names.read(task.name)
    base = plain(f"{name}: {task.prompt}" if task.prompt else name)
    text, items = _items(base, [(label.name, label.description) for label in labels], plain)
    return text + examples_text(task, labels, plain), items


def _items(
    base: str, items: Sequence[tuple[str, str | None]], plain: Callable[[str], str]
) -> tuple[str, list[str]]:
    """Return a text with the descriptions of some labels or fields behind it, and their names."""
    text = "".join([base, *(described(*item, plain) for item in items)])
    return text, [plain(name) for name, _ in items]


def examples_text(
    task: ClassificationTask, labels: Sequence[Label], plain: Callable[[str], str]
) -> str:
    """Return the examples of some labels; checkpoints were trained on pairs of one label."""
    names = {label.name for label in labels}
    return "".join(
        f" {EXAMPLE} {plain(example)} {OUTPUT} {plain(answer)}"
        for example, answers in task.examples
        for answer in answers
        if answer in names
    )


def _span_label(schema: Schema, names: Names, item: int) -> tuple[str, str | None]:
    """Return what is read of an entity label or question: a question is a label of its own."""
    labels = schema.entity_labels
    if item >= len(labels):
        return schema.questions[item - len(labels)].label, None
    return names.read(labels[item].name), labels[item].description


def described(name: str, description: str | None, plain: Callable[[str], str]) -> str:
    """Return what stands behind a prompt for a label or field with a description."""
    return f" {DESCRIPTION} {plain(f'{name}: {description}')}" if description else ""


def _choice_words(
    schema: Schema, groups: Sequence[Group], tokenizer: PieceTokenizer, names: Names
) -> tuple[list[str], dict[tuple[int, int], Int64s]]:
    """Return the words ``( parent: field ( a | b ) , ... )`` and the row of every choice."""
    words: list[str] = []
    rows: dict[tuple[int, int], Int64s] = {}
    for number, group in enumerate(groups):
        if group.kind is not Kind.STRUCTURE:
            continue
        structure = schema.structures[group.task]
        with_choices = [i for i in group.items if structure.fields[i].choices]
        if not with_choices:
            continue
        words += ["(", tokenizer.plain(f"{names.read(structure.name)}:")]
        for i in with_choices:
            field = structure.fields[i]
            words += [tokenizer.plain(names.read(field.name)), "("]
            first = len(words)
            for choice in field.choices:
                words += [tokenizer.plain(choice), "|"]
            words[-1] = ")"
            rows[number, i] = first + 2 * np.arange(len(field.choices))
            words.append(",")
        words[-1] = ")"
    return words, rows
