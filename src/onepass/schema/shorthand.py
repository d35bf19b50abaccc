r"""The shorthand for fields: ``name::[a|b]::str::description``.

Parts are separated by ``::``. The first is the name. Then, in any order, come a type (exactly
``str`` or ``list``) and a choice list (in brackets, separated by ``|``). The first part that is
neither begins the description, which runs to the end of the string, further ``::`` included.
A backslash before ``: [ ] | , \`` or white space makes it literal. A single choice with a bare
comma is refused: GLiNER2 reads ``[small,large]`` as one choice, which hardly anybody means.

This module knows nothing about the other forms of a field (objects, mappings).
"""

from __future__ import annotations

import re

from onepass.errors import SchemaError
from onepass.schema.escapes import Chars, escape, is_at, partition, scan, split, strip, text_of
from onepass.schema.shown import shown
from onepass.schema.types import Dtype, Field

SPECIAL = ":[]|,\\"
TYPE_WORDS = frozenset(
    {"int", "integer", "float", "number", "bool", "boolean", "date", "datetime", "string"}
)
_BRACKET = re.compile(r"[\[\]]")
_ONE_COLON = re.compile(r":\s*(?:str|list|\[.*)\s*$")  # at the end of a name


def parse_field(text: str) -> Field:
    r"""Return the field that a shorthand string describes.

    Args:
        text: the shorthand. With no type, a field is a ``list`` of spans, or one choice (``str``).

    Raises:
        SchemaError: if it is not a string, has no name, names an unknown type, has an unclosed or
            empty choice list or one with commas, gives the type or the choices after the
            description, or has one colon in place of two.

    >>> parse_field("category::[electronics|software]::str::kind of product").choices
    ('electronics', 'software')
    >>> parse_field("link::str::see http://x::y").description
    'see http://x::y'
    >>> parse_field(r"state::str::\[draft\]").description
    '[draft]'
    """
    if not isinstance(text, str):
        raise SchemaError(
            "A field must be a shorthand string, an object or a Field, "
            f"but {shown(text)} ({type(text).__name__}) was given."
        )
    return field_of(scan(text, SPECIAL), text)


def field_of(chars: Chars, source: str) -> Field:
    """Return the field described by scanned shorthand; ``source`` is what errors quote."""
    name, rest = partition(chars, "::")
    name = strip(name)
    if not name or _is_bracketed(name):
        raise SchemaError(
            f"The field {shown(source)} has no name; write the name first, "
            "as in 'name::str::description'."
        )
    _check_colons(name, source)
    dtype: Dtype | None = None
    choices: tuple[str, ...] = ()
    description: str | None = None
    while rest is not None and description is None:
        part, after = partition(rest, "::")
        part = strip(part)
        if not part:
            raise SchemaError(
                f"The field {shown(source)} has nothing after '::'; remove it, "
                "or write a type, choices or a description there."
            )
        if dtype is None and (word := _type_of(part)) is not None:
            dtype = word
        elif not choices and _is_bracketed(part):
            choices = _read_choices(part, source)
        else:
            _check_description(rest, source, has_type=dtype is not None, has_choices=bool(choices))
            description = text_of(strip(rest))
        rest = after
    return Field(text_of(name), dtype or default_dtype(choices), choices, description)


def _check_colons(name: Chars, source: str) -> None:
    """Refuse a name with a type behind one colon, which would be the name of another field."""
    if slip := _ONE_COLON.search(name.marks):
        before, after = name.text[: slip.start()].rstrip(), name.text[slip.start() + 1 :].strip()
        raise SchemaError(
            f"The field {shown(source)} has one colon before its type; write two, as in "
            f"{shown(f'{escape(before, SPECIAL)}::{after}')}, or a backslash before a colon of the "
            "name."
        )


def default_dtype(choices: tuple[str, ...]) -> Dtype:
    """Return the type of a field that names none: one choice, or any number of spans."""
    return "str" if choices else "list"


def format_field(field: Field) -> str:
    r"""Return the shorthand of a field; `parse_field` reads it back equal.

    Raises:
        SchemaError: if the field has a threshold or rules, which the shorthand has no place for.

    >>> format_field(Field("size", "str", ("small", "large")))
    'size::[small|large]'
    >>> format_field(Field("name", "str", description="full name"))
    'name::str::full name'
    """
    beyond = [] if field.threshold is None else ["threshold"]
    beyond += field.rules.given()
    if beyond:
        raise SchemaError(
            f"The shorthand cannot hold the {beyond[0]} of field {shown(field.name)}; "
            f'use the object form, {{"name": ..., "{beyond[0]}": ...}}.'
        )
    parts = [escape(field.name, ":[\\")]
    if field.choices:
        special = ":[]|\\" if len(field.choices) > 1 else ":[]|,\\"
        parts.append("[" + "|".join(escape(choice, special) for choice in field.choices) + "]")
    if field.description is not None or field.dtype != default_dtype(field.choices):
        parts.append(field.dtype)
    if field.description is not None:
        description = escape(field.description, "[\\")
        parts.append("\\" + description if description.startswith(":") else description)
    return "::".join(parts)


def _type_of(part: Chars) -> Dtype | None:
    """Return the type that a part names, or None."""
    text = text_of(part)
    if text == "str":
        return "str"
    if text == "list":
        return "list"
    return None


def _is_bracketed(part: Chars) -> bool:
    """Return whether a part opens with a bracket that closes at its very end."""
    return bool(part) and is_at(part, 0, "[") and _closing(part) == len(part) - 1


def _closing(part: Chars) -> int | None:
    """Return the index of the bracket that closes the one which opens the part, or None."""
    depth = 0
    for bracket in _BRACKET.finditer(part.marks):
        depth += 1 if bracket[0] == "[" else -1
        if depth == 0:
            return bracket.start()
    return None


def _read_choices(part: Chars, source: str) -> tuple[str, ...]:
    """Return the choices of a bracketed part."""
    inner = part[1:-1]
    choices = tuple(text_of(strip(choice)) for choice in split(inner, "|"))
    if not all(choice.strip() for choice in choices):
        raise SchemaError(
            f"The field {shown(source)} has an empty choice; write each one, as in '[a|b|c]'."
        )
    if len(choices) == 1 and "," in inner.marks:
        raise SchemaError(
            f"The field {shown(source)} has one choice, {shown(choices[0])}; write several as "
            "'[a|b]', or a comma that belongs to a choice as '\\,'."
        )
    return choices


def _check_description(rest: Chars, source: str, *, has_type: bool, has_choices: bool) -> None:
    """Refuse a description that was meant as a type or as choices."""
    first, *others = (strip(part) for part in split(rest, "::"))
    word = text_of(first)
    if not has_type and (word.lower() in TYPE_WORDS or word.lower() in ("str", "list")):
        raise SchemaError(
            f"The type of a field must be str or list, but {shown(word)} was given "
            f"in {shown(source)}; for a description write '::str::{word}'."
        )
    if not has_choices and is_at(first, 0, "[") and _closing(first) is None:
        raise SchemaError(
            f"The field {shown(source)} opens a bracket that it does not close; "
            "write choices as '[a|b]', or a literal bracket as '\\['."
        )
    for part in others:
        late_type = not has_type and _type_of(part) is not None
        late_choices = not has_choices and "|" in part.marks and _is_bracketed(part)
        if late_type or late_choices:
            raise SchemaError(
                f"The field {shown(source)} gives {shown(text_of(part))} after its description; "
                "write the type and the choices before the description."
            )
