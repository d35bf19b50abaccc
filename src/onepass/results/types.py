"""What was found: frozen values with character offsets into the text that was given.

``text[start:end] == value.text`` holds for every value that has offsets; `Extraction` checks it at
birth. Answers about the whole text have a module of their own, `onepass.results.classification`.
These types know nothing about models, words or windows.
"""

from __future__ import annotations

import json
from collections.abc import ItemsView, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, SupportsIndex

from onepass.errors import InputError
from onepass.results.checks import check_list, check_object, check_score, check_text, check_whole
from onepass.results.classification import (
    Classification,
    LabelScore,
    check_order,
    classification_dict,
    classification_from,
    labels_from,
    labels_list,
)
from onepass.results.coverage import Coverage, coverage_from
from onepass.results.exports import Exports
from onepass.results.frozen import FrozenDict
from onepass.results.surrogates import escaped_surrogates

__all__ = [
    "Classification", "Coverage", "Entity", "Extraction", "FieldValue", "LabelScore", "Record",
    "Relation", "Value",
]  # fmt: skip


def _offsets(start: SupportsIndex, end: SupportsIndex, owner: str) -> tuple[int, int]:
    """Return offsets as Python ints."""
    first = check_whole(start, f"The start of {owner}")
    last = check_whole(end, f"The end of {owner}")
    if not 0 <= first <= last:
        raise ValueError(f"The offsets of {owner} must satisfy 0 <= start <= end: {first}, {last}.")
    return first, last


@dataclass(frozen=True, slots=True)
class Value:
    """A piece of evidence: a span of the text, or a choice (which has no offsets)."""

    text: str
    start: int | None  # character index, None for a choice
    end: int | None  # half-open
    score: float

    def __post_init__(self) -> None:
        check_text(self.text, "'text'")
        object.__setattr__(self, "score", check_score(self.score, f"the value {self.text!r}"))
        if self.start is not None and self.end is not None:
            start, end = _offsets(self.start, self.end, f"the value {self.text!r}")
            object.__setattr__(self, "start", start)
            object.__setattr__(self, "end", end)
        elif self.start is not self.end:
            raise ValueError(f"The value {self.text!r} needs both a start and an end, or neither.")


@dataclass(frozen=True, slots=True)
class Entity:
    """A mention of an entity label."""

    label: str
    text: str
    start: int
    end: int
    score: float
    names: tuple[LabelScore, ...] = ()  # written by the checkpoint, best first; if asked for

    def __post_init__(self) -> None:
        check_text(self.label, "'label'")
        check_text(self.text, "'text'")
        owner = f"the {self.label!r} entity {self.text!r}"
        object.__setattr__(self, "score", check_score(self.score, owner))
        start, end = _offsets(self.start, self.end, owner)
        object.__setattr__(self, "start", start)
        object.__setattr__(self, "end", end)
        object.__setattr__(self, "names", tuple(self.names))
        check_order(self.names)


FieldValue = Value | None | tuple[Value, ...]  # "str" fields: Value or None; "list" fields: a tuple
Record = Mapping[str, FieldValue]


def values_in(held: FieldValue) -> tuple[Value, ...]:
    """Return the values of a field, whether it holds one, several or none."""
    if isinstance(held, tuple):
        return held
    return () if held is None else (held,)


@dataclass(frozen=True, slots=True)
class Relation:
    """A directed pair of spans."""

    type: str
    head: Value
    tail: Value
    score: float

    def __post_init__(self) -> None:
        check_text(self.type, "'type'")
        object.__setattr__(self, "score", check_score(self.score, f"the relation {self.type!r}"))


_UNREAD = Coverage(0, 0, 0, False)


@dataclass(frozen=True, slots=True)
class Extraction(Exports):
    """Everything that was found in one text; its shape is the same whatever was asked.

    Args:
        text: the text that was read; all offsets point into it.
        entities: mentions, in the order of the text.
        classifications: one answer per task name.
        records: the records of each structure name.
        relations: directed pairs of spans.
        coverage: how much of the text was read; the default means that nothing was.

    Raises:
        ValueError: if a value's offsets do not point at its text; the message names the value.

    >>> doc = Extraction("Tim Cook", entities=(Entity("person", "Tim Cook", 0, 8, 0.97),))
    >>> doc.to_dict()["entities"]
    [{'label': 'person', 'text': 'Tim Cook', 'start': 0, 'end': 8, 'score': 0.97}]
    >>> Extraction("Tim Cook", entities=(Entity("person", "Tim", 4, 7, 0.97),))
    Traceback (most recent call last):
    ValueError: The 'person' entity 'Tim' does not stand at 4:7, where the text reads 'Coo'.
    """

    text: str
    entities: tuple[Entity, ...] = ()
    classifications: Mapping[str, Classification] = field(default_factory=dict)
    records: Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    relations: tuple[Relation, ...] = ()
    coverage: Coverage = _UNREAD

    def __post_init__(self) -> None:
        put = object.__setattr__
        check_text(self.text, "'text'")
        for task in self.classifications:
            check_text(task, "The name of a task")
        put(self, "entities", tuple(self.entities))
        put(self, "relations", tuple(self.relations))
        put(self, "classifications", FrozenDict(self.classifications))
        records = {
            name: tuple(_frozen_record(row) for row in rows) for name, rows in self.records.items()
        }
        for name in records:
            check_text(name, "The name of a structure")
        put(self, "records", FrozenDict(records))
        for owner, text, start, end in self._places():
            if end > len(self.text) or self.text[start:end] != text:
                raise ValueError(
                    f"The {owner} {text!r} does not stand at {start}:{end}, "
                    f"where the text reads {self.text[start:end]!r}."
                )
        if self.coverage != _UNREAD and self.coverage.chars != len(self.text):
            raise ValueError(
                f"Coverage counts {self.coverage.chars} characters in a text of {len(self.text)}."
            )

    def _places(self) -> Iterator[tuple[str, str, int, int]]:
        """Yield (owner, text, start, end) of everything that has offsets."""
        for entity in self.entities:
            yield f"{entity.label!r} entity", entity.text, entity.start, entity.end
        for owner, value in self._values():
            if value.start is not None and value.end is not None:
                yield owner, value.text, value.start, value.end

    def _values(self) -> Iterator[tuple[str, Value]]:
        for name, rows in self.records.items():
            for row in rows:
                for key, held in row.items():
                    for value in values_in(held):
                        yield f"{key!r} value of a {name!r} record", value
        for relation in self.relations:
            yield f"head of the relation {relation.type!r}", relation.head
            yield f"tail of the relation {relation.type!r}", relation.tail

    def __reduce__(self) -> tuple[Any, ...]:
        return Extraction.from_dict, (self.to_dict(),)

    def _repr_html_(self) -> str:
        from onepass.results.render import to_fragment  # pages are rarely wanted: load on demand

        return to_fragment(self)

    def entities_by_label(self) -> dict[str, tuple[Entity, ...]]:
        """Group the entities by label.

        Returns:
            The labels that were found, in the order of their first mention.

        >>> found = Entity("x", "a", 0, 1, 0.9), Entity("x", "b", 2, 3, 0.8)
        >>> doc = Extraction("a b", entities=found)
        >>> [entity.text for entity in doc.entities_by_label()["x"]]
        ['a', 'b']
        """
        groups: dict[str, list[Entity]] = {}
        for entity in self.entities:
            groups.setdefault(entity.label, []).append(entity)
        return {label: tuple(group) for label, group in groups.items()}

    def to_dict(self) -> dict[str, Any]:
        """Return plain dicts, lists, strings and numbers, in the shape that the command prints.

        >>> sorted(Extraction("").to_dict())
        ['classifications', 'coverage', 'entities', 'records', 'relations', 'text']
        """
        return {
            "text": self.text,
            "entities": [_entity_dict(entity) for entity in self.entities],
            "classifications": {
                task: classification_dict(answer) for task, answer in self.classifications.items()
            },
            "records": {
                name: [{key: _held_dict(held) for key, held in row.items()} for row in rows]
                for name, rows in self.records.items()
            },
            "relations": [asdict(relation) for relation in self.relations],
            "coverage": asdict(self.coverage),
        }

    def to_json(self, indent: int | None = None) -> str:
        """Return `to_dict` as JSON that any UTF-8 file can hold.

        Args:
            indent: spaces per level; None for one line.

        Raises:
            InputError: for an indent that is not a whole number.

        >>> Extraction.from_dict(json.loads(Extraction("é").to_json())).text
        'é'
        """
        if indent is not None and type(indent) is not int:
            raise InputError(f"The indent must be a whole number, but {indent!r:.60} was given.")
        text = json.dumps(self.to_dict(), ensure_ascii=False, allow_nan=False, indent=indent)
        return escaped_surrogates(text)

    @classmethod
    def from_dict(cls, given: Mapping[str, Any]) -> Extraction:
        """Rebuild an extraction from `to_dict`; sections that are left out are empty.

        Args:
            given: the dict, for example one line of a JSONL file of results.

        Raises:
            InputError: if a key is missing, a value is of another type, or two contradict each
                other, as when offsets do not point at their text.

        >>> Extraction.from_dict({"text": "hello"}) == Extraction("hello")
        True
        """
        if not isinstance(given, Mapping):
            raise InputError(
                f"A stored extraction must be an object, but a {type(given).__name__} was given."
            )
        try:
            return _extraction_from(given)
        except KeyError as error:
            raise InputError(f"A stored extraction has no key {error}; was it cut off?") from error
        except (TypeError, AttributeError, ValueError) as error:
            raise InputError(f"A stored extraction cannot be read: {error}") from error


def _frozen_record(row: Record) -> Record:
    for key in row:
        check_text(key, "The name of a field")
    return FrozenDict(
        (key, tuple(held) if isinstance(held, list) else held) for key, held in row.items()
    )


def _entity_dict(entity: Entity) -> dict[str, Any]:
    place = {"text": entity.text, "start": entity.start, "end": entity.end}
    names = {"names": labels_list(entity.names)} if entity.names else {}
    return {"label": entity.label, **place, "score": entity.score, **names}


def _entity_from(given: object) -> Entity:
    held = check_object(given, "An item of 'entities'")
    names = labels_from(held.get("names", []), "'names'")
    return Entity(held["label"], held["text"], held["start"], held["end"], held["score"], names)


def _value_dict(value: Value) -> dict[str, Any]:
    return {"text": value.text, "start": value.start, "end": value.end, "score": value.score}


def _held_dict(held: FieldValue) -> dict[str, Any] | list[dict[str, Any]] | None:
    if isinstance(held, tuple):
        return [_value_dict(value) for value in held]
    return None if held is None else _value_dict(held)


def _value_from(given: object, what: str) -> Value:
    held = check_object(given, what)
    return Value(held["text"], held["start"], held["end"], held["score"])


def _held_from(given: object, key: object) -> FieldValue:
    if isinstance(given, list | tuple):
        return tuple(_value_from(one, f"A value of {key!r}") for one in given)
    return None if given is None else _value_from(given, f"The value of {key!r}")


def _record_from(given: object, name: object) -> Record:
    held = check_object(given, f"A record of {name!r}")
    return {key: _held_from(one, key) for key, one in held.items()}


def _relation_from(given: object) -> Relation:
    held = check_object(given, "An item of 'relations'")
    head, tail = _value_from(held["head"], "'head'"), _value_from(held["tail"], "'tail'")
    return Relation(held["type"], head, tail, held["score"])


def _extraction_from(given: Mapping[str, Any]) -> Extraction:
    return Extraction(
        text=given["text"],
        entities=tuple(_entity_from(one) for one in _items(given, "entities")),
        classifications={
            task: classification_from(answer, f"The classification {task!r}")
            for task, answer in _named(given, "classifications")
        },
        records={
            name: tuple(
                _record_from(one, name) for one in check_list(rows, f"The records {name!r}")
            )
            for name, rows in _named(given, "records")
        },
        relations=tuple(_relation_from(one) for one in _items(given, "relations")),
        coverage=coverage_from(given["coverage"]) if "coverage" in given else _UNREAD,
    )


def _items(given: Mapping[str, Any], key: str) -> Sequence[Any]:
    return check_list(given.get(key, ()), repr(key))  # a section may be left out


def _named(given: Mapping[str, Any], key: str) -> ItemsView[str, Any]:
    return check_object(given.get(key, {}), repr(key)).items()
