"""The regular expressions of words: those of the families, and those that a checkpoint may name.

`WORD` is that of GLiNER2 (URLs, e-mail addresses, mentions, words with inner hyphens, single other
characters), `PLAIN` that of GLiNER. They match one word, never an empty one, and no white space.
"""

from __future__ import annotations

import re
from functools import cache

from onepass.text.marks import mark_class, range_class
from onepass.text.scripts import LETTER_RANGES, STACKERS, TRAILING

# A character takes the marks on it along. What ends an emoji (the selector of its form, the key
# around a digit) ends the word, too: the next one is often written right behind it.
_ON = rf"(?-i:[{mark_class()}]*)"  # one of the marks is an iota where case does not count
MARKS = re.compile(_ON)


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
def by_script() -> re.Pattern[str]:
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


WORD = _expression()
PLAIN = re.compile(r"\w+(?:[-_]\w+)*|\S")  # what GLiNER checkpoints were trained on
CHAR = re.compile(r"[A-Za-z0-9@._+-]+|\S")  # that of gliner2 2.1.0
