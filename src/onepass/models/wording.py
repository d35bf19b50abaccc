"""What checkpoints that only classify share: labels in the gap of a text, and what they refuse.

It knows none of their families.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import CheckpointError, SchemaError
from onepass.models.readable import check_readable, labels_read
from onepass.schema import ClassificationTask, Label, Schema
from onepass.schema.shown import shown

GAP = "{}"


@dataclass(frozen=True, slots=True)
class Template:
    """A text with one gap for a label.

    Attributes:
        before: what stands before the gap.
        after: what stands behind it.

    >>> Template.parse("This text is about {}.").fill(Label("sports", "football and the like"))
    'This text is about football and the like.'
    """

    before: str
    after: str

    @classmethod
    def parse(cls, text: str) -> Template:
        """Read a template.

        Raises:
            ValueError: unless ``{}`` stands in it exactly once.
        """
        before, gap, after = text.partition(GAP)
        if not gap or GAP in after:
            raise ValueError(f"{shown(text)} must hold {GAP} once, where the label goes")
        return cls(before, after)

    def fill(self, label: Label) -> str:
        """Return the template with a label in it: its description if it has one, or its name."""
        return f"{self.before}{_gap_text(label)}{self.after}"


def _gap_text(label: Label) -> str:
    return label.description or label.name


def check_gaps(labels: Sequence[Label], tokenizer: PieceTokenizer) -> None:
    """Refuse labels that leave the gap empty: their template alone can always be read.

    Raises:
        SchemaError: naming the first in which the tokenizer finds nothing to read.

    >>> from onepass.builtin import builtin_checkpoint
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> check_gaps([Label("sports", "\u200b")], tokenizer)
    Traceback (most recent call last):
    onepass.errors.SchemaError: The label 'sports' is read as '\u200b', in which the tokenizer ...
    """
    check_readable(labels_read(labels, [_gap_text(label) for label in labels]), tokenizer)


def own_template(own: Mapping[str, Any], path: Path, otherwise: Template) -> Template:
    """Return the template of a checkpoint.

    Args:
        own: what its ``onepass.json`` says, which may have a ``template``.
        path: of that file, for an error.
        otherwise: the template if it has none.

    Raises:
        CheckpointError: if it is not a text with one gap.
    """
    text = own.get("template")
    if text is None:
        return otherwise
    try:
        return Template.parse(text if isinstance(text, str) else repr(text))
    except ValueError as error:
        raise CheckpointError(f"The template in {path} is wrong: {error}; correct it.") from error


def task_template(task: ClassificationTask, otherwise: Template) -> Template:
    """Return the template of a task: its prompt, or that of the checkpoint.

    Raises:
        SchemaError: for a prompt without a gap.
    """
    if task.prompt is None:
        return otherwise
    try:
        return Template.parse(task.prompt)
    except ValueError as error:
        raise SchemaError(
            f"The prompt of task {shown(task.name)} is the sentence that its labels go into with "
            f"this checkpoint, but {error}; change it, or leave it out."
        ) from error


def check_classes_only(schema: Schema, what: str, *, examples: bool = False) -> None:
    """Refuse what a checkpoint that only classifies cannot answer.

    Args:
        schema: what is asked.
        what: what a message calls the checkpoint, such as "An NLI checkpoint".
        examples: whether it reads examples.

    Raises:
        SchemaError: naming what cannot be asked.

    >>> check_classes_only(Schema().entities(["person"]), "An NLI checkpoint")
    Traceback (most recent call last):
    onepass.errors.SchemaError: An NLI checkpoint only classifies, so it finds no entities; ...
    """
    asked = {
        "entities": schema.entity_labels or schema.naming is not None,
        "answers to questions": schema.questions,
        "records": schema.structures,
        "relations": schema.relation_types,
    }
    for kind, some in asked.items():
        if some:
            raise SchemaError(
                f"{what} only classifies, so it finds no {kind}; ask it for classifications, or "
                "open a GLiNER2 checkpoint."
            )
    for task in schema.classification_tasks:
        if task.examples and not examples:
            raise SchemaError(
                f"{what} reads no examples, but task {shown(task.name)} has some; leave them out."
            )
