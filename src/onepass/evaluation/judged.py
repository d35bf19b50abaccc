"""An answer to a question that may have none, judged. It knows nothing about who asks."""

from __future__ import annotations

from typing import NamedTuple


class Judged(NamedTuple):
    """The best answer to a question, as it was found before any threshold.

    Attributes:
        score: of the answer, by itself.
        answerable: whether there is a right answer, which was then missed if this one is wrong; of
            a question that takes several, whether this one is right.
        right: whether this one is.
    """

    score: float
    answerable: bool
    right: bool
