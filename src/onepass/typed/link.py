"""Records of several structures as trees: which child belongs to which parent, told by position.

A child stands where its first value stands. A parent's stretch of the text runs from its first
value to the first value of the next parent, or to its own last value if that comes later; the last
parent's runs to the end. Among the parents in whose stretch a child stands, it belongs to the one
whose nearest value before it is nearest. A child before every parent belongs to the first one.
This module knows no classes and reads no values.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from onepass.results.types import Extraction, Record, Value
from onepass.results.values import values_in
from onepass.schema.shape import Child, Shape

Place = tuple[int, int]


@dataclass(slots=True, eq=False)
class Node:
    """A record with the records that belong to it.

    Attributes:
        shape: its level.
        record: what was found; empty where only something below it was found.
        places: where its values stand, in the order of the text.
        below: for each field with a level, the nodes that belong here, in the order of the text.
        spare: for each field that holds one level, what was found beside the one that was kept.
    """

    shape: Shape
    record: Record
    places: list[Place]
    below: dict[str, list[Node]] = field(default_factory=dict)
    spare: dict[str, list[Node]] = field(default_factory=dict)

    @property
    def first(self) -> int | None:
        """Where it stands; None if its values have no place."""
        return self.places[0][0] if self.places else None

    @property
    def score(self) -> float:
        """The mean score of its values."""
        scores = [value.score for value in values_of(self.record)]
        return sum(scores) / len(scores) if scores else 0.0

    def values(self) -> Iterator[Value]:
        """Yield the values of the record and of all that stand below it, the spare ones too."""
        yield from values_of(self.record)
        for child in self.shape.children:
            for one in (*self.below.get(child.name, ()), *self.spare.get(child.name, ())):
                yield from one.values()


def values_of(record: Record) -> list[Value]:
    """Return all values of a record."""
    return [value for held in record.values() for value in values_in(held)]


def link(doc: Extraction, shape: Shape) -> list[Node]:
    """Return the records of the outermost level, each with those that belong to it.

    Args:
        doc: the records of all levels.
        shape: of the outermost level.

    >>> from onepass.schema import Field
    >>> from onepass.schema.shape import Leaf
    >>> item = Shape("item", "Item", (Leaf("what", "what", Field("what", "str")),))
    >>> number = Leaf("number", "number", Field("number", "str"))
    >>> order = Shape("order", "Order", (number,), (Child("items", "items", item, True),))
    >>> def at(text, start):
    ...     return Value(text, start, start + len(text), 0.9)
    >>> doc = Extraction("1: lamp, desk; 2: sofa", records={
    ...     "order": ({"number": at("1", 0)}, {"number": at("2", 15)}),
    ...     "item": tuple({"what": at(*one)} for one in (("lamp", 3), ("desk", 9), ("sofa", 18))),
    ... })
    >>> for node in link(doc, order):
    ...     print([one.record["what"].text for one in node.below["items"]])
    ['lamp', 'desk']
    ['sofa']
    """
    return _nodes(doc, shape)


def _nodes(doc: Extraction, shape: Shape) -> list[Node]:
    """Return the nodes of one level with what is below them."""
    nodes = [Node(shape, record, _places(record)) for record in doc.records.get(shape.name, ())]
    for child in shape.children:
        found = _nodes(doc, child.shape)
        if found and not nodes:  # a level of which only what is below it was found
            nodes = [Node(shape, {}, found[0].places[:1])]
        owners = _owners([node.places for node in nodes], [one.first for one in found])
        for one, owner in zip(found, owners, strict=True):
            nodes[owner].below.setdefault(child.name, []).append(one)
        for node in nodes:
            _keep_allowed(node, child)
    return nodes


def _places(record: Record) -> list[Place]:
    return sorted(value.place for value in values_of(record) if value.place is not None)


def _owners(parents: Sequence[Sequence[Place]], starts: Sequence[int | None]) -> list[int]:
    """Return which parent each child belongs to, in one go through the text.

    Args:
        parents: where the values of each parent stand.
        starts: of the children; None without a place: such a child belongs to the parent of its
            own number.
    """
    owners = [min(number, len(parents) - 1) for number in range(len(starts))]
    placed = sorted(
        (i for i in range(len(parents)) if parents[i]), key=lambda i: (parents[i][0], i)
    )
    if not placed:
        return owners
    firsts = [parents[i][0][0] for i in placed]
    ends = [max(end for _, end in parents[i]) for i in placed]
    # Of values at one place that of the parent which begins last counts, of such the first parent.
    ahead = sorted(
        ((start, firsts[rank], -rank) for rank, i in enumerate(placed) for start, _ in parents[i]),
        reverse=True,
    )
    passed: list[int] = []  # whose values stand before the child, the nearest last
    for start, number in sorted((one, i) for i, one in enumerate(starts) if one is not None):
        while ahead and ahead[-1][0] <= start:
            passed.append(-ahead.pop()[2])
        begun = bisect_right(firsts, start) - 1
        # The stretch of whoever began last goes on; another one that has ended has so for all that
        # follow, too.
        while passed and passed[-1] < begun and ends[passed[-1]] <= start:
            passed.pop()
        owners[number] = placed[passed[-1] if passed else 0]
    return owners


def _keep_allowed(node: Node, child: Child) -> None:
    """Keep the nearest of what may be there once, and the best of a list that has a limit."""
    found = node.below.get(child.name, [])
    found.sort(key=lambda one: -1 if one.first is None else one.first)
    if child.many:
        if child.most is not None and len(found) > child.most:
            best = set(sorted(found, key=lambda one: -one.score)[: child.most])
            node.below[child.name] = [one for one in found if one in best]
        return
    if len(found) > 1:
        nearest = min(found, key=lambda one: _distance(node, one))
        node.below[child.name] = [nearest]
        node.spare[child.name] = [one for one in found if one is not nearest]


def _distance(node: Node, one: Node) -> tuple[int, float]:
    """Return how far a child stands from the values of its parent; of equal ones the surer wins."""
    if one.first is None or not node.places:
        return 0, -one.score
    return min(abs(one.first - start) for start, _ in node.places), -one.score
