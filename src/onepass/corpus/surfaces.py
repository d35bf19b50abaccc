"""Where a surface stands in a text: every run of whole words that reads the same, in any case.

Scripts without blanks have no borders of words to keep: each letter of theirs is one here, whatever
words a checkpoint reads. It knows nothing about file formats.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from operator import itemgetter

from onepass.text.words import split_words

Span = tuple[int, int]


class Surfaces:
    """The words of one text, ready to be searched.

    >>> Surfaces("Apple sued Apple Inc. of New-York.").find("apple")
    [(0, 5), (11, 16)]
    >>> Surfaces("\u5e93\u514b\u5728\u5df4\u9ece\u3002").find("\u5df4\u9ece")
    [(3, 5)]
    """

    def __init__(self, text: str) -> None:
        places = _places(text)
        self._words = _forms(text, places)
        self._starts, self._ends = [start for start, _ in places], [end for _, end in places]
        self._found: dict[str, list[Span]] = {}  # by surface, since many stand in several answers
        self._places: dict[str, list[int]] = {}
        for place, word in enumerate(self._words):
            self._places.setdefault(word, []).append(place)

    def find(self, surface: str) -> list[Span]:
        """Return the character spans of every occurrence, in order; part of a word is none.

        >>> Surfaces("Apple sued Apple Inc. of New-York.").find("York")
        []
        """
        if surface not in self._found:
            self._found[surface] = self._search(surface)
        return self._found[surface]

    def _search(self, surface: str) -> list[Span]:
        words = _forms(surface, _places(surface))
        if not words:
            return []
        count = len(words)
        return [
            (self._starts[place], self._ends[place + count - 1])
            for place in self._places.get(words[0], ())
            if self._words[place : place + count] == words
        ]


def whole_words(text: str, spans: Iterable[Span]) -> dict[Span, Span]:
    """Return the spans that begin or end inside a word, each with that of the words it touches.

    Args:
        text: that they are in.
        spans: in characters.

    >>> whole_words("Ann met Mr. Tanaka.", [(0, 3), (9, 17)])
    {(9, 17): (8, 18)}
    """
    places = _places(text)
    starts, ends = [start for start, _ in places], [end for _, end in places]
    cut = {}
    for start, end in spans:
        first, last = bisect_right(ends, start), bisect_left(starts, end) - 1
        # What stands between two words is inside of none.
        whole = (
            min(start, starts[first]) if first < len(places) else start,
            max(end, ends[last]) if last >= 0 else end,
        )
        if whole != (start, end):
            cut[start, end] = whole
    return cut


def _places(text: str) -> list[Span]:
    """Return where the words of a text stand; a link ends before the marks behind it."""
    words = split_words(text, splitter="script")
    return [words.place(word, word + 1) for word in range(len(words))]


def _forms(text: str, places: Sequence[Span]) -> list[str]:
    return [text[start:end].lower() for start, end in places]


def closest_pair(heads: Sequence[Span], tails: Sequence[Span]) -> tuple[Span, Span]:
    """Return the head and the tail with the fewest characters between them, apart if they can be.

    Args:
        heads: at least one, each a surface as `Surfaces.find` returns it: starts and ends rise.
        tails: likewise.

    >>> closest_pair([(0, 5), (40, 45)], [(30, 35)])
    ((40, 45), (30, 35))
    """
    pairs = ((head, tail) for head in heads for tail in _near(head, tails))
    return min(pairs, key=lambda pair: (pair[0] == pair[1], _gap(*pair), pair))


def _near(head: Span, tails: Sequence[Span]) -> Sequence[Span]:
    """Return the tails that overlap a head, and the next one on either side of it."""
    before = bisect_right(tails, head[0], key=itemgetter(1))  # those that end where it starts
    behind = bisect_left(tails, head[1], key=itemgetter(0))  # the first that starts where it ends
    return tails[max(before - 1, 0) : behind + 1]


def _gap(first: Span, second: Span) -> int:
    """Return the characters between two spans; below zero where they overlap."""
    return max(first[0], second[0]) - min(first[1], second[1])


def closest_to(spans: Sequence[Span], places: Sequence[int]) -> Span:
    """Return the span that starts closest to the middle one of some places, the first without any.

    Args:
        spans: at least one, in order.
        places: in any order.

    >>> closest_to([(0, 5), (40, 45)], [30, 50]), closest_to([(0, 5), (40, 45)], [])
    ((40, 45), (0, 5))
    """
    if not places:
        return spans[0]
    middle = sorted(places)[len(places) // 2]
    next_one = bisect_left(spans, (middle,))
    nearest = spans[max(next_one - 1, 0) : next_one + 1]
    return min(nearest, key=lambda span: (abs(span[0] - middle), span))
