"""One pass, and one batch, as a student and its teacher read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One pass of the student, and those of the teacher that ask some of its labels."""

    own: Any
    shown: tuple[Any, ...]

    @property
    def reading(self) -> Any:
        """Return what the student reads."""
        return self.own.reading


@dataclass(frozen=True, slots=True)
class Shared:
    """What a pass of the student and one of the teacher both ask.

    Attributes:
        row: of the student's batch.
        line: of the teacher's batch.
        labels: columns of the student; none for GLiNER2, where one pass asks everything.
        shown_labels: the teacher's columns of the same labels, in the same order.
        types: columns of relation types of the student; each is in one record of a row.
        shown_types: the teacher's, likewise.
    """

    row: int
    line: int
    labels: tuple[int, ...] = ()
    shown_labels: tuple[int, ...] = ()
    types: tuple[int, ...] = ()
    shown_types: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A batch of the student, that of the teacher, and what their rows share."""

    pairs: Sequence[Pair]
    own: Any
    shown: Any
    shared: tuple[Shared, ...]

    @property
    def rows(self) -> tuple[int, ...]:
        """Return the rows of the student that are taught anything, each once."""
        return tuple(dict.fromkeys(part.row for part in self.shared))


# Of what the student says of its batch, the network of the teacher, the batch and the temperature.
Term = Callable[[Any, Any, Lesson, float], torch.Tensor]
