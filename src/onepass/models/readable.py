"""Labels in which a tokenizer finds nothing to read are refused: a model would find anything.

An invisible label is left over where text was cleaned or copied.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import SchemaError
from onepass.schema import Field, Label, RelationType, Schema
from onepass.schema.shown import shown

Named = tuple[str, str]  # what something is called in an error, and what is read of it


def check_readable(named: Iterable[Named], tokenizer: PieceTokenizer) -> None:
    """Refuse what a tokenizer reads as nothing: the model would be asked for anything.

    Raises:
        SchemaError: naming the first that has no piece.
    """
    every = list(named)
    pieces = tokenizer.pieces([tokenizer.plain(text) for _, text in every])
    for (name, text), own in zip(every, pieces, strict=True):
        if not own:
            raise SchemaError(
                f"The {name} is read as {shown(text)}, in which the tokenizer of this checkpoint "
                "finds nothing to read; write it with other characters."
            )


def labels_read(labels: Sequence[Label], texts: Sequence[str]) -> Iterator[Named]:
    """Yield labels that are encoded by themselves.

    Args:
        labels: what they are called.
        texts: what is read of each.

    >>> list(labels_read([Label("person")], ["a person"]))
    [("label 'person'", 'a person')]
    """
    for label, text in zip(labels, texts, strict=True):
        yield f"label {shown(label.name)}", text


def names_of(schema: Schema) -> Iterator[Named]:
    """Yield all names of a schema, each with its description, which may say it in its place.

    >>> list(names_of(Schema().entities({"person": "a name"})))
    [("entity label 'person'", 'person a name')]
    """
    for label in schema.entity_labels:
        yield f"entity label {shown(label.name)}", _said(label)
    for question in schema.questions:
        yield f"question {shown(question.name)}", question.label
    for task in schema.classification_tasks:
        for label in task.labels:
            yield f"label {shown(label.name)}", _said(label)
    for relation in schema.relation_types:
        yield f"relation type {shown(relation.name)}", _said(relation)
    for structure in schema.structures:
        for field in structure.fields:
            owner = f"field {shown(field.name)} of {shown(structure.name)}"
            yield owner, _said(field)
            for choice in field.choices:
                yield f"choice {shown(choice)} of the {owner}", choice


def _said(one: Label | RelationType | Field) -> str:
    return f"{one.name} {one.description}" if one.description else one.name
