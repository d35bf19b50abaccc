"""What was found: frozen values with character offsets into the text that was given.

``text[start:end] == value.text`` holds for every value that has offsets; `Extraction` checks it at
birth. What stands in the text is in `onepass.results.values`, answers about the whole text in
`onepass.results.classification`. These types know nothing about models, words or windows.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from onepass.errors import InputError
from onepass.results.checks import check_list, check_made, check_object, check_text
from onepass.results.classification import (
    Classification,
    LabelScore,
    classification_dict,
    classification_from,
)
from onepass.results.coverage import Coverage, coverage_from
from onepass.results.exports import Exports
from onepass.results.frozen import FrozenDict
from onepass.results.surrogates import escaped_surrogates
from onepass.results.values import (
    Entity,
    FieldValue,
    Record,
    Relation,
    Value,
    entity_dict,
    entity_from,
    frozen_record,
    held_dict,
    record_from,
    relation_from,
    values_in,
)

__all__ = [
    "Classification", "Coverage", "Entity", "Extraction", "FieldValue", "LabelScore", "Record",
    "Relation", "Value",
]  # fmt: skip


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
        coverage: the part of the text that was read; the default means that nothing was.

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
        for task, answer in self.classifications.items():
            check_text(task, "The name of a task")
            check_made(answer, Classification, f"The classification {task!r}")
        put(self, "entities", tuple(self.entities))
        for entity in self.entities:
            check_made(entity, Entity, "An item of 'entities'")
        put(self, "relations", tuple(self.relations))
        for relation in self.relations:
            check_made(relation, Relation, "An item of 'relations'")
        check_made(self.coverage, Coverage, "'coverage'")
        put(self, "classifications", FrozenDict(self.classifications))
        records = {
            name: tuple(frozen_record(row, name) for row in rows)
            for name, rows in self.records.items()
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
            "entities": [entity_dict(entity) for entity in self.entities],
            "classifications": {
                task: classification_dict(answer) for task, answer in self.classifications.items()
            },
            "records": {
                name: [{key: held_dict(held) for key, held in row.items()} for row in rows]
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
        """Rebuild an extraction from `to_dict`; what is left out, or null, is empty.

        Args:
            given: the dict, for example ``row["extraction"]`` of a row of a JSONL or a Parquet file
                of results (in Parquet, the scores of labels are a list of pairs).

        Raises:
            InputError: if a key is missing, a value is of another type, or two contradict each
                other, as when offsets do not point at their text.

        >>> Extraction.from_dict({"text": "hello"}) == Extraction("hello")
        True
        """
        if not isinstance(given, Mapping):
            raise InputError(
                f"A stored extraction must be an object, but a {type(given).__name__} was given; "
                "of JSON text give json.loads(...)."
            )
        if "extraction" in given:  # its text alone would be an extraction without findings
            raise InputError(
                "A stored extraction was expected, but a row of a file of results was given; give "
                "row['extraction']."
            )
        try:
            return _extraction_from(given)
        except KeyError as error:
            raise InputError(
                f"A stored extraction, or a part of it, has no key {error}; was it cut off?"
            ) from error
        except (TypeError, AttributeError, ValueError) as error:
            raise InputError(f"A stored extraction cannot be read: {error}") from error


def _extraction_from(given: Mapping[str, Any]) -> Extraction:
    coverage = given.get("coverage")
    return Extraction(
        text=given["text"],
        entities=tuple(entity_from(one) for one in _items(given, "entities")),
        classifications={
            task: classification_from(answer, f"The classification {task!r}")
            for task, answer in _named(given, "classifications")
        },
        records={
            name: tuple(record_from(one, name) for one in check_list(rows, f"The records {name!r}"))
            for name, rows in _named(given, "records")
        },
        relations=tuple(relation_from(one) for one in _items(given, "relations")),
        coverage=_UNREAD if coverage is None else coverage_from(coverage),
    )


def _items(given: Mapping[str, Any], key: str) -> Sequence[Any]:
    """Return a section; it may be left out, or null, as parts of a column of Parquet are."""
    held = given.get(key)
    return () if held is None else check_list(held, repr(key))


def _named(given: Mapping[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """Yield what a section holds under names; it, and each of these, may be left out or null."""
    held = given.get(key)
    for name, one in check_object({} if held is None else held, repr(key)).items():
        if one is not None:
            yield name, one
