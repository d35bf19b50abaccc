"""Examples: a text with everything that was annotated in it, in character offsets.

This is the documented JSONL format of onepass, as values that refuse contradictions at birth. It
knows nothing about prompts or models.

An entity list is exhaustive for the labels in ``asked`` (those without a mention are negatives) and
says nothing about other labels.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from onepass.corpus.checks import all_names, as_name, as_shown, as_span, distinct, inside
from onepass.errors import InputError
from onepass.schema.shown import shown
from onepass.schema.types import Dtype

TASK = "class"  # what a task is called where a format has no names of questions


@dataclass(frozen=True, slots=True)
class Mention:
    """A gold span of one label.

    Attributes:
        start: index of the first character.
        end: index behind the last character.
        label: the entity label.

    >>> Mention(0, 8, "person").end
    8
    """

    start: int
    end: int
    label: str

    def __post_init__(self) -> None:
        as_name(self.label, "the label of an entity")
        as_span(self.start, self.end, f"the entity {shown(self.label)}")


@dataclass(frozen=True, slots=True)
class GoldTask:
    """A gold classification: all candidate labels and the true ones.

    Attributes:
        name: the name of the task.
        labels: all labels to choose from.
        true: the labels that hold; may be empty.
        multi_label: whether several labels may hold.
        descriptions: label to what it means.
        prompt: an instruction put before the text.
        examples: texts, each with the labels that hold for it; a single one may be a string.

    >>> GoldTask("tone", ("calm", "angry"), ("sad",))
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: the true label 'sad' of task 'tone' is not one of its labels.
    """

    name: str
    labels: tuple[str, ...]
    true: tuple[str, ...]
    multi_label: bool = False
    descriptions: Mapping[str, str] = field(default_factory=dict)
    prompt: str | None = None
    examples: tuple[tuple[str, tuple[str, ...]], ...] = ()

    def __post_init__(self) -> None:
        what = f"task {shown(as_name(self.name, 'the name of a task'))}"
        all_names(self.labels, f"a label of {what}")
        if not self.labels:
            raise InputError(f"{what} needs at least one label, but none was given.")
        distinct(self.labels, f"the labels of {what}")
        distinct(self.true, f"the true labels of {what}")
        for label in self.true:
            if label not in self.labels:
                raise InputError(
                    f"the true label {shown(label)} of {what} is not one of its labels."
                )
        if len(self.true) > 1 and not self.multi_label:
            raise InputError(
                f"{what} has {len(self.true)} true labels but is not multi_label; "
                "set multi_label to true or give one."
            )
        object.__setattr__(self, "examples", tuple(map(as_shown, self.examples)))
        for text, labels in self.examples:
            as_name(text, f"an example of {what}")
            distinct(labels, f"the labels of an example of {what}")
            if not labels or (len(labels) > 1 and not self.multi_label):
                raise InputError(
                    f"an example of {what} has {len(labels)} labels, but needs one"
                    f"{' or more' if self.multi_label else ''}."
                )
            for label in labels:
                if label not in self.labels:
                    raise InputError(
                        f"the example label {shown(label)} of {what} is not a label of it."
                    )


@dataclass(frozen=True, slots=True)
class GoldValue:
    """A gold field value: a span, a choice, or a text whose place is not known.

    Attributes:
        start: index of the first character of a span.
        end: index behind its last character.
        choice: the name of a choice.
        text: the words of a value whose place is not known.

    >>> GoldValue(3, 9).span, GoldValue(choice="red").span
    ((3, 9), None)
    """

    start: int | None = None
    end: int | None = None
    choice: str | None = None
    text: str | None = None

    def __post_init__(self) -> None:
        placed = self.start is not None or self.end is not None
        if placed + (self.choice is not None) + (self.text is not None) != 1:
            raise InputError(
                "a field value must be one of a span (start and end), a choice or a text, "
                f"but {shown(self)} was given."
            )
        if placed:
            as_span(self.start, self.end, "a field value")
        elif self.choice is not None:
            as_name(self.choice, "a choice")

    @property
    def span(self) -> tuple[int, int] | None:
        """The offsets, None where there are none."""
        if self.start is None or self.end is None:
            return None
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class GoldField:
    """How a field of a gold structure is asked.

    Attributes:
        name: the name of the field.
        description: a short phrase that says what is meant.
        choices: the values to choose from; empty for spans.
        dtype: "str" for at most one value in a record, "list" for any number of values.

    >>> GoldField("size", choices=("small", "large")).dtype
    'list'
    """

    name: str
    description: str | None = None
    choices: tuple[str, ...] = ()
    dtype: Dtype = "list"

    def __post_init__(self) -> None:
        what = f"field {shown(as_name(self.name, 'the name of a field'))}"
        all_names(self.choices, f"a choice of {what}")
        distinct(self.choices, f"the choices of {what}")
        if self.dtype not in ("str", "list"):
            raise InputError(
                f"the dtype of {what} must be 'str' or 'list', but {shown(self.dtype)} was given."
            )


@dataclass(frozen=True, slots=True)
class GoldStructure:
    """A record type and its gold records; no records means that there are none in the text.

    Attributes:
        name: the name of the kind.
        fields: the fields that were looked for.
        records: the records of the text, as mappings of fields to values.

    >>> GoldStructure("person", (GoldField("name"),), ({"age": (GoldValue(0, 2),)},))
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: a record has the field 'age', which structure 'person' does not have.
    """

    name: str
    fields: tuple[GoldField, ...]
    records: tuple[Mapping[str, tuple[GoldValue, ...]], ...]

    def __post_init__(self) -> None:
        what = f"structure {shown(as_name(self.name, 'the name of a structure'))}"
        if not self.fields:
            raise InputError(f"{what} needs at least one field, but none was given.")
        distinct((f.name for f in self.fields), f"the fields of {what}")
        fields = {f.name: f for f in self.fields}
        for record in self.records:
            for name, values in record.items():
                if name not in fields:
                    raise InputError(
                        f"a record has the field {shown(name)}, which {what} does not have."
                    )
                _holds(fields[name], values, what)


def _holds(gold: GoldField, values: tuple[GoldValue, ...], what: str) -> None:
    """Refuse values that a field cannot have."""
    if gold.dtype == "str" and len(values) > 1:
        raise InputError(
            f"a record of {what} has {len(values)} values of the field {shown(gold.name)}, whose "
            "dtype 'str' allows one; give one, or make the dtype 'list'."
        )
    for value in values:
        if value.choice is not None and value.choice not in gold.choices:
            raise InputError(
                f"a record of {what} has the choice {shown(value.choice)}, which is not one of the "
                f"choices of the field {shown(gold.name)}; add it there, or give one of them."
            )


@dataclass(frozen=True, slots=True)
class GoldRelation:
    """A gold pair of spans.

    Attributes:
        type: the relation type.
        head: first character of the head and the one behind its last.
        tail: first character of the tail and the one behind its last.

    >>> GoldRelation("works for", (0, 8), (18, 23)).tail
    (18, 23)
    """

    type: str
    head: tuple[int, int]
    tail: tuple[int, int]

    def __post_init__(self) -> None:
        what = f"the relation {shown(as_name(self.type, 'a relation type'))}"
        as_span(*self.head, f"the head of {what}")
        as_span(*self.tail, f"the tail of {what}")


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated text.

    Attributes:
        text: the text that was annotated.
        entities: gold spans.
        asked: entity labels that were looked for; those of ``entities`` are added.
        descriptions: entity label to what it means.
        classifications: questions about the whole text.
        structures: record types with their records.
        relations: gold pairs.
        asked_relations: relation types that were looked for; those of ``relations`` are added.
        relation_descriptions: relation type to what it means.
        source: the name of the data set or file that it comes from.
        unsure: entity labels that may hold, though no mention is known: never asked in training.
        unsure_relations: relation types that may hold, likewise.

    Raises:
        InputError: for a span outside the text, a name that two tasks or two structures have, or a
            label that is asked and unsure.

    >>> Example("Bo barks.", (Mention(0, 2, "dog"),), asked=("cat",)).asked
    ('cat', 'dog')
    """

    text: str
    entities: tuple[Mention, ...] = ()
    asked: tuple[str, ...] = ()
    descriptions: Mapping[str, str] = field(default_factory=dict)
    classifications: tuple[GoldTask, ...] = ()
    structures: tuple[GoldStructure, ...] = ()
    relations: tuple[GoldRelation, ...] = ()
    asked_relations: tuple[str, ...] = ()
    relation_descriptions: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    unsure: tuple[str, ...] = ()
    unsure_relations: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        all_names((*self.asked, *self.unsure), "an asked label")
        all_names((*self.asked_relations, *self.unsure_relations), "an asked relation type")
        distinct((task.name for task in self.classifications), "the tasks of a text")
        distinct((one.name for one in self.structures), "the structures of a text")
        for span, what in self.spans():
            inside(span, self.text, what)
        labels = dict.fromkeys([*self.asked, *(e.label for e in self.entities)])
        kinds = dict.fromkeys([*self.asked_relations, *(r.type for r in self.relations)])
        both = [*labels.keys() & set(self.unsure), *kinds.keys() & set(self.unsure_relations)]
        if both:
            raise InputError(
                f"{shown(both[0])} is both asked and unsure; leave it out of one of the two lists."
            )
        object.__setattr__(self, "asked", tuple(labels))
        object.__setattr__(self, "asked_relations", tuple(kinds))

    def spans(self) -> Iterator[tuple[tuple[int, int], str]]:
        """Yield every span with what it belongs to.

        >>> list(Example("Bo barks.", (Mention(0, 2, "dog"),)).spans())
        [((0, 2), "an entity 'dog'")]
        """
        for mention in self.entities:
            yield (mention.start, mention.end), f"an entity {shown(mention.label)}"
        for relation in self.relations:
            for span in (relation.head, relation.tail):
                yield span, f"a relation {shown(relation.type)}"
        for structure in self.structures:
            for record in structure.records:
                for name, values in record.items():
                    for value in values:
                        if value.span is not None:
                            yield value.span, f"a value of {shown(name)}"
