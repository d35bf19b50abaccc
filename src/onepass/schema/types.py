"""What can be asked for, as frozen values that refuse bad states at birth.

These are the leaves of a schema; `onepass.schema.schema.Schema` composes them. Classification tasks
have a module of their own, `onepass.schema.task`. They know nothing about texts, prompts or models.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as column
from numbers import Real
from typing import Literal, TypeVar, cast, get_args

from onepass.errors import SchemaError
from onepass.schema.rules import NO_RULES, Rules, check_count
from onepass.schema.shown import shown

Dtype = Literal["str", "list"]
QuestionKind = Literal["question", "summary", "open"]
QUESTION_KINDS: tuple[QuestionKind, ...] = get_args(QuestionKind)
Item = TypeVar("Item")


def _check_str(value: object, what: str) -> str:
    """Return ``value`` as an exact str that a tokenizer can read."""
    if not isinstance(value, str):
        raise SchemaError(
            f"{what} must be a string, but {shown(value)} ({type(value).__name__}) was given."
        )
    # A str Enum formats as "Color.RED": keep the characters only.
    text = value if type(value) is str else str.__str__(value)
    if not text.isascii() and any("\ud800" <= char <= "\udfff" for char in text):
        raise SchemaError(f"{what} must be valid Unicode, but {shown(text)} has a lone surrogate.")
    return text


def check_name(value: object, what: str) -> str:
    """Return ``value`` if it is usable as a name of ``what``.

    Raises:
        SchemaError: if it is not a string, or holds nothing but white space.
    """
    text = _check_str(value, what)
    if not text.strip():
        raise SchemaError(f"{what} must not be empty, but {shown(text)} was given.")
    return text


def check_threshold(value: object, what: str) -> float | None:
    """Return ``value`` as a float in [0, 1], or None.

    Raises:
        SchemaError: if it is neither None nor a number in [0, 1].
    """
    return None if value is None else check_share(value, f"The threshold of {what}")


def check_share(value: object, what: str) -> float:
    """Return ``value`` as a float in [0, 1].

    Raises:
        SchemaError: if it is not a number in [0, 1].

    >>> check_share(1, "A share")
    1.0
    """
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if not is_number or not 0 <= cast(float, value) <= 1:
        raise SchemaError(f"{what} must be a number from 0 to 1, but {shown(value)} was given.")
    return float(cast(float, value))


def check_text(value: object, what: str) -> str | None:
    """Return ``value`` if it is a string or None; white space alone counts as None.

    Raises:
        SchemaError: if it is anything else.
    """
    if value is None:
        return None
    text = _check_str(value, what)
    return text if text.strip() else None


def check_distinct(names: Iterable[str], what: str) -> None:
    """Refuse repeated names.

    Raises:
        SchemaError: naming the first repeated one.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise SchemaError(f"{what} must be distinct, but {shown(name)} was given twice.")
        seen.add(name)


def check_items(values: object, kind: type[Item], what: str) -> tuple[Item, ...]:
    """Return ``values`` as a tuple if it is a list or tuple of ``kind``.

    Raises:
        SchemaError: if it is not, or one of its items is not.
    """
    if not isinstance(values, list | tuple):
        raise SchemaError(f"{what} must be a list, but {shown(values)} was given.")
    for value in values:
        if not isinstance(value, kind):
            raise SchemaError(
                f"{what} must be {kind.__name__} values, "
                f"but {shown(value)} ({type(value).__name__}) was given."
            )
    return tuple(values)


def put(owner: object, name: str, value: object) -> None:
    """Store a checked value on a frozen dataclass that is being built.

    >>> label = Label("a")
    >>> put(label, "name", "b")
    >>> label.name
    'b'
    """
    object.__setattr__(owner, name, value)


@dataclass(frozen=True, slots=True)
class Label:
    """One thing to look for: an entity label, or one label of a classification task.

    Attributes:
        name: the label itself, which the model reads.
        description: a short phrase that says what is meant; None to let the name speak.
        threshold: the lowest score that is kept, from 0 to 1; None leaves it to the checkpoint.

    >>> Label("company", "legal name of a firm", threshold=0.6).name
    'company'
    """

    name: str
    description: str | None = None
    threshold: float | None = None

    def __post_init__(self) -> None:
        put(self, "name", check_name(self.name, "A label"))
        what = f"label {shown(self.name)}"
        put(self, "description", check_text(self.description, f"The description of {what}"))
        put(self, "threshold", check_threshold(self.threshold, what))


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a structure: a span of text, or a choice from a closed set.

    Attributes:
        name: the name of the field, which the model reads.
        dtype: "str" for at most one value in a record, "list" for any number of values.
        choices: the values to choose from; empty for spans of the text.
        description: a short phrase that says what is meant; None to let the name speak.
        threshold: the lowest score that is kept, from 0 to 1; None leaves it to the checkpoint.
        rules: conditions that a value has to meet.

    >>> Field("price").dtype, Field("size", "str", ["small", "large"]).choices
    ('list', ('small', 'large'))
    """

    name: str
    dtype: Dtype = "list"
    choices: tuple[str, ...] = ()
    description: str | None = None
    threshold: float | None = None
    rules: Rules = column(default=NO_RULES, repr=False)

    def __post_init__(self) -> None:
        put(self, "name", check_name(self.name, "The name of a field"))
        what = f"field {shown(self.name)}"
        if self.dtype not in ("str", "list"):
            raise SchemaError(
                f"The type of {what} must be 'str' or 'list', but {shown(self.dtype)} was given."
            )
        if not isinstance(self.choices, list | tuple):
            raise SchemaError(
                f"The choices of {what} must be a list, but {shown(self.choices)} was given."
            )
        choices = tuple(check_name(choice, f"A choice of {what}") for choice in self.choices)
        check_distinct(choices, f"The choices of {what}")
        put(self, "choices", choices)
        if not isinstance(self.rules, Rules):
            raise SchemaError(f"The rules of {what} must be Rules, but {shown(self.rules)} is.")
        if choices and self.rules.labels:
            raise SchemaError(
                f"The {what} has choices, which have no place in the text and so no label; leave "
                "the labels or the choices out."
            )
        put(self, "description", check_text(self.description, f"The description of {what}"))
        put(self, "threshold", check_threshold(self.threshold, what))

    @property
    def is_ruled(self) -> bool:
        """Whether spans have to keep rules to be candidates."""
        return not self.choices and self.rules != NO_RULES


@dataclass(frozen=True, slots=True)
class Structure:
    """A kind of record: a name and its fields.

    Attributes:
        name: the name of the kind, which the model reads.
        fields: the fields of each record, one at least.

    >>> [field.name for field in Structure("product", (Field("name"), Field("price"))).fields]
    ['name', 'price']
    """

    name: str
    fields: tuple[Field, ...]

    def __post_init__(self) -> None:
        put(self, "name", check_name(self.name, "The name of a structure"))
        what = f"structure {shown(self.name)}"
        put(self, "fields", check_items(self.fields, Field, f"The fields of {what}"))
        if not self.fields:
            raise SchemaError(f"The {what} needs at least one field, but none was given.")
        check_distinct((field.name for field in self.fields), f"The fields of {what}")

    @property
    def single(self) -> frozenset[int]:
        """The numbers of the fields that hold one value."""
        return frozenset(i for i, field in enumerate(self.fields) if field.dtype == "str")


@dataclass(frozen=True, slots=True)
class Question:
    """Something asked in words, which is answered with parts of the text.

    Attributes:
        name: the label of the answers.
        text: the question itself; None for a summary, which asks the same of every text.
        kind: "question"; "summary", for the parts that say what matters; or "open", for an
            instruction that says what to find.
        threshold: the lowest score that is kept, from 0 to 1; None leaves it to the checkpoint.

    >>> Question("founder", "Who founded the company?").kind
    'question'
    """

    name: str
    text: str | None = None
    kind: QuestionKind = "question"
    threshold: float | None = None

    def __post_init__(self) -> None:
        put(self, "name", check_name(self.name, "The name of a question"))
        what = f"question {shown(self.name)}"
        if self.kind not in QUESTION_KINDS:
            raise SchemaError(
                f"The kind of {what} must be {', '.join(QUESTION_KINDS[:-1])} or "
                f"{QUESTION_KINDS[-1]}, but {shown(self.kind)} was given."
            )
        put(self, "text", check_text(self.text, f"The text of {what}"))
        if (self.text is None) != (self.kind == "summary"):
            raise SchemaError(
                f"The summary {shown(self.name)} asks the same of every text; leave its text out."
                if self.kind == "summary"
                else f"The {what} has no text; say what is asked."
            )
        put(self, "threshold", check_threshold(self.threshold, what))

    @property
    def label(self) -> str:
        """What a checkpoint without instructions reads as a label."""
        return self.name if self.text is None else self.text


@dataclass(frozen=True, slots=True)
class Naming:
    """How a checkpoint that writes labels of its own names the entities.

    Attributes:
        choices: the only names allowed; empty to allow any.
        count: the largest number of names for one entity.

    >>> Naming(("city", "river")).count
    1
    """

    choices: tuple[str, ...] = ()
    count: int = 1

    def __post_init__(self) -> None:
        if not isinstance(self.choices, list | tuple):
            raise SchemaError(
                f"The choices of names must be a list, but {shown(self.choices)} was given."
            )
        choices = tuple(check_name(choice, "A choice of names") for choice in self.choices)
        check_distinct(choices, "The choices of names")
        put(self, "choices", choices)
        put(self, "count", check_count(self.count, 1, "The count of names"))
