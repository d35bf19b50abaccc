"""Findings in words, before they become results: spans, choices, records, pairs, candidates.

Positions are word indices, half-open, global to the document. Labels, fields, choices and relation
types are indices into the schema; these types know neither the words nor the schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float64s, Int64s


@dataclass(frozen=True, slots=True, eq=False)
class Candidates:
    """Scored spans that may become entities, as columns of one table.

    Args:
        starts: first words, (candidates,).
        ends: the words after the last ones, (candidates,).
        scores: probabilities, (candidates,).
        labels: label indices, (candidates,).

    Raises:
        ValueError: if the columns differ in length or are not one-dimensional.

    >>> len(Candidates(np.array([0, 3]), np.array([2, 4]), np.array([0.9, 0.6]), np.array([1, 0])))
    2
    """

    starts: Int64s
    ends: Int64s
    scores: Float64s
    labels: Int64s

    def __post_init__(self) -> None:
        put = object.__setattr__
        put(self, "starts", np.asarray(self.starts, dtype=np.int64))
        put(self, "ends", np.asarray(self.ends, dtype=np.int64))
        put(self, "scores", np.asarray(self.scores, dtype=np.float64))
        put(self, "labels", np.asarray(self.labels, dtype=np.int64))
        shapes = [column.shape for column in (self.starts, self.ends, self.scores, self.labels)]
        if any(shape != (len(self.starts),) for shape in shapes):
            raise ValueError(f"Candidates need four columns of one length, but have {shapes}.")

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: Int64s) -> Candidates:
        """Return the given rows, in the given order.

        >>> Candidates([0, 3], [2, 4], [0.9, 0.6], [1, 0]).take(np.array([1])).starts
        array([3])
        """
        return Candidates(self.starts[rows], self.ends[rows], self.scores[rows], self.labels[rows])

    def labeled(self, labels: Int64s) -> Candidates:
        """Return the same spans with other labels, (candidates,).

        >>> Candidates([0, 3], [2, 4], [0.9, 0.6], [1, 0]).labeled(np.array([5, 7])).labels
        array([5, 7])
        """
        return Candidates(self.starts, self.ends, self.scores, labels)

    def shift(self, words: int) -> Candidates:
        """Return the same spans moved by a number of words, as from a window to its document.

        >>> Candidates([0, 3], [2, 4], [0.9, 0.6], [1, 0]).shift(10).ends
        array([12, 14])
        """
        return Candidates(self.starts + words, self.ends + words, self.scores, self.labels)

    def rows(self) -> Iterator[tuple[int, int, float, int]]:
        """Return the start, end, score and label of each, as plain numbers.

        >>> list(Candidates([0, 3], [2, 4], [0.9, 0.6], [1, 0]).rows())
        [(0, 2, 0.9, 1), (3, 4, 0.6, 0)]
        """
        columns = (self.starts, self.ends, self.scores, self.labels)
        return zip(*(column.tolist() for column in columns), strict=True)

    def spans(self) -> Iterator[SpanFind]:
        """Return each without its label.

        >>> next(Candidates([0, 3], [2, 4], [0.9, 0.6], [1, 0]).spans())
        SpanFind(start=0, end=2, score=0.9)
        """
        columns = (self.starts, self.ends, self.scores)
        return map(SpanFind, *(column.tolist() for column in columns))

    @staticmethod
    def joined(parts: Iterable[Candidates]) -> Candidates:
        """Return the rows of several tables, one after the other.

        >>> len(Candidates.joined([NO_CANDIDATES, Candidates([0, 3], [2, 4], [0.9, 0.6], [1, 0])]))
        2
        """
        tables = [NO_CANDIDATES, *parts]
        return Candidates(
            np.concatenate([table.starts for table in tables]),
            np.concatenate([table.ends for table in tables]),
            np.concatenate([table.scores for table in tables]),
            np.concatenate([table.labels for table in tables]),
        )


_NO_INTS = np.zeros(0, dtype=np.int64)
NO_CANDIDATES = Candidates(_NO_INTS, _NO_INTS, np.zeros(0), _NO_INTS)


@dataclass(frozen=True, slots=True)
class SpanFind:
    """A span of words with its score."""

    start: int
    end: int  # half-open
    score: float

    def shift(self, words: int) -> SpanFind:
        """Return the same span moved by a number of words, as from a window to its document.

        >>> SpanFind(0, 2, 0.9).shift(10)
        SpanFind(start=10, end=12, score=0.9)
        """
        return SpanFind(self.start + words, self.end + words, self.score)


@dataclass(frozen=True, slots=True)
class ChoiceFind:
    """A choice of a field, by its index among the field's choices, with its score."""

    choice: int
    score: float


Find = SpanFind | ChoiceFind


@dataclass(frozen=True, slots=True)
class ValueOption:
    """A span that may fill a field with rules; it is late if the field's kind cannot be read."""

    find: SpanFind
    late: bool = False


@dataclass(frozen=True, slots=True)
class RecordFind:
    """One record: what was found for each field, in the order of the structure's fields.

    Attributes:
        fields: what was chosen.
        options: for each field all that might be chosen, if its values may depend on other
            findings (`onepass.decoding.consistency`); empty if those of no field do.
    """

    fields: tuple[tuple[Find, ...], ...]
    options: tuple[tuple[ValueOption, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class RecordPart:
    """The records of one structure in one window, which spans the words [start, end)."""

    start: int
    end: int
    records: tuple[RecordFind, ...]


@dataclass(frozen=True, slots=True)
class RelationFind:
    """A directed pair of spans of one relation type.

    Pairs of one reading with the same ``instance`` are alternatives, of which one holds; a pair
    without alternatives has -1.
    """

    type: int
    head: SpanFind
    tail: SpanFind
    score: float
    instance: int = -1
