"""A kind of directed pair, and what holds for such pairs whatever a text says.

It knows nothing about texts, prompts or models, nor about other parts of a schema.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from onepass.errors import SchemaError
from onepass.schema.rules import check_count
from onepass.schema.shown import shown
from onepass.schema.types import (
    check_distinct,
    check_name,
    check_text,
    check_threshold,
    put,
)


@dataclass(frozen=True, slots=True)
class RelationType:
    """A kind of directed pair, from a head to a tail.

    Attributes:
        name: the name that the model reads, such as "works for".
        description: a short phrase that says what is meant.
        threshold: the lowest score that is kept, from 0 to 1; None leaves it to the checkpoint.
        head: the entity labels that a head may have; empty to allow any span.
        tail: the entity labels that a tail may have; empty to allow any span.
        symmetric: whether a pair says the same the other way around; it is then given once, the
            mention that comes first in the text as its head.
        inverse: the type that says the same the other way around; pairs are given as both.
        max_heads: the largest number of heads for one tail; None for any number.
        max_tails: the largest number of tails for one head; None for any number.

    Raises:
        SchemaError: for a value that cannot be kept.

    >>> RelationType("works for", head=("person",), max_tails=1).is_ruled
    True
    """

    name: str
    description: str | None = None
    threshold: float | None = None
    head: tuple[str, ...] = ()
    tail: tuple[str, ...] = ()
    symmetric: bool = False
    inverse: str | None = None
    max_heads: int | None = None
    max_tails: int | None = None

    def __post_init__(self) -> None:
        put(self, "name", check_name(self.name, "A relation type"))
        what = f"relation type {shown(self.name)}"
        put(self, "description", check_text(self.description, f"The description of {what}"))
        put(self, "threshold", check_threshold(self.threshold, what))
        put(self, "head", _labels(self.head, f"The head labels of {what}"))
        put(self, "tail", _labels(self.tail, f"The tail labels of {what}"))
        for name, most in (("max_heads", self.max_heads), ("max_tails", self.max_tails)):
            if most is not None:
                put(self, name, check_count(most, 1, f"{name} of {what}"))
        if not isinstance(self.symmetric, bool):
            raise SchemaError(
                f"symmetric of {what} must be true or false, but {shown(self.symmetric)} was given."
            )
        if self.inverse is not None:
            put(self, "inverse", check_name(self.inverse, f"The inverse of {what}"))
        if self.symmetric and set(self.head) != set(self.tail):
            raise SchemaError(f"The {what} is symmetric; give its head and tail the same labels.")
        if self.symmetric and self.inverse is not None:
            raise SchemaError(f"The {what} is symmetric, its own inverse; leave the inverse out.")
        if self.inverse == self.name:
            raise SchemaError(f"The {what} is its own inverse; write symmetric instead.")

    @property
    def is_ruled(self) -> bool:
        """Whether anything is said that pairs have to keep."""
        given = (self.head, self.tail, self.symmetric, self.inverse, self.max_heads, self.max_tails)
        return any(given)


def _labels(values: object, what: str) -> tuple[str, ...]:
    """Return labels of entities from a list or a single name."""
    if isinstance(values, str):
        values = (values,)
    if not isinstance(values, list | tuple):
        raise SchemaError(f"{what} must be a list, but {shown(values)} was given.")
    names = tuple(check_name(value, what) for value in values)
    check_distinct(names, what)
    return names


def check_relations(types: Sequence[RelationType], labels: Collection[str]) -> None:
    """Refuse relation types that contradict each other or name labels that nobody asks for.

    Args:
        types: of a schema.
        labels: its entity labels.

    Raises:
        SchemaError: naming the type.

    >>> check_relations([RelationType("owns", head=("person",))], ["city"])
    Traceback (most recent call last):
    ...
    onepass.errors.SchemaError: The relation type 'owns' joins 'person', which is no entity label \
of the schema; add it to the entities.
    """
    by_name = {kind.name: kind for kind in types}
    takers: dict[str, str] = {}
    for kind in types:
        for label in (*kind.head, *kind.tail):
            if label not in labels:
                raise SchemaError(
                    f"The relation type {shown(kind.name)} joins {shown(label)}, which is no "
                    "entity label of the schema; add it to the entities."
                )
        if kind.inverse is None:
            continue
        other = by_name.get(kind.inverse)
        taker = takers.setdefault(kind.inverse, kind.name)
        if other is not None and (other.inverse not in (None, kind.name) or other.symmetric):
            raise SchemaError(
                f"The relation type {shown(other.name)} cannot be the inverse of "
                f"{shown(kind.name)}, because it is symmetric or has another inverse."
            )
        if other is not None and not (
            _agree(kind.head, other.tail) and _agree(kind.tail, other.head)
        ):
            raise SchemaError(
                f"The relation types {shown(kind.name)} and {shown(other.name)} are inverse, but "
                "no label is allowed at one end of both; give the heads of one as tails of the "
                "other."
            )
        if taker != kind.name:
            raise SchemaError(
                f"The relation types {shown(taker)} and {shown(kind.name)} have one inverse, "
                f"{shown(kind.inverse)}; give it to one of them."
            )


def _agree(first: tuple[str, ...], second: tuple[str, ...]) -> bool:
    return not first or not second or not set(first).isdisjoint(second)
