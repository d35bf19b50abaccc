"""What a schema holds, and what can be told from that alone.

`onepass.schema.schema.Schema` adds the calls that build it; this module knows none of them.
"""

from __future__ import annotations

from typing import Self

from onepass.errors import SchemaError
from onepass.schema.parse import Parts
from onepass.schema.relation import RelationType, check_relations
from onepass.schema.rules import check_labels, check_packages
from onepass.schema.task import ClassificationTask
from onepass.schema.types import Label, Naming, Question, Structure


class Content:
    """The parts of a schema; compares and hashes by them."""

    __slots__ = (
        "classification_tasks", "entity_labels", "naming", "questions", "relation_types",
        "structures",
    )  # fmt: skip

    entity_labels: tuple[Label, ...]
    classification_tasks: tuple[ClassificationTask, ...]
    structures: tuple[Structure, ...]
    relation_types: tuple[RelationType, ...]
    questions: tuple[Question, ...]
    naming: Naming | None

    def __init__(self) -> None:
        self._store(Parts())

    @property
    def span_labels(self) -> tuple[Label | Question, ...]:
        """What spans of the text may be labeled with: entity labels, then questions."""
        return (*self.entity_labels, *self.questions)

    def copy(self) -> Self:
        """Return an equal schema that can be changed on its own.

        >>> from onepass.schema import Schema
        >>> first = Schema().entities(["person"])
        >>> second = first.copy().entities(["company"])
        >>> len(first.entity_labels), len(second.entity_labels)
        (1, 2)
        """
        return type(self)()._store(self._parts())

    def checked(self) -> Self:
        """Return the schema itself if it asks for something.

        Raises:
            SchemaError: if it asks for nothing, for names of entities but for no entities, or for
                relations between labels that are not asked for.
            MissingExtra: if values of a kind are asked for whose library is not installed.

        >>> from onepass.schema import Schema
        >>> Schema().checked()
        Traceback (most recent call last):
        ...
        onepass.errors.SchemaError: The schema asks for nothing; add entities, a classification, \
a structure, relations or a question.
        """
        if self.is_empty:
            raise SchemaError(
                "The schema asks for nothing; "
                "add entities, a classification, a structure, relations or a question."
            )
        if self.naming is not None and not self.entity_labels:
            raise SchemaError(
                "The schema names entities but asks for none; add entity labels, such as 'entity'."
            )
        labels = {label.name for label in self.entity_labels}
        check_relations(self.relation_types, labels)
        for structure in self.structures:
            for field in structure.fields:
                check_labels(field.rules, labels, field.name)
                check_packages(field.rules)
        return self

    @property
    def is_empty(self) -> bool:
        """Whether nothing is asked for."""
        return not any(self._parts())

    @property
    def labels_total(self) -> int:
        """How many names a model is asked about.

        Entity labels, labels of classifications, fields, choices, relation types, questions.
        """
        tasks = sum(len(task.labels) for task in self.classification_tasks)
        fields = sum(
            1 + len(field.choices) for structure in self.structures for field in structure.fields
        )
        named = len(self.entity_labels) + len(self.relation_types) + len(self.questions)
        return named + tasks + fields

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Content):
            return NotImplemented
        return self._parts() == other._parts()

    def __hash__(self) -> int:
        return hash(self._parts())

    def _parts(self) -> Parts:
        """Return the content."""
        return Parts(
            self.entity_labels,
            self.classification_tasks,
            self.structures,
            self.relation_types,
            self.questions,
            self.naming,
        )

    def _store(self, parts: Parts) -> Self:
        """Replace the content."""
        self.entity_labels = parts.entity_labels
        self.classification_tasks = parts.classification_tasks
        self.structures = parts.structures
        self.relation_types = parts.relation_types
        self.questions = parts.questions
        self.naming = parts.naming
        return self
