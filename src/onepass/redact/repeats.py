"""Where else a value stands that was found once: as a whole word, in the same letters.

Any white space counts for any other, since a line may break inside a name. This module does not
know what a value is, nor who found it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

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
_RUN = rf"(?:[^\W{_UNSPACED}]+|(?![{_UNSPACED}])[{_MARKS}])+"  # no value begins or ends inside
_PIECE = rf"(?:{_RUN}|\S)"
# Compiled once: the classes are large.
_BEGINS = re.compile(rf"(?<!{_INSIDE}){_PIECE}|[{_UNSPACED}]")
_NEXT = re.compile(rf"(\s{{1,20}})?({_PIECE})")
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
    tree = _Tree()
    for value, place in best.items():
        tree.add(value, place)
    found, done = [], 0
    for begin in _BEGINS.finditer(text):  # also inside of one that was found
        if begin[0] not in tree.behind:
            continue
        start = begin.start()
        end, first = tree.longest(text, start)
        if first is not None and end > done and (start, end) not in known:
            found.append(replace(first, start=start, end=end, source=REPEAT))
        done = max(done, end)
    return found


@dataclass(slots=True)
class _Tree:
    """Values by their pieces, so that looking at a place costs the same however many there are.

    Attributes:
        place: of the value that ends here, if one does.
        behind: what follows, by the next piece, which has a blank before it if it stands behind
            white space.
    """

    place: Place | None = None
    behind: dict[str, _Tree] = field(default_factory=dict)

    def add(self, value: str, place: Place) -> None:
        """Add a value with one blank for each stretch of white space in it."""
        node = self
        for piece in _NEXT.finditer(value):
            node = node.behind.setdefault(piece[0], _Tree())
        node.place = place

    def longest(self, text: str, start: int) -> tuple[int, Place | None]:
        """Return the longest value that begins here and ends as a word does: its end and place."""
        end, place = start, None
        node, piece = self, _NEXT.match(text, start)
        while piece is not None:
            following = node.behind.get(piece[2] if piece[1] is None else " " + piece[2])
            if following is None:
                break
            node, at = following, piece.end()
            if node.place is not None and _ENDS.match(text, at):
                end, place = at, node.place
            piece = _NEXT.match(text, at)
        return end, place


def _spaced(value: str) -> str:
    """Return a value with one blank for each stretch of white space in it, and none around it."""
    return " ".join(value.split())
