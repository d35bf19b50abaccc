"""Spans for a field that has rules: what breaks a rule is no candidate.

Greedy by score, as without rules; a span that cannot be read as the field's kind comes after every
span that can. It knows neither models nor how scores were made.
"""

from __future__ import annotations

from collections.abc import Sequence

from onepass.arrays import Reals
from onepass.decoding.candidates import Find, SpanFind, ValueOption
from onepass.decoding.spans import candidates
from onepass.schema import Field
from onepass.schema.rules import Rules
from onepass.text.words import Words
from onepass.typed.fit import Fit


def value_options(
    probs: Reals,
    threshold: float,
    field: Field,
    words: Words,
    first: int = 0,
) -> list[tuple[ValueOption, ...]]:
    """Return for every instance of a structure the spans that may fill one field, best first.

    Args:
        probs: probabilities, (instances, words, width).
        threshold: that a span reaches.
        field: its rules and type.
        words: of the document.
        first: which of them is the first of the probabilities.

    >>> import numpy as np
    >>> from onepass.text.words import split_words
    >>> probs = np.array([[[0.9, 0.1], [0.7, 0.2], [0.1, 0.1]]])
    >>> field = Field("count", "str", rules=Rules(kind="integer", ge=1))
    >>> value_options(probs, 0.5, field, split_words("about 12 apples"))
    [(ValueOption(find=SpanFind(start=1, end=2, score=0.7), late=False),)]
    """
    options = []
    for scores in probs:
        found = candidates(scores[None], [threshold])
        own = []
        for start, end, score, _ in found.rows():
            how = fit_of(words, first + start, first + end, field.rules)
            if how is not Fit.REFUSED:
                own.append(ValueOption(SpanFind(start, end, score), how is Fit.UNREADABLE))
        options.append(tuple(sorted(own, key=lambda option: _order(option, field))))
    return options


def plain_options(probs: Reals, threshold: float) -> tuple[ValueOption, ...]:
    """Return the spans that may fill a field without rules in one instance.

    Args:
        probs: probabilities, (words, width).
        threshold: that a span reaches.

    >>> import numpy as np
    >>> plain_options(np.array([[0.9, 0.1], [0.2, 0.1]]), 0.5)
    (ValueOption(find=SpanFind(start=0, end=1, score=0.9), late=False),)
    """
    return tuple(ValueOption(find) for find in candidates(probs[None], [threshold]).spans())


def fit_of(words: Words, start: int, end: int, rules: Rules) -> Fit:
    """Return how well the words [start, end) of a document fit the rules of a field.

    >>> from onepass.text.words import split_words
    >>> fit_of(split_words("about 12 apples"), 1, 2, Rules(kind="integer", ge=20)).name
    'REFUSED'
    """
    from onepass.typed.values import fit_at  # the readers of values, where a field has rules

    return fit_at(words.text, *words.place(start, end), rules)


def _order(option: ValueOption, field: Field) -> tuple[bool, float, int, int, int]:
    """Return the order in which options are judged, the smallest first.

    Of a list the longer span comes first, of single values the earlier.
    """
    start, end = option.find.start, option.find.end
    last = (start, end, 0) if field.dtype == "str" else (start - end, start, end)
    return option.late, -option.find.score, *last


def constrained_values(
    options: Sequence[tuple[ValueOption, ...]], field: Field
) -> list[tuple[SpanFind, ...]]:
    """Return the spans of one field for every instance of its structure, best first.

    Args:
        options: of each instance.
        field: its rules and type.

    Returns:
        For each instance at most one span, or for lists spans without overlap in the order of the
        text; of an exclusive field, no two instances have spans that share a word.

    >>> options = [(ValueOption(SpanFind(0, 2, 0.9)), ValueOption(SpanFind(1, 3, 0.8)))]
    >>> constrained_values(options, Field("colors"))
    [(SpanFind(start=0, end=2, score=0.9),)]
    """
    words = max((one.find.end for own in options for one in own), default=0)
    taken = [bytearray(words) for _ in options]
    if field.rules.exclusive:
        taken = [bytearray(words)] * len(options)
    most = most_values(field)
    kept: list[list[SpanFind]] = [[] for _ in options]
    rows = [(option, instance) for instance, own in enumerate(options) for option in own]
    for option, instance in sorted(rows, key=lambda row: (*_order(row[0], field), row[1])):
        find, held, used = option.find, kept[instance], taken[instance]
        if (most is None or len(held) < most) and used.find(1, find.start, find.end) < 0:
            used[find.start : find.end] = b"\x01" * (find.end - find.start)
            held.append(find)
    return [tuple(sorted(own, key=lambda find: (find.start, find.end))) for own in kept]


def apart_values(fields: Sequence[Sequence[ValueOption]]) -> list[SpanFind | None]:
    """Return one span of each field of an instance, or None, so that no two of them share a word.

    The best one stands; a field whose best span overlaps it gets its own next best. Spans that
    cannot be read as the kind of their field stand for fields alone of which no other is left.

    Args:
        fields: what each may hold.

    >>> price = ValueOption(SpanFind(3, 4, 0.9))
    >>> old = ValueOption(SpanFind(3, 4, 0.8)), ValueOption(SpanFind(1, 2, 0.6))
    >>> [span and span.start for span in apart_values([old, [price]])]
    [1, 3]
    """
    rows = []
    for number, options in enumerate(fields):
        unread = all(option.late for option in options)
        rows += [(one.find, number) for one in options if unread or not one.late]
    chosen: list[SpanFind | None] = [None] * len(fields)
    taken = bytearray(max((find.end for find, _ in rows), default=0))
    for find, number in sorted(rows, key=_apart_order):
        if chosen[number] is None and taken.find(1, find.start, find.end) < 0:
            taken[find.start : find.end] = b"\x01" * (find.end - find.start)
            chosen[number] = find
    return chosen


def _apart_order(row: tuple[SpanFind, int]) -> tuple[float, int, int, int]:
    find, number = row
    return -find.score, number, find.start, find.end


def most_values(field: Field) -> int | None:
    """Return how many values a field may have in one record, None for any number.

    >>> most_values(Field("price", "str")), most_values(Field("colors"))
    (1, None)
    """
    return 1 if field.dtype == "str" else field.rules.max_items


def limited(finds: tuple[Find, ...], field: Field) -> tuple[Find, ...]:
    """Return the best finds that a list may hold, in the order given.

    >>> from onepass.decoding.candidates import ChoiceFind
    >>> limited((ChoiceFind(0, 0.6), ChoiceFind(2, 0.9)), Field("a")) == (
    ...     ChoiceFind(0, 0.6), ChoiceFind(2, 0.9))
    True
    """
    most = field.rules.max_items
    if most is None or len(finds) <= most:
        return finds
    best = sorted(range(len(finds)), key=lambda place: -finds[place].score)[:most]
    return tuple(finds[place] for place in sorted(best))
