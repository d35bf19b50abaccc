"""One pass, and one batch, as a student and its teacher read them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch


@dataclass(frozen=True, slots=True, eq=False)
class Pair:
    """One pass as the student reads it, and as the teacher does; None where it cannot be asked."""

    own: Any
    shown: Any

    @property
    def reading(self) -> Any:
        """Return what the student reads."""
        return self.own.reading


@dataclass(frozen=True, slots=True, eq=False)
class Lesson:
    """A batch of the student, that of the teacher, and the student's row of each of its rows."""

    pairs: Sequence[Pair]
    own: Any
    shown: Any
    rows: tuple[int, ...]


# Of what the student says of its batch, the network of the teacher, the batch and the temperature.
Term = Callable[[Any, Any, Lesson, float], torch.Tensor]
