"""What a reading of a boundary checkpoint says, and what it is read with."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from onepass.arrays import Bools, Float32s, Int64s
from onepass.backends.base import Backend
from onepass.models.boundary.config import BoundaryConfig
from onepass.models.family import Asking


@dataclass(frozen=True, slots=True, eq=False)
class Pairs:
    """Pairs of one relation type in one text.

    Attributes:
        places: (pairs, 4) first word of the head and the one behind it, and of the tail.
        ends: (pairs, 2) probabilities of head and tail.
        logits: (pairs,) that the relation holds; zeros before they are scored.
    """

    places: Int64s
    ends: Float32s
    logits: Float32s

    def __len__(self) -> int:
        return len(self.places)

    def scored(self, logits: Float32s) -> Pairs:
        """Return the same pairs with their logits."""
        return replace(self, logits=logits)


@dataclass(frozen=True, slots=True, eq=False)
class BoundaryScores:
    """The answers of one reading.

    Attributes:
        places: (queries, spans, 2) words where spans start and end; choice words stand before those
            of the text.
        logits: (queries, spans); minus infinity where a query has fewer spans than others.
        probs: (queries, spans) probabilities, 0 for these.
        there: (queries,) false where a query says that there is nothing.
        firsts: group to its first query.
        records: group to the (records, fields, spans) probabilities of its values.
        pairs: group to the pairs of a relation type.
        classes: group to (items,) logits.
    """

    places: Int64s
    logits: Float32s
    probs: Float32s
    there: Bools
    firsts: dict[int, int] = field(default_factory=dict)
    records: dict[int, Float32s] = field(default_factory=dict)
    pairs: dict[int, Pairs] = field(default_factory=dict)
    classes: dict[int, Float32s] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class How:
    """What readings of a call are scored with.

    Attributes:
        backend: that runs the graphs of `onepass.models.boundary.graphs`.
        config: of the checkpoint.
        asking: the schema and its thresholds, by which records are found.
    """

    backend: Backend
    config: BoundaryConfig
    asking: Asking
