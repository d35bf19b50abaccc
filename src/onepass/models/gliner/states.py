"""What the encoder made of a batch, and the places of the spans that were found in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Array, Float32s
from onepass.backends.base import Rows
from onepass.decoding.candidates import Candidates


@dataclass(frozen=True, slots=True, eq=False)
class States:
    """What the encoder made of a batch.

    Attributes:
        words: (batch, words, hidden), where the backend keeps them.
        counts: (batch,) words of each row.
        labels: (batch, labels, hidden), or (1, labels, hidden) where all rows share them.
        types: (batch, types, hidden); None without relations.
        in_context: (batch, words, hidden), the words as the layer of spans reads them; None where
            it reads them as they are, or nothing is asked of it.
    """

    words: Rows
    counts: Array
    labels: Float32s
    types: Float32s | None
    in_context: Rows | None = None

    @property
    def of_spans(self) -> Mapping[str, Rows]:
        """What the graphs that make spans of words read."""
        words = self.words if self.in_context is None else self.in_context
        return {"word_states": words, "word_counts": self.counts}


def distinct_places(found: Sequence[Candidates], before: Sequence[int]) -> tuple[Array, list[int]]:
    """Return each reading's different spans as (batch, spans, 2) first and last words.

    Args:
        found: spans of each reading, in words of the text.
        before: for each reading, the words of its instruction; places count them.

    Returns:
        The places, in order, padded with 0; and how many each reading has.
    """
    own = [
        np.unique(np.stack([one.starts, one.ends - 1], axis=1), axis=0) + offset
        for one, offset in zip(found, before, strict=True)
    ]
    counts = [len(places) for places in own]
    out = np.zeros((len(found), max(counts), 2), dtype=np.int64)
    for row, places in enumerate(own):
        out[row, : len(places)] = places
    return out, counts
