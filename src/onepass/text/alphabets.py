"""The script of a text, by its letters.

It knows the names of characters, not languages: German and Vietnamese are both Latin.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from itertools import islice

LATIN = "Latin"
_ENOUGH = 2_000  # letters that are looked at
_NAMES = {"Cjk": "Chinese", "Fullwidth": LATIN, "Mathematical": LATIN, "Modifier": LATIN}


def main_script(text: str) -> str:
    """Return "Latin", or the other script that a text has most of.

    Args:
        text: any string; its first two thousand letters count.

    Returns:
        If less than half of the letters are Latin, the first word of the names in Unicode that
        most of the others have, "Chinese" for Han; "Latin" also for a text without letters.

    >>> main_script("Привет, Tom"), main_script("Tom"), main_script("42")
    ('Cyrillic', 'Latin', 'Latin')
    """
    letters = islice(filter(str.isalpha, text), _ENOUGH)
    counts: Counter[str] = Counter()
    for letter in letters:
        script = unicodedata.name(letter, LATIN).split()[0].title()
        counts[_NAMES.get(script, script)] += 1
    if 2 * counts[LATIN] >= counts.total():
        return LATIN
    del counts[LATIN]
    return counts.most_common(1)[0][0]
