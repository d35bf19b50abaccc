"""Windows and prompts as arrays: what the `encode` graph takes.

A reading is one window of one text under one prompt. Readings are padded on the right; positions
(of words and markers) are data, so nothing has to be found again in the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onepass.models.gliner2.prompt import Prompt

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One window under one prompt.

    Attributes:
        prompt: what is asked.
        ids: (pieces,) of the window's words.
        lengths: (words,) pieces of each word; a word may have none.
    """

    prompt: Prompt
    ids: Ints
    lengths: Ints

    @property
    def pieces(self) -> int:
        """Length of the whole sequence."""
        return len(self.prompt.ids) + len(self.ids)

    @property
    def words(self) -> int:
        """Number of words, choice words of the prompt included."""
        return self.prompt.prefix_words + len(self.lengths)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Readings as padded arrays.

    Attributes:
        readings: the rows.
        ids: (batch, pieces).
        mask: (batch, pieces), 1 at real pieces.
        words: (batch, words) position of each word's first piece; choice words stand first.
        word_counts: (batch,).
        markers: (batch, markers) positions: for each group its parent, then its items.
    """

    readings: tuple[Reading, ...]
    ids: Ints
    mask: Ints
    words: Ints
    word_counts: Ints
    markers: Ints


def collate(readings: Sequence[Reading]) -> Batch:
    """Pad readings into one batch."""
    rows = len(readings)
    pieces = max(reading.pieces for reading in readings)
    words = max(max(reading.words for reading in readings), 1)
    marker_rows = [marker_places(reading.prompt) for reading in readings]
    markers = max(len(row) for row in marker_rows)
    ids = np.zeros((rows, pieces), dtype=np.int64)
    mask = np.zeros((rows, pieces), dtype=np.int64)
    word_places = np.zeros((rows, words), dtype=np.int64)
    marker_array = np.zeros((rows, markers), dtype=np.int64)
    for row, (reading, places) in enumerate(zip(readings, marker_rows, strict=True)):
        prompt = reading.prompt
        head = len(prompt.ids)
        ids[row, :head] = prompt.ids
        ids[row, head : reading.pieces] = reading.ids
        mask[row, : reading.pieces] = 1
        firsts = head + np.cumsum(reading.lengths) - reading.lengths
        word_places[row, : prompt.prefix_words] = prompt.prefix_places
        # A word without pieces stands where the next one starts; the last piece bounds it.
        word_places[row, prompt.prefix_words : reading.words] = np.minimum(
            firsts, reading.pieces - 1
        )
        marker_array[row, : len(places)] = places
    counts = np.array([reading.words for reading in readings], dtype=np.int64)
    return Batch(tuple(readings), ids, mask, word_places, counts, marker_array)


def marker_places(prompt: Prompt) -> Ints:
    """Return (markers,) positions: for each group its parent, then its items."""
    parts = []
    for parent, items in zip(prompt.parents, prompt.markers, strict=True):
        parts += [[parent], items]
    return np.concatenate(parts).astype(np.int64)
