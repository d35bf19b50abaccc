r"""A schema from command-line flags.

========================================  =====================================================
``-e person`` or ``-e person,company``    entity labels
``-e "company=legal name of a firm"``     one entity label with its description
``-c "tone=calm,angry"``                  a classification, one label holds
``-c "topics*=sport,law"``                a classification, any number of labels holds
``-c "topic=law=courts,sport"``           a classification, a label with its description
``-c "tone[abstain]=calm,angry"``         a classification that may have no answer
``-c "tone[abstain=0.4]=calm,angry"``     the same with the least score of its answer
``-c "topics*[window_scores=mean]=..."``  how the windows of a long text are put together
``-r "works for"``, ``-r "owns=..."``     relation types, written as entity labels
``-s "product: name::str, price"``        a structure; fields in shorthand, separated by commas
``-q "Who founded it?"``                  a question that is answered with parts of the text
``-q "founder=Who founded it?"``          the same with the label that the answers get
========================================  =====================================================

Commas inside brackets do not separate, nor do those in a description of ``-e`` and ``-r``. A
backslash makes a comma, an equals sign, an asterisk, a bracket or a backslash literal (in ``-q`` no
bracket, in ``-s`` an equals sign and what is special in the shorthand). White space around names is
dropped. This module knows the strings that follow the flags, not the command line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple, cast

from onepass.errors import SchemaError
from onepass.schema.escapes import Chars, is_at, partition, scan, split, strip, text_of
from onepass.schema.relation import RelationType
from onepass.schema.schema import Schema
from onepass.schema.shorthand import SPECIAL, field_of
from onepass.schema.shown import shown
from onepass.schema.task import WindowScores
from onepass.schema.types import Field, Label, Question

_SPECIAL = ",=*\\"
_BRACKET_SPECIAL = _SPECIAL + "[]"


class _TaskOptions(NamedTuple):
    """What the bracket behind the name of a classification says."""

    abstain: bool | float | None = None
    window_scores: WindowScores | None = None


def schema_from_flags(
    entities: Iterable[str] = (),
    classifications: Iterable[str] = (),
    relations: Iterable[str] = (),
    structures: Iterable[str] = (),
    questions: Iterable[str] = (),
    *,
    entity_flag: str = "-e",
) -> Schema:
    """Return the schema that the flags of a command ask for; it may be empty.

    Args:
        entities: the values of ``-e``.
        classifications: the values of ``-c``.
        relations: the values of ``-r``.
        structures: the values of ``-s``.
        questions: the values of ``-q``.
        entity_flag: what the command calls ``-e``.

    Raises:
        SchemaError: quoting the flag and saying what is wrong with it.

    >>> schema_from_flags(["person", "firm=a company"], ["tone=calm,angry"])
    Schema().entities({'person': {}, 'firm': {'description': 'a company'}})\
.classification('tone', ['calm', 'angry'])
    >>> schema_from_flags(
    ...     classifications=["topics*=a,b"], structures=["product: name::str, size::[s|m]"]
    ... )
    Schema().classification('topics', ['a', 'b'], multi_label=True)\
.structure('product', ['name::str', 'size::[s|m]'])
    """
    schema = Schema()
    for value in entities:
        with _quoting(entity_flag, value):
            schema.entities([Label(*pair) for pair in _named(value)])
    for value in classifications:
        with _quoting("-c", value):
            _add_classification(schema, value)
    for value in relations:
        with _quoting("-r", value):
            schema.relations([RelationType(*pair) for pair in _named(value)])
    for value in structures:
        with _quoting("-s", value):
            _add_structure(schema, value)
    for value in questions:
        with _quoting("-q", value):
            schema.ask([_question(value)])
    return schema


@contextmanager
def _quoting(flag: str, value: str) -> Iterator[None]:
    """Begin the message of a refusal with the flag that caused it."""
    try:
        yield
    except SchemaError as error:
        raise SchemaError(f"In {flag} {shown(value)}: {error}") from error


def _named(value: str) -> list[tuple[str, str | None]]:
    """Return the names in a flag, with the description that a single one may have."""
    chars = scan(value, _BRACKET_SPECIAL)
    names, description = partition(chars, "=")
    parts = _split_outside_brackets(names)
    if description is None:
        return [(text_of(strip(part)), None) for part in parts]
    if len(parts) > 1:
        raise SchemaError(
            "a description belongs to one name; give each name with a description its own flag, "
            "or write a comma that belongs to the name as '\\,'."
        )
    _, later = partition(description, ",")
    if later is not None and "=" in later.marks:
        raise SchemaError(
            "a description takes all that stands behind its '=', commas included; give the next "
            "name its own flag, or write a '=' of the description as '\\='."
        )
    return [_described(chars)]


def _described(chars: Chars) -> tuple[str, str | None]:
    """Return a name, and the description that may stand behind an equals sign."""
    name, description = partition(chars, "=")
    if description is None:
        return text_of(strip(name)), None
    text = text_of(strip(description))
    if not text:
        raise SchemaError("there is no description after '='; remove the '=' or write one.")
    return text_of(strip(name)), text


def _question(value: str) -> Question:
    """Return the question in a flag, whose name may stand before an equals sign."""
    name, text = partition(scan(value, _SPECIAL), "=")
    first = text_of(strip(name))
    return Question(first, first if text is None else text_of(strip(text)))


def _add_classification(schema: Schema, value: str) -> None:
    """Add ``task=label,label=description`` with options; ``task*=`` for any number of labels."""
    before, *behind = _split_outside_brackets(scan(value, _BRACKET_SPECIAL), "=", most=1)
    name, options = _task_options(strip(before))
    if not behind or not name:
        raise SchemaError("a classification is written task=label,label; write it so.")
    multi_label = is_at(name, len(name) - 1, "*")
    if multi_label:
        name = strip(name[:-1])
        if _task_options(name)[0] is not name:
            raise SchemaError(
                "the asterisk of a classification stands before its options, as in "
                "'task*[window_scores=mean]=label,label'; write it so."
            )
    schema.classification(
        text_of(name),
        [Label(*_described(label)) for label in _split_outside_brackets(behind[0])],
        multi_label=multi_label,
        abstain=options.abstain,
        window_scores=options.window_scores,
    )


def _task_options(name: Chars) -> tuple[Chars, _TaskOptions]:
    """Return the name of a task, and the options in the brackets behind it."""
    start = max((i for i in range(len(name)) if is_at(name, i, "[")), default=len(name))
    if start == len(name) or not is_at(name, len(name) - 1, "]"):
        return name, _TaskOptions()
    options = _TaskOptions()
    for part in split(name[start + 1 : -1], ","):
        key, chars = partition(part, "=")
        word = text_of(strip(key))
        given = None if chars is None else text_of(strip(chars))
        if word == "abstain":
            options = options._replace(abstain=True if given is None else _number(given))
        elif word == "window_scores":
            # A wrong word is refused by the task, with the right ones.
            options = options._replace(window_scores=cast(WindowScores, given or ""))
        else:
            raise SchemaError(
                f"a classification has no option {shown(word)}; it has abstain, abstain=NUMBER "
                "and window_scores=WORD, and a bracket that belongs to its name is written '\\['."
            )
    return strip(name[:start]), options


def _number(given: str) -> float:
    """Return the number after ``abstain=``; its range is checked by the task."""
    try:
        return float(given)
    except ValueError:
        raise SchemaError(
            f"abstain must be a number from 0 to 1, but {shown(given)} was given."
        ) from None


def _add_structure(schema: Schema, value: str) -> None:
    """Add ``name: field, field``, the fields in shorthand."""
    name, fields = partition(scan(value, SPECIAL + "="), ":")
    name = strip(name)
    if fields is None or not name or (fields and is_at(fields, 0, ":")):
        raise SchemaError("a structure is written 'name: field, field'; write it so.")
    schema.structure(text_of(name), [_field(part) for part in _split_outside_brackets(fields)])


def _field(chars: Chars) -> Field:
    """Return the field that one part of a structure flag describes."""
    source = text_of(strip(chars))
    if not source:
        raise SchemaError("there is an empty field; remove the comma or write a field there.")
    if "=" in partition(chars, "::")[0].marks:
        raise SchemaError(
            f"the name of the field {shown(source)} holds a '='; write a description behind '::', "
            "as in 'name::str::full name', or a '=' of the name as '\\='."
        )
    return field_of(chars, source)


def _split_outside_brackets(chars: Chars, mark: str = ",", most: int | None = None) -> list[Chars]:
    """Split at the marks that no bracket encloses, at most so many times."""
    parts: list[Chars] = []
    start = depth = 0
    for index, char in enumerate(chars.marks):
        if len(parts) == most:
            break
        if char == "[":
            depth += 1
        elif char == "]":
            depth = max(0, depth - 1)
        elif char == mark and depth == 0:
            parts.append(chars[start:index])
            start = index + 1
    if depth:
        raise SchemaError("there is a '[' without its ']'; close it, or write it as '\\['.")
    return [*parts, chars[start:]]
