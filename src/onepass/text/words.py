"""Words and their places: split a text so that every word keeps its exact character offsets.

The default expression is that of the GLiNER2 family (URLs, e-mail addresses, mentions, words with
inner hyphens, single other characters); `PLAIN` is that of GLiNER. Offsets index the string as
given: nothing is normalized before the split. This module knows nothing about tokenizers or models.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onepass.text.marks import mark_class

_W = rf"[\w{mark_class()}]"

# The local part of an address is bounded: without the bound, "a.a.a.a..." costs quadratic time.
_WORD = re.compile(
    r"https?://\S+|www\.\S+"
    r"|[a-z0-9._%+-]{1,256}@[a-z0-9.-]+\.[a-z]{2,}"
    r"|@[a-z0-9_]+"
    rf"|{_W}+(?:[-_]{_W}+)*"
    r"|\S",
    re.IGNORECASE,
)
PLAIN = re.compile(r"\w+(?:[-_]\w+)*|\S")  # what GLiNER checkpoints were trained on


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """The words of one text.

    Attributes:
        text: the text as given.
        starts: (words,) first character of each word.
        ends: (words,) one past its last character.
    """

    text: str
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]

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


def split_words(text: str, pattern: re.Pattern[str] = _WORD) -> Words:
    """Split a text into words with exact offsets.

    Args:
        text: any string; white space never belongs to a word.
        pattern: matches one word, never an empty one.

    Returns:
        The words, in order, without overlap.

    >>> words = split_words("a\u0301b\u200d c")
    >>> list(zip(words.starts.tolist(), words.ends.tolist()))
    [(0, 4), (5, 6)]
    """
    places = [match.span() for match in pattern.finditer(text)]
    array = np.array(places, dtype=np.int64).reshape(-1, 2)
    return Words(text, array[:, 0].copy(), array[:, 1].copy())
