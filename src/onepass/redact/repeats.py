"""Where else a value stands that was found once: as a whole word, in the same letters.

Any white space counts for any other, since a line may break inside a name. This module does not
know what a value is, nor who found it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace

from onepass.redact.places import REPEAT, Place
from onepass.text.marks import MARK_RANGES, range_class

_SHORTEST = 4  # characters of a value that is looked for elsewhere
_SHORTEST_UNSPACED = 2
# Letters of scripts without blanks between words, and of Hangul, where particles follow a name:
# Thai to Burmese, Khmer, Chinese, kana, Hangul.
_UNSPACED = (
    r"\u0e00-\u109f\u1100-\u11ff\u1780-\u17ff\u3005-\u318f\u31a0-\u31ff\u3400-\u4dbf"
    r"\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\uff66-\uffdc\U00020000-\U0003ffff"
)
# Joiners and variants are no marks here: a suffix may follow a name behind a joiner.
_INVISIBLE = ("200c-200d", "180b-180d", "180f", "fe00-fe0f", "e0100-e01ef")
_MARKS = range_class(" ".join(one for one in MARK_RANGES.split() if one not in _INVISIBLE))
_INSIDE = rf"(?:[^\W{_UNSPACED}]|[{_MARKS}])"  # of a word of other scripts
# Compiled once: the classes are large, and each text has other values.
_BEGINS = re.compile(rf"(?<!{_INSIDE})(?=\S)|(?=[{_UNSPACED}])")
_ENDS = re.compile(rf"(?!{_INSIDE})|(?<=[{_UNSPACED}])(?![{_MARKS}])")
_WHOLLY_UNSPACED = re.compile(rf"[{_UNSPACED}]+")


def repeats(text: str, places: Iterable[Place]) -> list[Place]:
    r"""Return other places of the values that were found.

    In scripts without blanks between words a value is found wherever its letters stand. Places may
    overlap, but none lies in one that begins before it.

    Args:
        text: in which they stand.
        places: of the values.

    >>> found = [Place("x", 0, 7, 0.5, "model")]
    >>> [(p.start, p.end) for p in repeats("Anna Bo, Anna\nBo, Anna Borg", found)]
    [(9, 16)]
    """
    best: dict[str, Place] = {}
    known = set()
    for place in places:
        known.add((place.start, place.end))
        value = _spaced(text[place.start : place.end])
        shortest = _SHORTEST_UNSPACED if _WHOLLY_UNSPACED.fullmatch(value) else _SHORTEST
        if len(value) >= shortest and (value not in best or best[value].score < place.score):
            best[value] = place
    if not best:
        return []
    longest, shorter = sorted(best, key=len, reverse=True), _shorter(best)
    of_any = re.compile("|".join(map(_anyhow, longest)))
    found, done = [], 0
    for begin in _BEGINS.finditer(text):  # also inside of one that was found
        start = begin.start()
        match = of_any.match(text, start)
        end = start if match is None else _end(text, start, match[0], shorter)
        if end > max(start, done) and (start, end) not in known:
            place = best[_spaced(text[start:end])]
            found.append(replace(place, start=start, end=end, source=REPEAT))
        done = max(done, end)
    return found


def _spaced(value: str) -> str:
    """Return a value with one blank for each stretch of white space in it, and none around it."""
    return " ".join(value.split())


def _anyhow(value: str) -> str:
    """Return a pattern of a value with any white space in it."""
    return r"\s{1,20}".join(map(re.escape, value.split(" ")))


def _shorter(values: Iterable[str]) -> dict[str, str | None]:
    """Return for each value the longest other one that it begins with, if there is one.

    >>> _shorter(["Anna Bo", "Anna", "An", "Bo"])
    {'An': None, 'Anna': 'An', 'Anna Bo': 'Anna', 'Bo': None}
    """
    found: dict[str, str | None] = {}
    open_ones: list[str] = []
    for value in sorted(values):  # behind those that it begins with
        while open_ones and not value.startswith(open_ones[-1]):
            open_ones.pop()
        found[value] = open_ones[-1] if open_ones else None
        open_ones.append(value)
    return found


def _end(text: str, start: int, value: str, shorter: Mapping[str, str | None]) -> int:
    """Return where the longest known value ends that begins here and ends as a word does.

    Args:
        text: in which it stands.
        start: where it begins.
        value: the longest one that begins here, as it stands there.
        shorter: the next shorter value of each one, with one blank for each stretch of white space.

    Returns:
        A half-open end; the start if there is none.
    """
    one: str | None = _spaced(value)
    as_it_is = one == value
    while one is not None:
        size = len(one) if as_it_is else _size(value, one)
        if _ENDS.match(text, start + size):
            return start + size
        one = shorter[one]
    return start


def _size(value: str, begin: str) -> int:
    r"""Return how many characters of a value its beginning has, with the white space that it has.

    >>> _size("Anna \n Bo Lund", "Anna Bo")
    9
    """
    size = 0
    for word in begin.split(" "):
        size = value.index(word, size) + len(word)
    return size
