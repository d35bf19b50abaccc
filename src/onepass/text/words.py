"""Words and their places: split a text so that every word keeps its exact character offsets.

The default expression is that of the GLiNER2 family; the others are in `onepass.text.patterns`, and
what a checkpoint may name in place of its family's in `onepass.text.splitters`. Offsets index the
string as given: nothing is normalized before the split. This module knows nothing about tokenizers
or models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Bools, Int64s
from onepass.text.links import is_link, link_end
from onepass.text.patterns import MARKS, WORD
from onepass.text.splitters import load_splitter

Splitter = str  # a name of `onepass.text.splitters`


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of one text.

    Attributes:
        text: the text as given.
        starts: (words,), index of the first character of each word.
        ends: (words,), index behind its last character.

    >>> words = split_words("Tim Cook runs Apple.")
    >>> len(words), words.starts.tolist()
    (5, [0, 4, 9, 14, 19])
    """

    text: str
    starts: Int64s
    ends: Int64s

    def __len__(self) -> int:
        return len(self.starts)

    def forms(self) -> list[str]:
        """Return the words as they stand in the text.

        >>> split_words("Tim Cook, 1960.").forms()
        ['Tim', 'Cook', ',', '1960', '.']
        """
        text = self.text
        return [
            text[start:end]
            for start, end in zip(self.starts.tolist(), self.ends.tolist(), strict=True)
        ]

    def place(self, first: int, last: int) -> tuple[int, int]:
        """Return the characters [start, end) that the words [first, last) stand for.

        They end with the last word, but a word that is a link takes the marks behind the link
        along: those are left out.

        >>> words = split_words("See (https://y.org/z).")
        >>> int(words.ends[-1]), words.place(2, 3)
        (22, (5, 20))
        """
        start, end = int(self.starts[first]), int(self.ends[last - 1])
        begun = int(self.starts[last - 1])
        return start, link_end(self.text, begun, end) if is_link(self.text, begun) else end

    def only(self, kept: Bools) -> Words:
        """Return some of the words; marks that are left out stay with the word that they stand on.

        Args:
            kept: (words,), true at those that stay.

        >>> from onepass.text.patterns import PLAIN
        >>> words = split_words("Jose\u0301 \u200b left", PLAIN)
        >>> words.only(np.array([True, False, False, True])).ends.tolist()
        [5, 12]
        """
        if kept.all():
            return self
        starts, ends = self.starts[kept], self.ends[kept]
        bounds = np.append(starts[1:], len(self.text)).tolist()
        for row, word in enumerate(np.flatnonzero(kept).tolist()):
            if word + 1 < len(kept) and not kept[word + 1]:
                marks = MARKS.match(self.text, int(ends[row]), bounds[row])
                ends[row] = ends[row] if marks is None else marks.end()
        return Words(self.text, starts, ends)


def split_words(
    text: str, pattern: re.Pattern[str] = WORD, splitter: Splitter | None = None
) -> Words:
    """Split a text into words with exact offsets.

    Args:
        text: any string; white space never belongs to a word.
        pattern: a regular expression that matches one word, never an empty one.
        splitter: name of one that counts in place of the pattern, such as "script" or "jieba".

    Returns:
        The words, in order, without overlap.

    Raises:
        InputError: if there is no such splitter.
        MissingExtra: if its library is not installed.
        CheckpointError: if its library has no model here.

    >>> words = split_words("a\u0301b\u200d c")
    >>> list(zip(words.starts.tolist(), words.ends.tolist()))
    [(0, 4), (5, 6)]
    >>> split_words("tim\u5e93\u514bcook", splitter="script").forms()
    ['tim', '\u5e93', '\u514b', 'cook']
    """
    if splitter is None:
        places = [match.span() for match in pattern.finditer(text)]
    else:
        places = load_splitter(splitter)(text)
    array = np.array(places, dtype=np.int64).reshape(-1, 2)
    return Words(text, array[:, 0].copy(), array[:, 1].copy())
