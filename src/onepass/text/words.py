"""Words and their places: split a text so that every word keeps its exact character offsets.

The default expression is that of the GLiNER2 family (URLs, e-mail addresses, mentions, words with
inner hyphens, single other characters); `PLAIN` is that of GLiNER. `SPLITTERS` are what a
checkpoint may name in place of its family's. Offsets index the string as given: nothing is
normalized before the split. This module knows nothing about tokenizers or models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from onepass.arrays import Bools, Int64s
from onepass.text.links import is_link, link_end
from onepass.text.marks import mark_class, range_class
from onepass.text.scripts import LETTER_RANGES, STACKERS, TRAILING

Splitter = Literal["char", "script"]

# A character takes the marks on it along. What ends an emoji (the selector of its form, the key
# around a digit) ends the word, too: the next one is often written right behind it.
_ON = rf"(?-i:[{mark_class()}]*)"  # one of the marks is an iota where case does not count
_MARKS = re.compile(_ON)


def _expression(letter: str = r"\w", linked: str = r"\S", first: str = "") -> re.Pattern[str]:
    """Return the expression of one word.

    Args:
        letter: one character of a word.
        linked: one character of a link.
        first: what is looked for before everything else, with a bar behind it.
    """
    part = rf"{letter}+(?:(?![\ufe0f\u20e3])(?-i:[{mark_class()}]){letter}*)*{_ON}"
    # The local part of an address is bounded: without the bound, "a.a.a.a..." costs quadratic time.
    return re.compile(
        rf"{first}https?://{linked}+|www\.{linked}+"
        rf"|[a-z0-9._%+-]{{1,256}}@[a-z0-9.-]+\.[a-z]{{2,}}{_ON}"
        rf"|@[a-z0-9_]+{_ON}"
        rf"|{part}(?:[-_]{part})*"
        rf"|\S{_ON}",
        re.IGNORECASE,
    )


@cache  # compiled where it is needed: that takes longer than to import this module
def _by_script() -> re.Pattern[str]:
    """Return the expression of words where scripts without blanks are read cluster by cluster.

    A link ends where such a script begins: it is written right behind one, and rarely in one.
    """
    letters = range_class(LETTER_RANGES)
    cluster = rf"[{letters}][{mark_class()}{TRAILING}]*"
    return _expression(
        rf"(?-i:[^\W{letters}])",
        rf"(?-i:[^\s{letters}])",
        rf"(?-i:{cluster}(?:(?<=[{STACKERS}]){cluster})*)|",
    )


_WORD = _expression()
PLAIN = re.compile(r"\w+(?:[-_]\w+)*|\S")  # what GLiNER checkpoints were trained on
_CHAR = re.compile(r"[A-Za-z0-9@._+-]+|\S")  # that of gliner2 2.1.0
SPLITTERS: Mapping[Splitter, Callable[[], re.Pattern[str]]] = {
    "char": lambda: _CHAR,
    "script": _by_script,
}


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
                marks = _MARKS.match(self.text, int(ends[row]), bounds[row])
                ends[row] = ends[row] if marks is None else marks.end()
        return Words(self.text, starts, ends)


def split_words(
    text: str, pattern: re.Pattern[str] = _WORD, splitter: Splitter | None = None
) -> Words:
    """Split a text into words with exact offsets.

    Args:
        text: any string; white space never belongs to a word.
        pattern: a regular expression that matches one word, never an empty one.
        splitter: one of `SPLITTERS`, which counts in place of the pattern.

    Returns:
        The words, in order, without overlap.

    >>> words = split_words("a\u0301b\u200d c")
    >>> list(zip(words.starts.tolist(), words.ends.tolist()))
    [(0, 4), (5, 6)]
    >>> split_words("tim\u5e93\u514bcook", splitter="script").forms()
    ['tim', '\u5e93', '\u514b', 'cook']
    """
    expression = pattern if splitter is None else SPLITTERS[splitter]()
    places = [match.span() for match in expression.finditer(text)]
    array = np.array(places, dtype=np.int64).reshape(-1, 2)
    return Words(text, array[:, 0].copy(), array[:, 1].copy())
