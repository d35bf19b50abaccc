"""Values of the text: what entities, relations and fields of records are made of.

Like all results they know nothing about models, words or windows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, SupportsIndex

from onepass.results.checks import (
    check_made,
    check_name,
    check_object,
    check_score,
    check_text,
    check_whole,
)
from onepass.results.classification import LabelScore, check_order, labels_from, labels_list
from onepass.results.frozen import FrozenDict


def _offsets(start: SupportsIndex, end: SupportsIndex, text: str, owner: str) -> tuple[int, int]:
    """Return offsets of a text as Python ints."""
    first = check_whole(start, f"The start of {owner}")
    last = check_whole(end, f"The end of {owner}")
    if not 0 <= first <= last:
        raise ValueError(f"The offsets of {owner} must satisfy 0 <= start <= end: {first}, {last}.")
    if len(text) != last - first:
        raise ValueError(
            f"The offsets {first}:{last} of {owner} hold {last - first} characters, but its text "
            f"has {len(text)}."
        )
    return first, last


@dataclass(frozen=True, slots=True)
class Value:
    """A piece of evidence: a span of the text, or a choice (which has no offsets).

    Attributes:
        text: the characters of the span, or the name of the choice.
        start: index of the first character; None for a choice.
        end: index behind the last character; None for a choice.
        score: the confidence of the model, from 0 to 1.

    >>> Value("Warsaw", 24, 30, 0.91).place, Value("positive", None, None, 0.8).place
    ((24, 30), None)
    """

    text: str
    start: int | None
    end: int | None
    score: float

    def __post_init__(self) -> None:
        check_text(self.text, "'text'")
        object.__setattr__(self, "score", check_score(self.score, f"the value {self.text!r}"))
        if self.start is not None and self.end is not None:
            start, end = _offsets(self.start, self.end, self.text, f"the value {self.text!r}")
            object.__setattr__(self, "start", start)
            object.__setattr__(self, "end", end)
        elif self.start is not self.end:
            raise ValueError(f"The value {self.text!r} needs both a start and an end, or neither.")

    @property
    def place(self) -> tuple[int, int] | None:
        """Where it stands, as (start, end); None for a choice.

        >>> Value("Warsaw", 3, 9, 0.9).place
        (3, 9)
        """
        return None if self.start is None or self.end is None else (self.start, self.end)


@dataclass(frozen=True, slots=True)
class Entity:
    """A mention of an entity label.

    Attributes:
        label: the label, as it was asked.
        text: the characters of the mention.
        start: index of the first character.
        end: index behind the last character.
        score: the confidence of the model, from 0 to 1.
        names: labels that the checkpoint wrote itself, best first; empty unless they were asked
            for.

    >>> text, city = "Marie Curie was born in Warsaw.", Entity("city", "Warsaw", 24, 30, 0.91)
    >>> text[city.start : city.end]
    'Warsaw'
    """

    label: str
    text: str
    start: int
    end: int
    score: float
    names: tuple[LabelScore, ...] = ()

    def __post_init__(self) -> None:
        check_name(self.label, "'label'")
        check_text(self.text, "'text'")
        owner = f"the {self.label!r} entity {self.text!r}"
        object.__setattr__(self, "score", check_score(self.score, owner))
        start, end = _offsets(self.start, self.end, self.text, owner)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        object.__setattr__(self, "names", tuple(self.names))
        for name in self.names:
            check_made(name, LabelScore, "An item of 'names'")
        check_order(self.names)


FieldValue = Value | None | tuple[Value, ...]  # "str" fields: Value or None; "list" fields: a tuple
Record = Mapping[str, FieldValue]


def values_in(held: FieldValue) -> tuple[Value, ...]:
    """Return the values of a field, whether it holds one, several or none."""
    if isinstance(held, tuple):
        return held
    return () if held is None else (held,)


def _check_end(end: object, name: str, kind: str) -> None:
    """Refuse what is no span of the text."""
    if not isinstance(end, Value):
        raise ValueError(
            f"The {name} of the relation {kind!r} must be a Value, but {end!r:.60} was given."
        )
    if end.start is None:
        raise ValueError(
            f"The {name} of the relation {kind!r} must have offsets, but {end.text!r:.60} has none."
        )


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed pair of spans.

    Attributes:
        type: the relation type, as it was asked.
        head: the span from which the relation starts.
        tail: the span to which the relation leads.
        score: the confidence of the model, from 0 to 1.

    >>> born = Relation("born in", Value("Curie", 6, 11, 0.9), Value("Warsaw", 24, 30, 0.9), 0.8)
    >>> f"{born.head.text} -- {born.type} -> {born.tail.text}"
    'Curie -- born in -> Warsaw'
    """

    type: str
    head: Value
    tail: Value
    score: float

    def __post_init__(self) -> None:
        check_name(self.type, "'type'")
        _check_end(self.head, "head", self.type)
        _check_end(self.tail, "tail", self.type)
        object.__setattr__(self, "score", check_score(self.score, f"the relation {self.type!r}"))


def frozen_record(row: Record, name: object) -> Record:
    """Return a record, of the structure of a name, that cannot be changed."""
    held: dict[str, FieldValue] = {}
    for key, own in check_object(row, f"A record of {name!r}").items():
        check_text(key, "The name of a field")
        held[key] = tuple(own) if isinstance(own, list) else own
        for value in values_in(held[key]):
            check_made(value, Value, f"A value of {key!r}")
    return FrozenDict(held)


def entity_dict(entity: Entity) -> dict[str, Any]:
    """Return an entity as plain values."""
    place = {"text": entity.text, "start": entity.start, "end": entity.end}
    names = {"names": labels_list(entity.names)} if entity.names else {}
    return {"label": entity.label, **place, "score": entity.score, **names}


def entity_from(given: object) -> Entity:
    """Rebuild an entity from `entity_dict`."""
    held = check_object(given, "An item of 'entities'")
    names = held.get("names")
    names = () if names is None else labels_from(names, "'names'")
    return Entity(held["label"], held["text"], held["start"], held["end"], held["score"], names)


def value_dict(value: Value) -> dict[str, Any]:
    """Return a value as plain values."""
    return {"text": value.text, "start": value.start, "end": value.end, "score": value.score}


def held_dict(held: FieldValue) -> dict[str, Any] | list[dict[str, Any]] | None:
    """Return what a field holds as plain values."""
    if isinstance(held, tuple):
        return [value_dict(value) for value in held]
    return None if held is None else value_dict(held)


def _value_from(given: object, what: str) -> Value:
    held = check_object(given, what)
    return Value(held["text"], held["start"], held["end"], held["score"])


def _held_from(given: object, key: object) -> FieldValue:
    if isinstance(given, list | tuple):
        return tuple(_value_from(one, f"A value of {key!r}") for one in given)
    return None if given is None else _value_from(given, f"The value of {key!r}")


def record_from(given: object, name: object) -> Record:
    """Rebuild a record of a structure from the `held_dict` of each field."""
    held = check_object(given, f"A record of {name!r}")
    return {key: _held_from(one, key) for key, one in held.items()}


def relation_from(given: object) -> Relation:
    """Rebuild a relation from its plain values."""
    held = check_object(given, "An item of 'relations'")
    head, tail = _value_from(held["head"], "'head'"), _value_from(held["tail"], "'tail'")
    return Relation(held["type"], head, tail, held["score"])
