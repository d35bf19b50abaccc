"""Texts with values that other texts have: names, dates, sums and codes of the same shape.

A text that is read many times is learned by heart with its values. It reads and writes `Example`
only.
"""

from __future__ import annotations

import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from onepass.corpus.example import Example, GoldValue

Span = tuple[int, int]
SHARE = 0.75  # of the values of a text that are swapped, where there are others
FEWEST = 4  # values that a name has of a shape; fewer are hardly others
LONGEST = 60  # characters of a value that is lent
MOST_LENT = 50  # of more values than these no name is better than another
_PARTS = re.compile(r"\d+|[^\W\d_]+|.", re.DOTALL)


class Values:
    """Values of texts, by the name of what they are and by their shape.

    Args:
        examples: whose values are lent.
        general: label to a more general one, under which its values are lent as well.
    """

    def __init__(self, examples: Iterable[Example], general: Mapping[str, str]) -> None:
        self._general = {name.casefold(): one.casefold() for name, one in general.items()}
        found: dict[tuple[str, str], set[str]] = defaultdict(set)
        for example in examples:
            for (start, end), name in _named(example):
                value = example.text[start:end]
                if end - start <= LONGEST:
                    for key in self._keys([name], value):
                        found[key].add(value)
        self._found = {key: sorted(values) for key, values in found.items()}

    def other(self, names: Sequence[str], value: str, rng: random.Random) -> str | None:
        """Return another value of the same shape, None where there is none."""
        known = [self._found.get(key, ()) for key in self._keys(names, value)]
        lent = max(known, key=lambda values: min(len(values), MOST_LENT), default=())
        if len(lent) >= FEWEST:
            return rng.choice(lent)
        return other_digits(value, rng) if any(map(str.isdigit, value)) else None

    def _keys(self, names: Iterable[str], value: str) -> list[tuple[str, str]]:
        """Return under what a value is kept; long plain words and general ones of them never."""
        own = [name.casefold() for name in names]
        form = shape(value)
        if not re.search("[AB9]", form):
            return [(name, form) for name in own if len(form) <= 3]
        more = [self._general[name] for name in own if name in self._general]
        return [(name, form) for name in own] + [(f"any {name}", form) for name in more]


def swapped(
    examples: Iterable[Example], values: Values, rng: random.Random, *, share: float = SHARE
) -> Iterator[Example]:
    """Yield texts with other values, and everything that is annotated in them moved along.

    A value stays as it is where it overlaps another one, or stands in the text a second time
    without being annotated.

    Args:
        examples: the texts; those without a value that can be swapped are left out.
        values: that are lent.
        rng: decides which values are swapped, and for which.
        share: of the values that can be swapped, from 0 to 1.
    """
    for example in examples:
        new = _new_values(example, values, rng, share)
        if new:
            yield _moved(example, new)


def shape(value: str) -> str:
    """Return how a value is written: numbers by their length, words by their capitals.

    >>> shape("Dr. Amina Farouk"), shape("12 March 2024"), shape("WEB-780")
    ('A. A A', '99 A 9999', 'B-999')
    """
    return "".join(map(_part, _PARTS.findall(value)))


def _part(part: str) -> str:
    if part.isdecimal():
        return "9" * min(len(part), 4)
    if not part.isalpha():
        return part
    if part.islower():
        return "a"
    return "B" if part.isupper() and len(part) > 1 else "A"


def other_digits(value: str, rng: random.Random) -> str:
    """Return a value with other numbers of the same length; days, hours and months stay such."""
    return re.sub(r"\d+", lambda number: _number(number[0], rng), value)


def _number(digits: str, rng: random.Random) -> str:
    if len(digits) == 4 and digits[:2] in ("19", "20"):
        return f"{digits[:2]}{rng.randrange(100):02}"
    if len(digits) > 2:
        return str(rng.randrange(10 ** (len(digits) - 1), 10 ** len(digits)))
    bounds = (9, 12, 23, 31, 59, 99)
    most = next(bound for bound in bounds if int(digits) <= bound)
    least = 10 if len(digits) == 2 and digits[0] != "0" else 1
    return str(rng.randint(least, max(least, most))).zfill(len(digits))


def _named(example: Example) -> Iterator[tuple[Span, str]]:
    """Yield the places of mentions and of values of fields, each with its name."""
    for mention in example.entities:
        yield (mention.start, mention.end), mention.label
    for structure in example.structures:
        for record in structure.records:
            for name, values in record.items():
                yield from ((value.span, name) for value in values if value.span)


def _new_values(
    example: Example, values: Values, rng: random.Random, share: float
) -> dict[Span, str]:
    """Return what comes in the places of a text; a value that stands in several is one."""
    text = example.text
    ends = [span for pair in example.relations for span in (pair.head, pair.tail)]
    spans = sorted({*(span for span, _ in _named(example)), *ends})
    apart = {
        span for i, span in enumerate(spans)
        if not any(one[0] < span[1] and span[0] < one[1] for one in spans[:i] + spans[i + 1 :])
    }  # fmt: skip
    names: dict[str, list[str]] = defaultdict(list)
    for (start, end), name in _named(example):
        names[text[start:end]].append(name)
    new: dict[Span, str] = {}
    for value, own in names.items():
        places = [found.span() for found in re.finditer(re.escape(value), text)]
        if not apart.issuperset(places) or rng.random() > share:
            continue
        other = values.other(own, value, rng)
        if other is not None and other not in text and other not in new.values():
            new |= dict.fromkeys(places, other)
    return new


def _moved(example: Example, new: Mapping[Span, str]) -> Example:
    """Return a text with values in the places of others, and what is annotated moved along."""
    parts, last = [], 0
    shifts: list[tuple[int, int]] = []  # ends of places, and by how much what follows is moved
    for (start, end), value in sorted(new.items()):
        parts += [example.text[last:start], value]
        last = end
        shifts.append((end, (shifts[-1][1] if shifts else 0) + len(value) - (end - start)))

    def place(span: Span) -> Span:
        before = next((by for end, by in reversed(shifts) if end <= span[0]), 0)
        start = span[0] + before
        return start, start + len(new.get(span, example.text[slice(*span)]))

    def value(one: GoldValue) -> GoldValue:
        return one if one.span is None else GoldValue(*place(one.span))

    return replace(
        example,
        text="".join([*parts, example.text[last:]]),
        entities=tuple(
            replace(one, start=place((one.start, one.end))[0], end=place((one.start, one.end))[1])
            for one in example.entities
        ),
        structures=tuple(
            replace(
                structure,
                records=tuple(
                    {name: tuple(map(value, values)) for name, values in record.items()}
                    for record in structure.records
                ),
            )
            for structure in example.structures
        ),
        relations=tuple(
            replace(pair, head=place(pair.head), tail=place(pair.tail))
            for pair in example.relations
        ),
        source=f"{example.source} with other values",
    )
