"""What a model nearly found: a text is read once more, down to lower scores.

It compares two readings by what they found; how a text is read is left to the reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from onepass.models.reader import Planned, Reader
from onepass.models.thresholds import Thresholds
from onepass.results.missed import Explanation, Missed
from onepass.results.types import Extraction, Record, Relation, Value
from onepass.results.values import values_in
from onepass.schema import Schema


class _Named(Protocol):
    """A label, a question, a field or a relation type."""

    @property
    def name(self) -> str: ...


def explain(reader: Reader, text: str, asked: Planned, floor: float) -> Explanation:
    """Return what is found in a text, and what scores at least so much and is not kept.

    Args:
        reader: of the model.
        text: a string.
        asked: what `Reader.ask` returned.
        floor: the lowest score that is looked at; a threshold below it stays as it is.

    Raises:
        TextTooLong: for a long text if ``on_long`` of the call is "error".

    >>> from onepass import Extractor
    >>> reader = Extractor()._reader
    >>> asked = reader.ask({"entities": ["person", "city"]})
    >>> told = explain(reader, "Ann Lee left.", asked, 0.001)
    >>> [entity.label for entity in told.extraction.entities], told.missed[0].name
    (['person'], 'city')
    """
    least = asked.asking.thresholds
    kept, wide = (reader.read([text], one)[0] for one in (asked, _wider(asked, floor)))
    every = _Missing(asked.asking.schema, least, kept, wide)
    missed = [*every.entities(), *every.values(), *every.relations()]
    missed.sort(key=lambda one: -one.found.score)
    return Explanation(kept, tuple(missed), floor)


def _wider(asked: Planned, floor: float) -> Planned:
    """Return what is asked down to a score, with entities that share words."""
    own = asked.asking.thresholds
    lower = replace(
        own,
        entities=np.minimum(own.entities, np.float32(floor)),
        fields=tuple(np.minimum(one, np.float32(floor)) for one in own.fields),
        relations=np.minimum(own.relations, np.float32(floor)),
    )
    return replace(
        asked,
        asking=replace(asked.asking, thresholds=lower, overlap="all"),
        choice=replace(asked.choice, overlap="all", solver="greedy"),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Missing:
    """What a wider reading of a text has and another one has not.

    What scores too little and shares words with a kept finding of the same name is left out: it is
    a part of that one, or has it as a part.

    Attributes:
        schema: what was asked.
        least: the thresholds of the narrower one.
        kept: what that found.
        wide: what the wider one found.
    """

    schema: Schema
    least: Thresholds
    kept: Extraction
    wide: Extraction

    def entities(self) -> Iterator[Missed]:
        """Yield entities, and answers to questions."""
        thresholds = dict(zip(_names(self.schema.span_labels), self.least.entities, strict=True))
        answers = set(_names(self.schema.questions))
        kept = {(one.label, one.start, one.end) for one in self.kept.entities}
        for found in self.wide.entities:
            # A name that the checkpoint wrote itself has no threshold.
            if (found.label, found.start, found.end) in kept or found.label not in thresholds:
                continue
            over = [
                one
                for one in self.kept.entities
                if one.start < found.end and found.start < one.end
                and (one.label == found.label or not answers & {one.label, found.label})
            ]  # fmt: skip
            threshold = float(thresholds[found.label])
            if found.score >= threshold or all(one.label != found.label for one in over):
                by = max(over, key=lambda one: one.score, default=None)
                yield Missed(found.label, found, threshold, by=by)

    def values(self) -> Iterator[Missed]:
        """Yield values of records, each once for a field."""
        for structure, least in zip(self.schema.structures, self.least.fields, strict=True):
            thresholds = dict(zip(_names(structure.fields), least, strict=True))
            kept = list(_values(self.kept.records[structure.name]))
            seen = {(field, one.text, one.start) for field, one in kept}
            for name, found in _values(self.wide.records[structure.name]):
                threshold = float(thresholds[name])
                part = any(name == field and _share_words(found, one) for field, one in kept)
                if (name, found.text, found.start) in seen or (part and found.score < threshold):
                    continue
                seen.add((name, found.text, found.start))
                yield Missed(name, found, threshold, record=structure.name)

    def relations(self) -> Iterator[Missed]:
        """Yield relations."""
        types = self.schema.relation_types
        thresholds = dict(zip(_names(types), self.least.relations, strict=True))
        kept = {_ends(one) for one in self.kept.relations}
        for found in self.wide.relations:
            if _ends(found) not in kept:
                yield Missed(found.type, found, float(thresholds[found.type]))


def _names(asked: Iterable[_Named]) -> list[str]:
    return [one.name for one in asked]


def _values(records: Iterable[Record]) -> Iterator[tuple[str, Value]]:
    """Yield the fields of records with their values."""
    for record in records:
        for field, held in record.items():
            for value in values_in(held):
                yield field, value


def _share_words(one: Value, other: Value) -> bool:
    """Whether two values share words of the text; choices have none."""
    if one.start is None or one.end is None or other.start is None or other.end is None:
        return False
    return one.start < other.end and other.start < one.end


def _ends(one: Relation) -> tuple[str, int | None, int | None, int | None, int | None]:
    return one.type, one.head.start, one.head.end, one.tail.start, one.tail.end
