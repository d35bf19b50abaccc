"""The small parts that public annotated records share: names, values, relations.

Each function reads one part and refuses what does not fit. It knows nothing about files or lines;
`onepass.corpus.example.Example` checks that spans lie inside the text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from onepass.corpus.checks import as_list, as_names, as_object, as_span, as_text, needed
from onepass.corpus.example import GoldRelation, GoldValue, Mention
from onepass.errors import InputError
from onepass.schema.shown import shown

Span = tuple[int, int]


def names(value: object, what: str) -> tuple[str, ...]:
    """Return a list of names, each once.

    Raises:
        InputError: if it is not a list of names.

    >>> names(["a", "b", "a"], "labels")
    ('a', 'b')
    """
    return tuple(dict.fromkeys(as_names(value, what)))


def value(row: Mapping[str, Any]) -> GoldValue:
    """Read a field value: a choice, a place, or words whose place is not known.

    A value with several occurrences has no known place.

    Raises:
        InputError: if it is none of these.

    >>> value({"value": "Bo", "spans": [[0, 2]]})
    GoldValue(start=0, end=2, choice=None, text=None)
    >>> value({"value": "Bo", "spans": [[0, 2], [9, 11]]})
    GoldValue(start=None, end=None, choice=None, text='Bo')
    """
    if "choice" in row:
        return GoldValue(choice=as_text(row["choice"], "a choice"))
    if "start" in row:
        return GoldValue(row["start"], needed(row, "end", "a field value"))
    spans = _spans(row.get("spans", ()), "a field value")
    if len(spans) == 1:
        return GoldValue(*spans[0])
    return GoldValue(text=as_text(needed(row, "value", "a field value"), "a field value"))


def relation(row: Mapping[str, Any], mentions: Sequence[Mention]) -> GoldRelation:
    """Read a relation between two mentions (by index) or between two values (by their spans).

    Of the occurrences of two values the pair that stands closest together is taken, and one of two
    places if there is any.

    Args:
        row: the relation.
        mentions: the entities of the row, which indices point into.

    Raises:
        InputError: for an index without a mention, or a value without an occurrence.

    >>> ends = {"head": {"spans": [[0, 2], [20, 22]]}, "tail": {"spans": [[25, 28]]}}
    >>> relation({"type": "chases", **ends}, [])
    GoldRelation(type='chases', head=(20, 22), tail=(25, 28))
    """
    head, tail = (needed(row, side, "a relation") for side in ("head", "tail"))
    if "type" in row:
        heads, tails = _places(head, "head"), _places(tail, "tail")
        pairs = [(h, t) for h in heads for t in tails]
        nearest = min(pairs, key=lambda pair: (pair[0] == pair[1], abs(pair[0][0] - pair[1][0])))
        return GoldRelation(row["type"], *nearest)
    return GoldRelation(
        needed(row, "label", "a relation"),
        _place_of(head, "head", mentions),
        _place_of(tail, "tail", mentions),
    )


def _spans(given: object, what: str) -> list[Span]:
    """Return a list of [start, end] pairs."""
    spans = []
    for item in as_list(given, f"the spans of {what}"):
        pair = as_list(item, f"a span of {what}")
        if len(pair) != 2:
            raise InputError(f"a span of {what} must be [start, end], but {shown(pair)} was given.")
        spans.append(as_span(pair[0], pair[1], what))
    return spans


def _places(given: object, side: str) -> list[Span]:
    row = as_object(given, f"the {side} of a relation")
    spans = _spans(needed(row, "spans", f"the {side} of a relation"), f"the {side} of a relation")
    if not spans:
        raise InputError(
            f"the {side} {shown(row.get('value'))} of a relation needs at least one span, "
            "but none was given."
        )
    return spans


def _place_of(index: object, side: str, mentions: Sequence[Mention]) -> Span:
    whole = isinstance(index, int) and not isinstance(index, bool)
    if not isinstance(index, int) or not whole or not 0 <= index < len(mentions):
        raise InputError(
            f"the {side} of a relation must be the index of one of the {len(mentions)} entities, "
            f"but {shown(index)} was given."
        )
    return mentions[index].start, mentions[index].end
