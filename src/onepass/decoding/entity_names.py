"""Names of entities, carried from readings to the entities of a document.

An entity that several windows found has the names of the window that was surest of it. Names that
stand for labels become labels here, before anything is merged, so that all that is said of labels
holds for them. This module does not know how names are made.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from onepass.decoding.candidates import Candidates
from onepass.decoding.findings import Findings, Names

Place = tuple[int, int, int]  # first word, word after the last, label


@dataclass(slots=True, eq=False)
class NamedEntities:
    """The entities of all readings of a document.

    Args:
        labels: of the schema; labels that are generated come behind them.

    Attributes:
        labels: name of each label.
        tables: candidates of each reading, in words of the document.

    >>> found = Findings(
    ...     Candidates([0], [1], [0.9], [0]), names=((("city", 0.5),),), names_are_labels=True
    ... )
    >>> entities = NamedEntities(["entity"])
    >>> entities.add(3, found)
    >>> entities.labels, entities.of((3, 4, 1))
    (['entity', 'city'], (('city', 0.5),))
    """

    labels: list[str]
    tables: list[Candidates] = field(default_factory=list)
    _named: dict[Place, tuple[float, Names]] = field(default_factory=dict)

    def add(self, first: int, findings: Findings) -> None:
        """Add the entities of a reading.

        Args:
            first: word of the document at which its window starts.
            findings: of the reading.
        """
        found = findings.entities.shift(first)
        if findings.names_are_labels and findings.names:
            labels = [
                self._label(names[0][0]) if names else label
                for label, names in zip(found.labels.tolist(), findings.names, strict=True)
            ]
            found = found.labeled(np.array(labels, dtype=np.int64))
        self.tables.append(found)
        if not findings.names:
            return
        for (start, end, score, label), names in zip(found.rows(), findings.names, strict=True):
            known = self._named.get((start, end, label))
            if known is None or score > known[0]:
                self._named[start, end, label] = score, names

    def of(self, place: Place) -> Names:
        """Return the names of an entity, none if it has none."""
        return self._named[place][1] if place in self._named else ()

    def _label(self, name: str) -> int:
        """Return the label of a generated name."""
        if name not in self.labels:
            self.labels.append(name)
        return self.labels.index(name)


def join_entities(readings: Iterable[tuple[int, Findings]], labels: list[str]) -> NamedEntities:
    """Return the entities of all readings of a document.

    Args:
        readings: first word of the window, and findings.
        labels: of the schema.

    >>> join_entities([(0, Findings())], ["person"]).labels
    ['person']
    """
    joined = NamedEntities(list(labels))
    for first, findings in readings:
        joined.add(first, findings)
    return joined
