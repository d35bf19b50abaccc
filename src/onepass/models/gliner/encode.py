"""Windows and prompts as arrays: what the `encode` graph takes.

A reading is one window of one text under one prompt. Readings are padded on the right; positions
(of words and markers) are data, so nothing has to be found again in the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Array, Int64s
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.prompt import Prompt
from onepass.text.words import Words


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One window under one prompt.

    Attributes:
        prompt: what is asked.
        ids: (pieces,) of the instruction, of the window's words, and of the end of the sequence.
        lengths: (words,) pieces of each word, those of the instruction first.
        words: of the window, for who reads them again; those of the instruction are not in it.
    """

    prompt: Prompt
    ids: Int64s
    lengths: Int64s
    words: Words | None = None

    @property
    def pieces(self) -> int:
        """Length of the whole sequence."""
        return len(self.prompt.ids) + len(self.ids)

    @property
    def before(self) -> int:
        """Words of the instruction, which stand before those of the text."""
        return len(self.prompt.instruction.lengths)


def collate(readings: Sequence[Reading], config: GlinerConfig) -> dict[str, Array]:
    """Pad readings into the inputs of the graph ``encode``.

    Args:
        readings: the rows.
        config: of the checkpoint.

    Returns:
        ids and mask (batch, pieces); words (batch, words, depth), the positions of each word's
        pieces, -1 where there are no more; word_counts (batch,); labels (batch, labels) and types
        (batch, types), the positions of the markers, where the checkpoint has them.
    """
    rows = len(readings)
    pieces = max(reading.pieces for reading in readings)
    ids = np.zeros((rows, pieces), dtype=np.int64)
    mask = np.zeros((rows, pieces), dtype=np.int64)
    places = [_word_places(reading, config.pooling) for reading in readings]
    depth = max(one.shape[1] for one in places)
    words = np.full((rows, max(1, *map(len, places)), depth), -1, dtype=np.int64)
    for row, (reading, own) in enumerate(zip(readings, places, strict=True)):
        head = len(reading.prompt.ids)
        ids[row, :head] = reading.prompt.ids
        ids[row, head : reading.pieces] = reading.ids
        mask[row, : reading.pieces] = 1
        words[row, : len(own), : own.shape[1]] = own
    counts = np.array([len(own) for own in places], dtype=np.int64)
    arrays: dict[str, Array] = {"ids": ids, "mask": mask, "words": words, "word_counts": counts}
    if not config.without_labels:
        arrays["labels"] = padded_places([reading.prompt.label_places for reading in readings])
    if config.relations is not None:
        arrays["types"] = padded_places([reading.prompt.type_places for reading in readings])
    return arrays


def padded_places(rows: Sequence[Int64s]) -> Int64s:
    """Return (batch, longest) with 0 behind the end of a row; there is at least one column."""
    out = np.zeros((len(rows), max(1, *map(len, rows))), dtype=np.int64)
    for row, values in enumerate(rows):
        out[row, : len(values)] = values
    return out


def _word_places(reading: Reading, pooling: str) -> Int64s:
    """Return (words, depth) positions of the pieces that each word is pooled from, -1 for none."""
    lengths = reading.lengths
    firsts = len(reading.prompt.ids) + np.cumsum(lengths) - lengths
    if pooling in ("first", "last"):
        chosen = firsts if pooling == "first" else firsts + lengths - 1
        out: Int64s = np.where(lengths > 0, chosen, -1)[:, None]
        return out
    steps = np.arange(max(int(lengths.max(initial=1)), 1))
    every: Int64s = np.where(steps < lengths[:, None], firsts[:, None] + steps, -1)
    return every
