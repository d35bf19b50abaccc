"""What is to be replaced: places of the model and of patterns, checked, merged where they touch.

Nothing that was found stays uncovered: places that overlap become one, with the label of the
surest, and what the model found once is found wherever it stands in the text. This module does not
know what a place is replaced by.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from onepass.redact.kinds import Kind, kind_of
from onepass.redact.patterns import Finder
from onepass.redact.plain import plain
from onepass.results.types import Extraction

MODEL, PATTERN, REPEAT = "model", "pattern", "repeat"
_SHORTEST = 4  # characters of a value that is looked for elsewhere
_SHORTEST_UNSPACED = 2
# Letters of scripts without blanks between words, and of Hangul, where particles follow a name:
# Thai to Burmese, Khmer, Chinese, kana, Hangul.
_UNSPACED = (
    r"\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u318f\u31a0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
_SPACED = rf"[^\W{_UNSPACED}]"
_WHOLLY_UNSPACED = re.compile(rf"[{_UNSPACED}]+")
LEAST = 0.5  # of a pattern, after its check


@dataclass(frozen=True, slots=True)
class Place:
    """A place to be replaced.

    Attributes:
        label: as it was asked.
        start: character index.
        end: half-open.
        score: after the check.
        source: "model", "pattern" or "repeat" (of what the model found elsewhere in the text).
        check: whether the value passed the check of its kind; None if there is none, or it cannot
            tell.
    """

    label: str
    start: int
    end: int
    score: float
    source: str
    check: bool | None = None


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

    def places(self, doc: Extraction, threshold: float | None) -> list[Place]:
        """Return the places to replace in a text, in its order, without overlap.

        Args:
            doc: what the model found.
            threshold: the least score; None keeps all that the model found, whatever its check.
        """
        asked = (e for e in doc.entities if e.start < e.end)
        checks = (self._checked(e.label, e.start, e.end, e.score, doc) for e in asked)
        found = [place for place in checks if threshold is None or place.score >= threshold]
        found += repeats(doc.text, found)
        if self._patterns:
            least = LEAST if threshold is None else threshold
            found += [place for place in self._by_pattern(doc) if place.score >= least]
        return list(merged(found))

    def _by_pattern(self, doc: Extraction) -> Iterator[Place]:
        for label, kind in self._kinds.items():
            if kind.finder is not None:
                for start, end in kind.finder(doc.text):
                    place = self._checked(label, start, end, kind.score, doc)
                    yield replace(place, source=PATTERN)

    def _checked(self, label: str, start: int, end: int, score: float, doc: Extraction) -> Place:
        kind = self._kinds.get(label)
        passed = None if kind is None else kind.check(plain(doc.text[start:end]))
        return Place(label, start, end, checked(score, passed), MODEL, passed)


def repeats(text: str, places: Iterable[Place]) -> list[Place]:
    """Return other places of the values that were found, as whole words in the same letters.

    In scripts without blanks between words a value is found wherever its letters stand. Places may
    overlap, but none lies in one that begins before it.

    >>> [(p.start, p.end) for p in repeats("Anna, Anna, Annabel", [Place("x", 0, 4, 0.5, "model")])]
    [(6, 10)]
    """
    best: dict[str, Place] = {}
    known = set()
    for place in places:
        known.add((place.start, place.end))
        value = text[place.start : place.end]
        shortest = _SHORTEST_UNSPACED if _WHOLLY_UNSPACED.fullmatch(value) else _SHORTEST
        if len(value) >= shortest and (value not in best or best[value].score < place.score):
            best[value] = place
    if not best:
        return []
    longest = sorted(best, key=len, reverse=True)
    values = "|".join(map(re.escape, longest))
    anywhere = re.compile(
        rf"(?:(?<!{_SPACED})|(?=[{_UNSPACED}]))"
        rf"(?=({values})(?:(?!{_SPACED})|(?<=[{_UNSPACED}])))"  # the next one may begin inside
    )
    found, done = [], 0
    for match in anywhere.finditer(text):
        start, end = match.span(1)
        if end > done and (start, end) not in known:
            found.append(replace(best[match[1]], start=start, end=end, source=REPEAT))
        done = max(done, end)
    return found


def merged(places: Iterable[Place]) -> Iterator[Place]:
    """Yield places in their order; those that overlap as one, named by the surest of them.

    >>> a, b = Place("x", 0, 5, 0.5, "model"), Place("y", 3, 8, 0.75, "pattern")
    >>> [(p.label, p.start, p.end) for p in merged([b, a])]
    [('y', 0, 8)]
    """
    held: Place | None = None
    for place in sorted(places, key=lambda p: (p.start, p.end)):
        if held is None or place.start >= held.end:
            if held is not None:
                yield held
            held = place
            continue
        sure = max(held, place, key=lambda p: (p.score, p.source != REPEAT, p.end - p.start))
        held = replace(sure, start=held.start, end=max(held.end, place.end))
    if held is not None:
        yield held
