"""From what a caller may write to the leaves of a schema.

Labels, relation types and fields may be given as lists, mappings or ready values; this module
turns each into a tuple of frozen values. It serves the builder and the JSON form alike, and knows
neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, TypeVar, cast

from onepass.errors import SchemaError
from onepass.schema.relation import RelationType
from onepass.schema.rules import RULE_KEYS, Rules
from onepass.schema.shorthand import TYPE_WORDS, default_dtype, parse_field
from onepass.schema.shown import shown
from onepass.schema.types import (
    Dtype,
    Field,
    Label,
    Naming,
    Question,
    check_name,
    check_threshold,
)

Labels = Iterable[str | Label] | Mapping[str, str | Mapping[str, Any] | None]
Relations = Iterable[str | RelationType] | Mapping[str, str | Mapping[str, Any] | None]
Fields = Iterable[str | Mapping[str, Any] | Field] | Mapping[str, str | Mapping[str, Any] | None]

Questions = Iterable[str | Question] | Mapping[str, str | Mapping[str, Any]]

Named = TypeVar("Named", Label, RelationType)

LABEL_KEYS = ("description", "threshold")
RELATION_KEYS = (
    *LABEL_KEYS, "head", "tail", "symmetric", "inverse", "max_heads", "max_tails",
)  # fmt: skip
QUESTION_KEYS = ("text", "kind", "threshold")
NAMING_KEYS = ("choices", "count")
FIELD_KEYS = ("name", "dtype", "choices", "description", "threshold", *RULE_KEYS)


def read_labels(values: object, what: str, *, threshold: float | None = None) -> tuple[Label, ...]:
    """Return labels from a list of names or a mapping of names to descriptions.

    Args:
        values: names, `Label` values, or name -> None, description or
            {"description", "threshold"}.
        what: what errors call the argument.
        threshold: the threshold of those labels that have none of their own.

    Raises:
        SchemaError: if ``values`` is of another shape, or holds a bad label.

    >>> read_labels({"firm": "a company"}, "labels")
    (Label(name='firm', description='a company', threshold=None),)
    """
    return _read_named(values, Label, what, threshold)


def read_relation_types(
    values: object, what: str, *, threshold: float | None = None
) -> tuple[RelationType, ...]:
    """Return relation types from a list of names or a mapping; see `read_labels`.

    The object of a type may also have "head", "tail", "symmetric", "inverse", "max_heads" and
    "max_tails", as in `RelationType`.

    >>> [kind.name for kind in read_relation_types(["works for"], "types")]
    ['works for']
    """
    return _read_named(values, RelationType, what, threshold)


def read_questions(
    values: object, what: str, *, threshold: float | None = None
) -> tuple[Question, ...]:
    """Return questions from a list, or a mapping of names to what is asked.

    Args:
        values: texts, which are names as well; `Question` values; or name -> text or
            {"text", "kind", "threshold"}.
        what: what errors call the argument.
        threshold: of those questions that have none of their own.

    Raises:
        SchemaError: if ``values`` is of another shape, or holds a bad question.

    >>> [question.name for question in read_questions({"when": "When was it?"}, "questions")]
    ['when']
    """
    default = check_threshold(threshold, what)
    if isinstance(values, Mapping):
        found = [_question_of_pair(name, value) for name, value in values.items()]
    else:
        items = items_of(values, what, split_commas=False)
        found = [item if isinstance(item, Question) else Question(item, item) for item in items]
    if default is None:
        return tuple(found)
    return tuple(replace(one, threshold=default) if one.threshold is None else one for one in found)


def _question_of_pair(name: Any, value: object) -> Question:
    """Return a question from one entry of a mapping."""
    if isinstance(value, str):
        return Question(name, value)
    what = f"The question {shown(name)}"
    if not isinstance(value, Mapping):
        raise SchemaError(
            f"{what} must be given its text, or an object with text, kind and threshold, but "
            f"{shown(value)} was given."
        )
    options = read_object(value, QUESTION_KEYS, what)
    kind = options.get("kind", "question")
    return Question(name, options.get("text"), kind, options.get("threshold"))


def read_fields(values: object, what: str) -> tuple[Field, ...]:
    """Return fields from a list or a mapping.

    Args:
        values: shorthand strings, objects or `Field` values, or a mapping of names to None, a
            description or an object without "name".
        what: what errors call the argument.

    Raises:
        SchemaError: if ``values`` is of another shape, or holds a bad field.

    >>> read_fields({"price": "amount in dollars"}, "fields")[0].dtype
    'list'
    """
    if isinstance(values, Mapping):
        return tuple(_field_of_pair(name, value) for name, value in values.items())
    return tuple(_field_of_item(item) for item in items_of(values, what, split_commas=False))


def read_naming(choices: object, count: object) -> Naming:
    """Return how entities are named.

    Args:
        choices: names, or None for any.
        count: how many names an entity gets.

    Raises:
        SchemaError: if there are no choices, or one is empty, repeated or not a string, or the
            count is not a whole number from 1 up.

    >>> read_naming(["city"], 1)
    Naming(choices=('city',), count=1)
    """
    if choices is None:
        return Naming((), cast(int, count))
    names = tuple(items_of(choices, "choices"))
    if not names:
        raise SchemaError("choices must not be empty; leave them out to allow any name.")
    return Naming(names, cast(int, count))


def items_of(values: object, what: str, *, split_commas: bool = True) -> list[Any]:
    """Return the items of a list-like argument, refusing a bare string and an unordered set.

    >>> items_of("person, firm", "labels")
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: labels must be a list, but the string 'person, firm' was given; \
did you mean ['person', 'firm']?
    """
    if isinstance(values, str):
        meant = [part.strip() for part in values.split(",")] if split_commas else [values]
        raise SchemaError(
            f"{what} must be a list, but the string {shown(values)} was given; "
            f"did you mean {shown(meant)}?"
        )
    if isinstance(values, set | frozenset):
        raise SchemaError(
            f"{what} must be a list, but a set was given, which has no order; "
            "give sorted(...) of it."
        )
    if isinstance(values, bytes) or not isinstance(values, Iterable):
        raise SchemaError(
            f"{what} must be a list or a mapping, "
            f"but {shown(values)} ({type(values).__name__}) was given."
        )
    return list(values)


def read_object(values: object, keys: tuple[str, ...], what: str) -> dict[str, Any]:
    """Return an object without its null values, refusing unknown keys.

    >>> read_object({"description": None, "threshold": 0.5}, LABEL_KEYS, "A label")
    {'threshold': 0.5}
    >>> read_object({"desc": "x"}, LABEL_KEYS, "Label 'a'")
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: Label 'a' has no key 'desc'; its keys are: description, threshold.
    """
    if not isinstance(values, Mapping):
        raise SchemaError(
            f"{what} must be an object, but {shown(values)} ({type(values).__name__}) was given."
        )
    for key in values:
        if key not in keys:
            near = nearest(key, keys)
            meant = f"did you mean {near!r}?" if near else f"its keys are: {', '.join(keys)}."
            raise SchemaError(f"{what} has no key {shown(key)}; {meant}")
    return {key: value for key, value in values.items() if value is not None}


def nearest(key: object, keys: Iterable[str]) -> str | None:
    """Return the key that a mistyped one is closest to, if any is close.

    >>> nearest("entity", ["entities", "relations"]), nearest(7, ["entities"])
    ('entities', None)
    """
    import difflib  # only ever needed for a message

    close = difflib.get_close_matches(key, list(keys), n=1) if isinstance(key, str) else []
    return close[0] if close else None


def _read_named(
    values: object, kind: type[Named], what: str, threshold: float | None
) -> tuple[Named, ...]:
    """Return values of ``kind`` from a list or a mapping, with a default threshold."""
    default = check_threshold(threshold, what)
    if isinstance(values, Mapping):
        named = [_named_of_pair(name, value, kind) for name, value in values.items()]
    else:
        items = items_of(values, what)
        for item in items:
            if isinstance(item, Mapping):
                raise _not_a_name(item, what)
        named = [item if isinstance(item, kind) else kind(item) for item in items]
    if default is None:
        return tuple(named)
    return tuple(
        replace(item, threshold=default) if item.threshold is None else item for item in named
    )


def _not_a_name(item: Mapping[Any, Any], what: str) -> SchemaError:
    """Return the refusal of an object in a list of names, with the mapping that says the same."""
    options = {key: value for key, value in item.items() if key != "name"}
    value = options["description"] if options.keys() == {"description"} else options
    meant = {item["name"]: value} if isinstance(item.get("name"), str) else {"person": "a human"}
    return SchemaError(
        f"{what} in a list must be names, but {shown(dict(item))} was given; write a mapping in "
        f"place of the list, as in {shown(meant)}."
    )


def _named_of_pair(name: Any, value: object, kind: type[Named]) -> Named:
    """Return a value of ``kind`` from one entry of a mapping."""
    if value is None or isinstance(value, str):
        return kind(name, value)
    what = "label" if kind is Label else "relation type"
    if not isinstance(value, Mapping):
        raise SchemaError(
            f"The {what} {shown(name)} must be given a description or an object with "
            f"description and threshold, but {shown(value)} was given."
        )
    keys = LABEL_KEYS if kind is Label else RELATION_KEYS
    return kind(name, **read_object(value, keys, f"The {what} {shown(name)}"))


def _field_of_item(item: Any) -> Field:
    """Return a field from one item of a list."""
    if isinstance(item, Field):
        return item
    if not isinstance(item, Mapping):
        return parse_field(item)
    options = read_object(item, FIELD_KEYS, f"The field {shown(dict(item))}")
    if "name" not in options:
        raise SchemaError(f"The field {shown(dict(item))} has no name; give it as 'name'.")
    return _field_of_options(options["name"], options)


def _field_of_pair(name: Any, value: object) -> Field:
    """Return a field from one entry of a mapping."""
    what = f"The field {shown(name)}"
    if value is None:
        return Field(name)
    if isinstance(value, str):
        if value.strip().lower() in TYPE_WORDS | {"str", "list"}:
            raise SchemaError(
                f"{what} must be given a description, but the type {shown(value)} was given; "
                f'write {{"dtype": "str"}} or {{"dtype": "list"}} instead.'
            )
        return Field(name, description=value)
    if not isinstance(value, Mapping):
        raise SchemaError(
            f"{what} must be given a description or an object with dtype, choices, "
            f"description and threshold, but {shown(value)} was given."
        )
    return _field_of_options(name, read_object(value, FIELD_KEYS[1:], what))


def _field_of_options(name: Any, options: Mapping[str, Any]) -> Field:
    """Return a field from its checked options."""
    field_name = check_name(name, "The name of a field")
    what = f"The choices of field {shown(field_name)}"
    choices: tuple[str, ...] = ()
    if "choices" in options:
        choices = tuple(items_of(options["choices"], what))
        if not choices:
            raise SchemaError(f"{what} must not be empty; leave them out for a span of text.")
    dtype: Dtype = options.get("dtype", default_dtype(choices))
    rules = Rules(**{key: options[key] for key in RULE_KEYS if key in options})
    description, threshold = options.get("description"), options.get("threshold")
    return Field(field_name, dtype, choices, description, threshold, rules)
