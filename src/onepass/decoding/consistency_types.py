"""Relation types as one decision each: pairs of inverse or symmetric types, told once.

It knows the relation types of a schema, no texts and no scores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from onepass.schema.relation import RelationType


@dataclass(frozen=True, slots=True)
class Decision:
    """What is decided together: a type, and the type that says the same the other way around.

    Attributes:
        name: of the type.
        inverse: name of the other one, which need not be asked for; None if there is none.
        head: entity labels of a head; none allow any span.
        tail: entity labels of a tail.
        symmetric: whether head and tail may be exchanged.
        max_heads: how many heads a tail may have.
        max_tails: how many tails a head may have.
    """

    name: str
    inverse: str | None
    head: tuple[str, ...]
    tail: tuple[str, ...]
    symmetric: bool
    max_heads: int | None
    max_tails: int | None


def decisions(types: Sequence[RelationType]) -> tuple[list[Decision], list[tuple[int, bool]]]:
    """Return what is decided, and for each type its decision and whether its pairs turn around.

    Args:
        types: of a schema, checked.

    >>> own, owned = RelationType("owns", inverse="owned by"), RelationType("owned by", max_tails=1)
    >>> found, places = decisions([own, owned])
    >>> found[0].max_heads, places
    (1, [(0, False), (0, True)])
    """
    by_name = {kind.name: place for place, kind in enumerate(types)}
    partner = {by_name[kind.inverse]: i for i, kind in enumerate(types) if kind.inverse in by_name}
    partner |= {i: by_name[kind.inverse] for i, kind in enumerate(types) if kind.inverse in by_name}
    found: list[Decision] = []
    places: list[tuple[int, bool]] = []
    for i, kind in enumerate(types):
        other = partner.get(i)
        if other is not None and other < i:
            places.append((places[other][0], True))
            continue
        found.append(_joined(kind, None if other is None else types[other]))
        places.append((len(found) - 1, False))
    return found, places


def _joined(kind: RelationType, other: RelationType | None) -> Decision:
    """Return the decision of a type and of its inverse, if that is asked for, too."""
    most = (kind.max_heads, kind.max_tails)
    if kind.symmetric:
        fewest = _least(*most)
        most = (fewest, fewest)
    if other is None:
        ends = kind.head, kind.tail
        return Decision(kind.name, kind.inverse, *ends, kind.symmetric, *most)
    return Decision(
        kind.name,
        other.name,
        _common(kind.head, other.tail),
        _common(kind.tail, other.head),
        False,
        _least(kind.max_heads, other.max_tails),
        _least(kind.max_tails, other.max_heads),
    )


def _common(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    """Return the labels that both allow; none means any."""
    if not first or not second:
        return first or second
    return tuple(label for label in first if label in second)  # checked: there is one


def _least(first: int | None, second: int | None) -> int | None:
    given = [value for value in (first, second) if value is not None]
    return min(given) if given else None
