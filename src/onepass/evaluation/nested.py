"""Scoring of records that hold records: values, whole records and their number, level by level.

Predicted and gold records are trees. They are aligned one to one from the top down, so that as many
values as possible agree, and a value below a record counts only where that record is aligned. With
one level this is the score of `onepass.evaluation.records`. It knows nothing about models or files.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from onepass.decoding.matching import best_total
from onepass.evaluation.counts import Counts
from onepass.evaluation.pairing import best_pairs
from onepass.evaluation.records import normalize
from onepass.results.types import Record
from onepass.schema.shape import Shape
from onepass.typed.link import Node, values_of

# One value more outweighs any number of whole records: records only choose between alignments with
# equally many right values.
_VALUE = 1 << 20


@dataclass(frozen=True, slots=True)
class Tree:
    """A record with the records below it.

    Attributes:
        values: (field, normalized words).
        below: field to the records that it holds.
    """

    values: frozenset[tuple[str, str]]
    below: tuple[tuple[str, tuple[Tree, ...]], ...] = ()

    def children(self, name: str) -> tuple[Tree, ...]:
        """Return the records of a field; none if it has none."""
        return next((trees for key, trees in self.below if key == name), ())

    def records(self) -> Iterator[tuple[int, Tree]]:
        """Yield this record and all below it, each with its level, counted from 1."""
        yield 1, self
        for _, trees in self.below:
            for tree in trees:
                yield from ((level + 1, one) for level, one in tree.records())


def tree_of_record(record: Record, names: Iterable[str] | None = None) -> Tree:
    """Return a flat record as a tree.

    Args:
        record: as in `Extraction.records`.
        names: of the fields that count; None for all.

    >>> from onepass.results.types import Value
    >>> tree_of_record({"size": Value("XL", 0, 2, 0.9), "color": None}).values
    frozenset({('size', 'xl')})
    """
    kept = set(record) if names is None else set(names)
    return Tree(
        frozenset(
            (name, normalize(value.text))
            for name, held in record.items()
            if name in kept
            for value in values_of({name: held})
        )
    )


def tree_of_node(node: Node) -> Tree:
    """Return a record that `onepass.typed.link.link` put together as a tree."""
    below = tuple((name, tuple(map(tree_of_node, nodes))) for name, nodes in node.below.items())
    return Tree(tree_of_record(node.record).values, below)


def tree_of_gold(row: Mapping[str, Any], shape: Shape) -> Tree:
    """Return a gold record, as nested lists of words, as a tree.

    Args:
        row: field to a list of strings, or to a list of such rows where the shape has a level.
        shape: of the row; what it does not have is left out.

    Raises:
        KeyError: if the row has neither a value nor an empty list for what the shape has.

    >>> from onepass.schema import Field
    >>> from onepass.schema.shape import Child, Leaf
    >>> item = Shape("item", "Item", (Leaf("what", "what", Field("what")),))
    >>> order = Shape("order", "Order", (), (Child("items", "items", item, True),))
    >>> [level for level, _ in tree_of_gold({"items": [{"what": ["pen"]}]}, order).records()]
    [1, 2]
    """
    values = frozenset(
        (leaf.name, normalize(words)) for leaf in shape.leaves for words in row[leaf.name]
    )
    below = tuple(
        (child.name, tuple(tree_of_gold(one, child.shape) for one in row[child.name]))
        for child in shape.children
    )
    return Tree(values, below)


@dataclass(slots=True)
class Level:
    """What was counted on one level.

    Attributes:
        values: (field, words) of records.
        records: whole records: those above are aligned, and all values of their own are equal.
        asked: how often the number of records was in question: once a text on the first level,
            once for each field of a gold record that holds a level.
        same_number: how often it was right.
    """

    values: Counts = field(default_factory=Counts)
    records: Counts = field(default_factory=Counts)
    asked: int = 0
    same_number: int = 0

    def merge(self, other: Level) -> None:
        """Add the counts of another part of the data, or of another level."""
        self.values.merge(other.values)
        self.records.merge(other.records)
        self.asked += other.asked
        self.same_number += other.same_number

    def scores(self) -> dict[str, float]:
        """Return precision, recall and F1 of values, F1 of records, and count accuracy."""
        return {
            **self.values.scores(),
            "record_f1": self.records.f1,
            "count_accuracy": self.same_number / self.asked if self.asked else 0.0,
        }


class NestedScorer:
    """Counts the values and records of trees.

    >>> def order(number, *items):
    ...     below = tuple(Tree(frozenset({("what", item)})) for item in items)
    ...     return Tree(frozenset({("number", number)}), (("items", below),))
    >>> scorer = NestedScorer()
    >>> wanted = [order("1", "lamp"), order("2", "desk")]
    >>> scorer.add([order("1", "lamp", "desk"), order("2")], wanted)
    >>> round(scorer.scores()["f1"], 2), round(scorer.level_scores()[2]["f1"], 2)
    (0.75, 0.5)
    """

    def __init__(self) -> None:
        self.levels: dict[int, Level] = {}

    def add(self, found: Sequence[Tree], wanted: Sequence[Tree]) -> None:
        """Count the records of one kind in one text."""
        for level, tree in (one for top in found for one in top.records()):
            self._at(level).values.predicted += len(tree.values)
            self._at(level).records.predicted += 1
        for level, tree in (one for top in wanted for one in top.records()):
            self._at(level).values.gold += len(tree.values)
            self._at(level).records.gold += 1
            if tree.below:  # its number of records below is wrong unless it is aligned
                self._at(level + 1).asked += len(tree.below)
        self._at(1).asked += 1
        self._align(found, wanted, 1)

    def _align(self, found: Sequence[Tree], wanted: Sequence[Tree], level: int) -> None:
        """Count what is right of records whose parents are aligned."""
        at = self._at(level)
        at.same_number += len(found) == len(wanted)
        for row, column in best_pairs(_weights(found, wanted)):
            one, other = found[row], wanted[column]
            at.values.right += len(one.values & other.values)
            at.records.right += one.values == other.values
            for name, trees in other.below:
                self._align(one.children(name), trees, level + 1)

    def _at(self, level: int) -> Level:
        return self.levels.setdefault(level, Level())

    def merge(self, other: NestedScorer) -> None:
        """Add what was counted on another part of the data."""
        for level, counted in other.levels.items():
            self._at(level).merge(counted)

    def total(self) -> Level:
        """Return the counts of all levels together."""
        total = Level()
        for counted in self.levels.values():
            total.merge(counted)
        return total

    def scores(self) -> dict[str, float]:
        """Return the scores over all levels, see `Level.scores`."""
        return self.total().scores()

    def level_scores(self) -> dict[int, dict[str, float]]:
        """Return the scores of each level."""
        return {level: counted.scores() for level, counted in sorted(self.levels.items())}


def _weights(found: Sequence[Tree], wanted: Sequence[Tree]) -> list[list[int]]:
    return [[_weight(one, other) for other in wanted] for one in found]


@lru_cache(maxsize=4096)
def _weight(one: Tree, other: Tree) -> int:
    """Return how much agrees in two records that are aligned, and in the best way below them."""
    own = len(one.values & other.values) * _VALUE + (one.values == other.values)
    return own + sum(best_total(_weights(one.children(name), below)) for name, below in other.below)
