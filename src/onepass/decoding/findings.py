"""What one reading says: a window of a text under one prompt, before anything is merged.

Positions are words of the window; labels, fields, tasks and types are indices into the schema.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from onepass.arrays import Float32s
from onepass.decoding.candidates import NO_CANDIDATES, Candidates, RecordFind, RelationFind
from onepass.text.windows import Window

Names = tuple[tuple[str, float], ...]  # of one entity with their scores, best first


@dataclass(frozen=True, slots=True, eq=False)
class Findings:
    """The findings of one reading.

    Attributes:
        entities: candidates of entity labels.
        records: structure to its records; each has all fields of the structure.
        relations: pairs.
        classes: (task, labels asked in this prompt) to their (labels,) logits.
        classes_alone: the same with logits that judge each label by itself, which abstaining needs;
            left out where they are those of ``classes``.
        relations_of_entities: whether a relation counts only between entities that are kept.
        names: of each entity; none at all if they were not asked for.
        spare: structures of which there may be more records than the text has; one that repeats a
            part of another is none of its own.
        names_are_labels: whether the best name of an entity stands for its label.

    >>> len(Findings().entities), Findings().relations
    (0, ())
    """

    entities: Candidates = NO_CANDIDATES
    records: dict[int, tuple[RecordFind, ...]] = field(default_factory=dict)
    relations: tuple[RelationFind, ...] = ()
    classes: dict[tuple[int, tuple[int, ...]], Float32s] = field(default_factory=dict)
    classes_alone: dict[tuple[int, tuple[int, ...]], Float32s] = field(default_factory=dict)
    relations_of_entities: bool = False
    names: tuple[Names, ...] = ()
    names_are_labels: bool = False
    spare: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True, eq=False)
class WindowFindings:
    """A window with the findings of each prompt under which it was read."""

    window: Window
    findings: tuple[Findings, ...]
