"""Examples: a text with everything that was annotated in it, in character offsets.

This is the documented JSONL format of onepass, as values. It knows nothing about prompts or models.

An entity list is exhaustive for the labels in ``asked`` (those without a mention are negatives) and
says nothing about other labels.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Mention:
    """A gold span of one label."""

    start: int
    end: int
    label: str


@dataclass(frozen=True, slots=True)
class GoldTask:
    """A gold classification: all candidate labels and the true ones."""

    name: str
    labels: tuple[str, ...]
    true: tuple[str, ...]
    multi_label: bool = False
    descriptions: Mapping[str, str] = field(default_factory=dict)
    prompt: str | None = None


@dataclass(frozen=True, slots=True)
class GoldValue:
    """A gold field value: a span, a choice, or a text whose place is not known."""

    start: int | None = None
    end: int | None = None
    choice: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class GoldField:
    """How a field of a gold structure is asked."""

    name: str
    description: str | None = None
    choices: tuple[str, ...] = ()
    dtype: str = "list"


@dataclass(frozen=True, slots=True)
class GoldStructure:
    """A record type and its gold records; no records means that there are none in the text."""

    name: str
    fields: tuple[GoldField, ...]
    records: tuple[Mapping[str, tuple[GoldValue, ...]], ...]


@dataclass(frozen=True, slots=True)
class GoldRelation:
    """A gold pair of spans."""

    type: str
    head: tuple[int, int]
    tail: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Example:
    """One annotated text."""

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
