"""The schema builder: what to find in a text, composed of entities, classes, structures, relations.

It knows nothing about texts, prompts or models.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

from onepass.errors import SchemaError
from onepass.schema.calls import builder_calls
from onepass.schema.content import Content
from onepass.schema.json_model import shape_of_json
from onepass.schema.leaves import (
    Fields,
    Labels,
    Questions,
    Relations,
    items_of,
    read_fields,
    read_labels,
    read_naming,
    read_questions,
    read_relation_types,
)
from onepass.schema.parse import Parts, joined, parse_dict, parse_json
from onepass.schema.shown import shown
from onepass.schema.task import ClassificationTask, WindowScores
from onepass.schema.trees import Tree, read_tree
from onepass.schema.types import Question, Structure, check_name
from onepass.schema.write import write_dict

if TYPE_CHECKING:
    from pydantic import BaseModel


class Schema(Content):
    """What to find in a text: entities, classes, records, relations, answers, in any mix.

    Every method that adds something checks it at once, changes the schema and returns it, so that
    calls chain; a call that refuses its arguments leaves the schema as it was. Schemas compare and
    hash by content: do not add to one while it is a key of a dict or an item of a set.

    Attributes:
        entity_labels: the labels of entities.
        classification_tasks: the questions about the whole text.
        structures: the kinds of record.
        relation_types: the kinds of directed pair.
        questions: questions in words, which are answered with parts of the text.
        naming: rules for names that the checkpoint writes for entities itself; None for no such
            names.

    >>> schema = (
    ...     Schema()
    ...     .entities(["person", "company"])
    ...     .classification("tone", ["calm", "angry"])
    ...     .structure("product", ["name::str", "price"])
    ...     .relations({"works for": "a person is employed by a company"})
    ... )
    >>> [label.name for label in schema.entity_labels], schema.labels_total
    (['person', 'company'], 7)
    """

    __slots__ = ()

    def entities(self, labels: Labels, *, threshold: float | None = None) -> Self:
        """Ask for entities; repeated calls add labels.

        Args:
            labels: names, or a mapping of names to descriptions or to
                {"description": ..., "threshold": ...}.
            threshold: the threshold of those labels that give none, from 0 to 1; None leaves it to
                the checkpoint.

        Raises:
            SchemaError: if there is no label, or one is empty, repeated or not a string.

        >>> Schema().entities({"company": "legal name of a firm"}, threshold=0.4).entity_labels
        (Label(name='company', description='legal name of a firm', threshold=0.4),)
        """
        asked = read_labels(labels, "labels", threshold=threshold)
        _check_some(asked, "labels")
        return self._add(Parts(entity_labels=asked))

    def classification(
        self,
        name: str,
        labels: Tree,
        *,
        multi_label: bool = False,
        threshold: float | None = None,
        prompt: str | None = None,
        examples: Iterable[tuple[str, str | Sequence[str]] | Mapping[str, Any]] = (),
        abstain: bool | float | None = None,
        window_scores: WindowScores | None = None,
    ) -> Self:
        """Ask a question about the whole text.

        Args:
            name: the name of the task, which is also the key of its answer.
            labels: the possible answers, written as in `entities`; or a tree, a mapping of names to
                lists or mappings of the labels below them.
            multi_label: whether any number of labels may hold, instead of exactly one.
            threshold: the threshold of those labels that give none, from 0 to 1.
            prompt: an instruction put before the text, for checkpoints that read one.
            examples: pairs of a text and its label, or its labels, for checkpoints that read them;
                also as ``{"text": ..., "labels": ...}``.
            abstain: whether there may be no answer where exactly one label holds: if the best one,
                scored by itself, stays below this number from 0 to 1; True leaves it to the
                checkpoint.
            window_scores: the way in which the scores of the windows of a long text become one:
                "max", "mean" or "length" (the mean, weighted by length). None is "max" if several
                labels may hold, else "length".

        Raises:
            SchemaError: if the name is empty or taken, a label is wrong, or an example names a
                label that the task does not have.

        >>> Schema().classification("topics", ["sport", "law"], multi_label=True)
        Schema().classification('topics', ['sport', 'law'], multi_label=True)
        >>> schema = Schema().classification("topic", {"sport": ["tennis", "golf"], "law": []})
        >>> schema.classification_tasks[0].result_names
        ('sport', 'sport/tennis', 'sport/golf', 'law')
        """
        task_name = check_name(name, "The name of a classification task")
        nodes, parents = read_tree(labels, "labels")
        task = ClassificationTask(
            name=task_name,
            labels=nodes,
            multi_label=multi_label,
            threshold=threshold,
            prompt=prompt,
            examples=tuple(items_of(examples, "examples", split_commas=False)),
            abstain=abstain,
            window_scores=window_scores,
            parents=parents,
        )
        return self._add(Parts(classification_tasks=(task,)))

    def structure(self, name: str, fields: Fields) -> Self:
        """Ask for records of a kind.

        Args:
            name: the name of the kind.
            fields: shorthand strings ("name::str::full name"), objects ({"name", "dtype",
                "choices", "description", "threshold"}) or `Field` values; or a mapping of names to
                descriptions or objects.

        Raises:
            SchemaError: if the name is empty or taken, or a field is wrong.

        >>> Schema().structure("product", ["name::str", {"name": "colors", "threshold": 0.3}])
        Schema().structure('product', ['name::str', Field(name='colors', dtype='list', \
choices=(), description=None, threshold=0.3)])
        """
        structure_name = check_name(name, "The name of a structure")
        return self._add(
            Parts(structures=(Structure(structure_name, read_fields(fields, "fields")),))
        )

    def relations(self, types: Relations, *, threshold: float | None = None) -> Self:
        """Ask for directed pairs; repeated calls add relation types.

        Args:
            types: names, or a mapping of names to descriptions or to objects with any of
                "description", "threshold", "head", "tail" (labels of entities), "symmetric",
                "inverse", "max_heads" and "max_tails"; see `RelationType`.
            threshold: the threshold of those types that give none, from 0 to 1.

        Raises:
            SchemaError: if there is no type, or one is empty, repeated or not a string.

        >>> Schema().relations(["works for"]).relation_types[0].name
        'works for'
        """
        asked = read_relation_types(types, "types", threshold=threshold)
        _check_some(asked, "types")
        return self._add(Parts(relation_types=asked))

    def ask(self, questions: Questions, *, threshold: float | None = None) -> Self:
        """Ask questions that are answered with parts of the text; repeated calls add.

        The answers are among the entities of the result, labeled with the name of the question.

        Args:
            questions: texts, or a mapping of names to texts or to {"text", "kind", "threshold"};
                the kind "open" is an instruction that says what to find.
            threshold: the threshold of those questions that give none, from 0 to 1; None leaves it
                to the checkpoint.

        Raises:
            SchemaError: if there is no question, or one is empty, repeated or not a string.

        >>> Schema().ask({"founder": "Who founded the company?"}).questions[0].name
        'founder'
        """
        asked = read_questions(questions, "questions", threshold=threshold)
        _check_some(asked, "questions")
        return self._add(Parts(questions=asked))

    def summary(self, name: str = "summary", *, threshold: float | None = None) -> Self:
        """Ask for the parts of the text that say what matters; they are labeled with the name.

        Raises:
            SchemaError: if the name is empty or taken.

        >>> Schema().summary().to_dict()
        {'questions': {'summary': {'kind': 'summary'}}}
        """
        return self._add(Parts(questions=(Question(name, None, "summary", threshold),)))

    def name_entities(self, choices: Iterable[str] | None = None, *, count: int = 1) -> Self:
        """Let the checkpoint name every entity in its own words, or in the words of choices.

        For checkpoints that generate labels; the names stand in `Entity.names`.

        Args:
            choices: the only names allowed; None allows any.
            count: the largest number of names for one entity.

        Raises:
            SchemaError: if there are no choices, or one is empty, repeated or not a string; if the
                count is not a whole number from 1 up; or if naming was asked for before.

        >>> Schema().entities(["place"]).name_entities(["city", "river"], count=2)
        Schema().entities(['place']).name_entities(['city', 'river'], count=2)
        """
        return self._add(Parts(naming=read_naming(choices, count)))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Return the schema that the JSON form describes (see docs/schema.md).

        Raises:
            SchemaError: naming what is wrong in it.

        >>> Schema.from_dict({"entities": ["person"], "relations": ["works for"]})
        Schema().entities(['person']).relations(['works for'])
        """
        return cls()._store(parse_dict(data))

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the schema that JSON text describes.

        Raises:
            SchemaError: if the text is not JSON, or names what is wrong in it.

        >>> Schema.from_json('{"entities": ["person"]}').to_dict()
        {'entities': ['person']}
        """
        if not isinstance(text, str):
            raise SchemaError(
                f"from_json expects a string, but {shown(text)} ({type(text).__name__}) was given."
            )
        return cls()._store(parse_dict(parse_json(text)))

    @classmethod
    def from_pydantic(cls, model_class: type[BaseModel]) -> Self:
        """Return a schema with the structures of a Pydantic model and of the models in it.

        A structure is named after its class in lower-case words ("ProductReview" gives "product
        review"); fields keep their names and descriptions. ``list[...]`` gives a list, Literal,
        Enum and bool give choices, other types a single span of text with the rules of the type
        and of its constraints; see docs/typed.md.

        Raises:
            SchemaError: if it is not a model class, models are nested too deeply, or a type cannot
                be extracted from text.

        >>> from pydantic import BaseModel
        >>> class ProductReview(BaseModel):
        ...     product: str
        ...     complaints: list[str]
        >>> Schema.from_pydantic(ProductReview)
        Schema().structure('product review', ['product::str', 'complaints'])
        """
        from onepass.schema.pydantic_model import shape_of_model  # pydantic loads slowly

        return cls()._add(Parts(structures=shape_of_model(model_class).structures()))

    @classmethod
    def from_json_schema(cls, data: Mapping[str, Any]) -> Self:
        """Return a schema with the structures of a JSON Schema of an object.

        Raises:
            SchemaError: if it has no properties, or one that cannot be extracted from text.

        >>> item = {"type": "object", "properties": {"count": {"type": "integer", "minimum": 1}}}
        >>> Schema.from_json_schema({"title": "Item", **item}).to_dict()["structures"]["item"]
        {'fields': [{'name': 'count', 'dtype': 'str', 'kind': 'integer', 'ge': 1}]}
        """
        return cls()._add(Parts(structures=shape_of_json(data).structures()))

    def to_dict(self) -> dict[str, Any]:
        """Return the canonical JSON form; `from_dict` reads it back equal.

        >>> Schema().structure("product", ["name::str"]).to_dict()
        {'structures': {'product': {'fields': [{'name': 'name', 'dtype': 'str'}]}}}
        """
        return write_dict(self._parts())

    def to_json(self, *, indent: int | None = None) -> str:
        """Return the canonical JSON form as text; ``indent`` is the spaces per level.

        Raises:
            SchemaError: for an indent that is not a whole number.

        >>> Schema().entities(["person"]).to_json()
        '{"entities": ["person"]}'
        """
        if indent is not None and type(indent) is not int:
            raise SchemaError(f"The indent must be a whole number, but {shown(indent)} was given.")
        return json.dumps(self.to_dict(), ensure_ascii=False, indent=indent)

    def merged(self, other: Schema) -> Self:
        """Return a new schema that asks for all that this one and another ask for.

        Raises:
            SchemaError: if both ask for the same name, or the other is no schema.

        >>> Schema().entities(["person"]).merged(Schema().relations(["owns"]))
        Schema().entities(['person']).relations(['owns'])
        """
        if not isinstance(other, Schema):
            raise SchemaError(
                f"A Schema can be merged with another Schema, but {shown(other)} "
                f"({type(other).__name__}) was given; make one of it with Schema.from_dict."
            )
        return self.copy()._add(other._parts())

    def __repr__(self) -> str:
        """Return the calls that build this schema."""
        return builder_calls(self._parts())

    def _add(self, parts: Parts) -> Self:
        """Add content, or refuse it and change nothing."""
        return self._store(joined(self._parts(), parts))


def _check_some(items: Sequence[object], what: str) -> None:
    """Refuse a call that adds nothing."""
    if not items:
        raise SchemaError(f"{what} must not be empty; give at least one.")
