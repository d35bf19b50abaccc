"""Tags of words, read into an example: IOB1, IOB2, IOBES and BILOU.

Words are joined by one space, since tags do not say how they were written. This module knows
nothing about files.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from onepass.corpus.example import Example, Mention
from onepass.errors import InputError

OUTSIDE = "O"
UNTAGGED = (OUTSIDE, "_")  # what stands for no tag
MARKS = frozenset("BIESLU")  # begin, inside, end (E or L), single (S or U)


def is_tag(tag: str) -> bool:
    """Say whether a tag names a label behind its mark.

    >>> is_tag("B-person"), is_tag("I_person"), is_tag("O"), is_tag("person")
    (True, True, False, False)
    """
    return len(tag) > 2 and tag[0] in MARKS and tag[1] in "-_"


def named(label: str) -> str:
    """Return a label as a person would write it.

    >>> named("programlang"), named("creative-work"), named("musical_artist")
    ('programlang', 'creative work', 'musical artist')
    """
    return label.replace("_", " ").replace("-", " ")


def tagged_example(
    words: Sequence[str],
    tags: Sequence[str],
    asked: tuple[str, ...],
    where: Callable[[int], str],
) -> Example:
    """Return the example of a text.

    Args:
        words: of the text.
        tags: one for each word.
        asked: the labels that were looked for.
        where: tells where a word stands, by its index.

    Raises:
        InputError: for a tag that is not known, or has no word.

    >>> example = tagged_example(("Bo", "Lee", "ran"), ("B-dog", "I-dog", "O"), ("dog",), str)
    >>> example.text, example.entities
    ('Bo Lee ran', (Mention(start=0, end=6, label='dog'),))
    """
    starts, length = [], 0
    for word in words:
        starts.append(length)
        length += len(word) + 1
    mentions = tuple(
        Mention(starts[first], starts[last] + len(words[last]), named(label))
        for first, last, label in _mentions(words, tags, where)
    )
    return Example(" ".join(words), mentions, asked)


def _mentions(
    words: Sequence[str], tags: Sequence[str], where: Callable[[int], str]
) -> Iterator[tuple[int, int, str]]:
    """Yield the first and the last word of each mention, and its label."""
    begun: tuple[int, str] | None = None
    for place, (word, tag) in enumerate(zip(words, tags, strict=True)):
        if not is_tag(tag):
            if tag not in UNTAGGED:
                raise InputError(
                    f"{where(place)}: the tag {tag!r} of {word!r} is not known; expected O, or B, "
                    "I, E, S, L or U with a label, as in B-person."
                )
            if begun:
                yield begun[0], place - 1, begun[1]
            begun = None
            continue
        if not word:
            raise InputError(
                f"{where(place)}: no word stands before the tag {tag!r}; expected one, or the tag "
                "O."
            )
        mark, label = tag[0], tag[2:]
        # IOB1 begins a mention with I where none of its label goes on.
        if begun and (mark in "BSU" or label != begun[1]):
            yield begun[0], place - 1, begun[1]
            begun = None
        begun = begun or (place, label)
        if mark in "ESLU":
            yield begun[0], place, label
            begun = None
    if begun:
        yield begun[0], len(words) - 1, begun[1]
