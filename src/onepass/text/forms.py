"""Forms that only machines write and that are several words, though no part of one says anything.

They are timestamps of ISO 8601 with a "T", IPv6 and MAC addresses. It knows characters, not whether
there is such a day or such an address.
"""

from __future__ import annotations

import re

import numpy as np

from onepass.arrays import Int64s
from onepass.text.words import Words

_TWO = "[0-9]{2}"
_CLOCK = f"{_TWO}:{_TWO}(?::{_TWO}(?:[.,][0-9]{{1,9}})?)?"
_HEX = "[0-9a-f]{1,4}"
_FORM = re.compile(
    rf"(?<!\w)[0-9]{{4}}-{_TWO}-{_TWO}T{_CLOCK}(?:Z|[+-]{_TWO}:?{_TWO})?(?!\w)"
    rf"|(?<![\w:])[0-9a-f]{{2}}(?::[0-9a-f]{{2}}){{5}}(?![\w:])"
    # an IPv6 address has a digit in its first group: "a::b" is a name in some languages
    rf"|(?<![\w:.])(?=[a-f]{{0,3}}[0-9])"
    rf"(?:{_HEX}(?::{_HEX}){{7}}|{_HEX}(?::{_HEX}){{0,6}}::(?:{_HEX}(?::{_HEX}){{0,5}})?)(?![\w:])",
    re.IGNORECASE,
)
# A colon of each of them: fifty times as fast where there is none, which is nearly always.
_COLON = re.compile(
    r":(?:(?<=[Tt][0-9]{2}:)[0-9]|(?<=[0-9A-Fa-f]:):|[0-9A-Fa-f]{1,4}(?::[0-9A-Fa-f]{1,4}){4})"
)
_NONE = np.zeros((0, 2), dtype=np.int64)


def whole_forms(words: Words, first: int, last: int) -> Int64s:
    """Return the runs of words that are one form each, half-open, (forms, 2).

    Args:
        words: of a text.
        first: word to begin with.
        last: the word behind the last one.

    >>> from onepass.text.words import split_words
    >>> words = split_words("at 2024-11-05T08:30:00Z from fe80::1, 09:15:00")
    >>> [words.text[slice(*words.place(*run))] for run in whole_forms(words, 0, len(words))]
    ['2024-11-05T08:30:00Z', 'fe80::1']
    """
    if first == last:
        return _NONE
    start, end = int(words.starts[first]), int(words.ends[last - 1])
    if _COLON.search(words.text, start, end) is None:
        return _NONE
    found = [match.span() for match in _FORM.finditer(words.text, start, end)]
    if not found:
        return _NONE
    places = np.array(found, dtype=np.int64)  # (forms, 2) of characters
    firsts = np.searchsorted(words.starts, places[:, 0])
    lasts = np.searchsorted(words.ends, places[:, 1])
    several = firsts < lasts  # a link may hold one, and a word may begin before it
    runs = np.stack([firsts, lasts + 1], axis=1)[several]
    ends = np.stack([words.starts[runs[:, 0]], words.ends[runs[:, 1] - 1]], axis=1)
    whole: Int64s = runs[(ends == places[several]).all(axis=1)]
    return whole
