"""Where gold answers stand in the score grid of one window, and which of them do.

It knows words and characters, not pieces or batches.
"""

from __future__ import annotations

import numpy as np

from onepass.corpus.question import Question, RecordAnswer
from onepass.models.gliner2.prompt import Group, Kind
from onepass.text.words import Words


class Placer:
    """Turns character spans into (word, width) cells of one window.

    Args:
        words: of the window.
        prefix: words that stand before them in the grid.
        max_width: longest span, in words.

    >>> from onepass.text.words import split_words
    >>> place = Placer(split_words("Tim Cook runs New-York."), 0, 2)
    >>> place.cell(0, 8), place.cell(0, 13), place.cell(18, 22)
    ((0, 1), None, (3, 0))
    """

    def __init__(self, words: Words, prefix: int, max_width: int) -> None:
        self._words, self._prefix, self._max_width = words, prefix, max_width
        self._end = int(words.ends[-1]) if len(words) else 0

    def cell(self, start: int, end: int) -> tuple[int, int] | None:
        """Return the (word, width - 1) whose words cover a character span, None if there is none.

        There is none for a span that is too wide, holds no word, or passes the end of the window.
        """
        first = int(np.searchsorted(self._words.ends, start, side="right"))
        last = int(np.searchsorted(self._words.starts, end, side="left"))
        width = last - first - 1
        if not 0 <= width < self._max_width or self.is_cut(end):
            return None
        return self._prefix + first, width

    def is_cut(self, end: int) -> bool:
        """Return whether a span that ends there passes the end of the window."""
        return end > self._end


def instances_of(question: Question, group: Group, place: Placer) -> list[RecordAnswer]:
    """Return the gold instances of a group that is answered with spans.

    Entities are one instance. A relation is one if both of its spans have a cell, a record if one
    of its spans has, or if it has a choice and does not lie behind the window altogether.
    """
    if group.kind is Kind.ENTITIES:
        return [RecordAnswer(spans=question.entities)]
    if group.kind is Kind.RELATION:
        return [
            RecordAnswer(spans=((0, hs, he), (1, ts, te)))
            for hs, he, ts, te in question.pairs[group.task]
            if place.cell(hs, he) and place.cell(ts, te)
        ]
    return [record for record in question.records[group.task] if _stands_in(record, place)]


def _stands_in(record: RecordAnswer, place: Placer) -> bool:
    if any(place.cell(start, end) for _, start, end in record.spans):
        return True
    behind = bool(record.spans) and all(place.is_cut(end) for _, _, end in record.spans)
    return bool(record.choices) and not behind
