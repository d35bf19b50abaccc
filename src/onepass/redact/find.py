"""What is to be replaced: places of the model, of patterns and of values found once, checked.

This module does not know what a place is replaced by.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from onepass.redact.kinds import Kind, kind_of
from onepass.redact.places import MODEL, PATTERN, Place, apart, merged
from onepass.redact.plain import plain, unbroken
from onepass.redact.readings import Finder
from onepass.redact.repeats import repeats
from onepass.results.types import Extraction

LEAST = 0.5  # of a pattern, after its check


def checked(score: float, passed: bool | None) -> float:
    """Return a score after a check: a pass leaves a quarter of the doubt, a failure of the score.

    >>> checked(0.5, True), checked(0.5, False), checked(0.5, None)
    (0.875, 0.125, 0.5)
    """
    if passed is None:
        return score
    return 1 - (1 - score) / 4 if passed else score / 4


class Finders:
    """Patterns and checks of the labels that are asked.

    Args:
        labels: that are asked.
        patterns: whether patterns look for them, too.
        special: finders by a name of their kind, in place of its own.
    """

    def __init__(
        self, labels: Iterable[str], *, patterns: bool, special: Mapping[str, Finder] | None = None
    ) -> None:
        self._kinds: dict[str, Kind] = {}
        for label in labels:
            kind = kind_of(label)
            if kind is not None:
                named = (finder for n, finder in (special or {}).items() if n in kind.names)
                self._kinds[label] = replace(kind, finder=next(named, kind.finder))
        self._patterns = patterns

    def places(self, doc: Extraction) -> list[Place]:
        """Return the places to replace in a text, in its order, without overlap.

        Args:
            doc: what the model found, all of which is kept, whatever its check.
        """
        asked = (e for e in doc.entities if e.start < e.end)
        found = [self._checked(e.label, e.start, e.end, e.score, doc) for e in asked]
        found += repeats(doc.text, found)
        if self._patterns:
            found += [place for place in self._by_pattern(doc) if place.score >= LEAST]
        return list(merged(apart(doc.text, found)))

    def _by_pattern(self, doc: Extraction) -> Iterator[Place]:
        for label, kind in self._kinds.items():
            if kind.finder is not None:
                for start, end in kind.finder(doc.text):
                    place = self._checked(label, start, end, kind.score, doc)
                    yield replace(place, source=PATTERN)

    def _checked(self, label: str, start: int, end: int, score: float, doc: Extraction) -> Place:
        kind = self._kinds.get(label)
        passed = None if kind is None else kind.check(unbroken(plain(doc.text[start:end])))
        return Place(label, start, end, checked(score, passed), MODEL, passed)
