"""Checks of the parts of an annotated row: each returns the value or says what is wrong with it.

Every function takes the value and ``what`` it is called in the message. They know nothing about
files; readers put the path and the line in front.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, TypeGuard, cast

from onepass.errors import InputError, SchemaError
from onepass.schema.shown import shown
from onepass.schema.types import check_name


def known_keys(row: Mapping[str, Any], keys: Collection[str], what: str) -> None:
    """Refuse keys that a format does not have.

    >>> known_keys({"txt": ""}, ("text", "entities"), "a row")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: a row has the unknown key 'txt'; the keys are entities, text.
    """
    if not row.keys() <= set(keys):
        unknown = next(key for key in row if key not in keys)
        raise InputError(
            f"{what} has the unknown key {shown(unknown)}; the keys are {', '.join(sorted(keys))}."
        )


def needed(row: Mapping[str, Any], key: str, what: str) -> Any:
    """Return a value that must be there.

    >>> needed({}, "text", "a row")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: a row needs the key 'text', which is missing.
    """
    if key not in row:
        raise InputError(f"{what} needs the key {key!r}, which is missing.")
    return row[key]


def as_text(value: object, what: str) -> str:
    """Return a string, which may be empty.

    >>> as_text(None, "text")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: text must be a string, but None (NoneType) was given.
    """
    if not isinstance(value, str):
        raise InputError(_wrong(what, "a string", value))
    return value


def as_name(value: object, what: str) -> str:
    """Return a string that a schema can hold: not blank, valid Unicode.

    >>> as_name(" ", "a label")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: a label must not be empty, but ' ' was given.
    """
    try:
        return check_name(value, what)
    except SchemaError as error:
        raise InputError(str(error)) from error


def as_note(value: object, what: str) -> str | None:
    """Return a string, or None for a value that is missing or blank.

    >>> as_note("  ", "a prompt") is None
    True
    """
    if value is None:
        return None
    text = as_text(value, what)
    return as_name(text, what) if text.strip() else None


def as_flag(value: object, what: str) -> bool:
    """Return a truth value.

    >>> as_flag(1, "multi_label")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: multi_label must be true or false, but 1 (int) was given.
    """
    if not isinstance(value, bool):
        raise InputError(_wrong(what, "true or false", value))
    return value


def as_list(value: object, what: str) -> list[Any]:
    """Return a list; a tuple will do.

    >>> as_list("person", "asked")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: asked must be a list, but 'person' (str) was given.
    """
    if not isinstance(value, list | tuple):
        raise InputError(_wrong(what, "a list", value))
    return list(value)


def as_shown(value: object) -> tuple[str, tuple[str, ...]]:
    """Return an example of a task: its text and its labels; one label may stand without a list.

    >>> as_shown(["He sued", "law"])
    ('He sued', ('law',))
    """
    pair = as_list(value, "an example")
    if len(pair) != 2:
        raise InputError(
            f"an example must be [text, label] or [text, [label, ...]], but {shown(value)} was "
            "given."
        )
    labels = pair[1] if isinstance(pair[1], list | tuple) else [pair[1]]
    text = as_text(pair[0], "an example")
    return text, tuple(as_text(label, "an example label") for label in labels)


def as_object(value: object, what: str, holding: str = "") -> Mapping[str, Any]:
    """Return a mapping; ``holding`` follows "an object" in the message.

    >>> as_object([], "descriptions")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: descriptions must be an object, but [] (list) was given.
    """
    if not isinstance(value, dict | Mapping):  # the first one is what JSON has, and quick
        raise InputError(_wrong(what, f"an object{holding}", value))
    return value


def as_rows(value: object, what: str, keys: str = "") -> list[Mapping[str, Any]]:
    """Return a list of mappings.

    Args:
        value: the list.
        what: what it is called in the message.
        keys: those of a mapping, named in the message if given.

    >>> as_rows([{"label": "person"}], "entities")
    [{'label': 'person'}]
    """
    holding = f" with {keys}" if keys else ""
    return [as_object(item, f"an item of {what}", holding) for item in as_list(value, what)]


def as_names(value: object, what: str) -> tuple[str, ...]:
    """Return a list of names.

    >>> as_names(["person", "place"], "asked")
    ('person', 'place')
    """
    return all_names(as_list(value, what), f"an item of {what}")


def all_names(values: Sequence[object], what: str) -> tuple[str, ...]:
    """Return what `as_name` makes of every value; ``what`` is what one of them is called.

    >>> all_names(["person", " "], "a label")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: a label must not be empty, but ' ' was given.
    """
    if not values:
        return ()
    if _are_plain(values):
        return tuple(values)
    return tuple(as_name(value, what) for value in values)


def _are_plain(values: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Say in a few calls that all are names; one that cannot be printed is left to `as_name`."""
    if not set(map(type, values)) <= {str}:
        return False
    texts = cast(Sequence[str], values)
    return "".join(texts).isprintable() and all(map(str.strip, texts))  # so no lone surrogate


def as_notes(value: object, what: str) -> dict[str, str]:
    """Return a mapping of names to texts, without the blank ones.

    >>> as_notes({"person": "a human", "place": None}, "descriptions")
    {'person': 'a human'}
    """
    notes: dict[str, str] = {}
    for key, text in as_object(value, what).items():
        note = as_note(text, f"{what} of {shown(key)}")
        if note is not None:
            notes[key] = note
    return notes


def as_span(start: object, end: object, what: str) -> tuple[int, int]:
    """Return character offsets, half-open.

    >>> as_span(3, 3, "a value")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: a value must have 0 <= start < end, but start 3 and end 3 were given.
    """
    if not (_is_whole(start) and _is_whole(end)):
        given = f"{shown(start)} and {shown(end)}"
        raise InputError(f"the offsets of {what} must be integers, but {given} were given.")
    if not 0 <= start < end:
        raise InputError(
            f"{what} must have 0 <= start < end, but start {start} and end {end} were given."
        )
    return start, end


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def inside(span: tuple[int, int], text: str, what: str) -> None:
    """Refuse a span that ends behind its text.

    >>> inside((0, 3), "Bo", "an entity")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: the span [0, 3) of an entity lies outside the text of 2 characters.
    """
    if span[1] > len(text):
        raise InputError(
            f"the span [{span[0]}, {span[1]}) of {what} lies outside the text "
            f"of {len(text)} characters."
        )


def distinct(names: Iterable[str], what: str) -> None:
    """Refuse a repeated name.

    >>> distinct(["a", "a"], "the labels of task 'tone'")
    Traceback (most recent call last):
    ...
    onepass.errors.InputError: the labels of task 'tone' must be distinct, but 'a' was given twice.
    """
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise InputError(f"{what} must be distinct, but {shown(name)} was given twice.")
        seen.add(name)


def _wrong(what: str, expected: str, value: object) -> str:
    given = f"{shown(value)} ({type(value).__name__})"
    return f"{what} must be {expected}, but {given} was given."
