"""Windows and prompts as arrays: what the `encode` graph takes.

A reading is one window of one text under one prompt. Readings are padded on the right; positions
(of words and markers) are data, so nothing has to be found again in the ids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Int64s
from onepass.models.gliner2.prompt import Prompt
from onepass.text.words import Words


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One window under one prompt.

    Attributes:
        prompt: what is asked.
        ids: (pieces,) of the window's words.
        lengths: (words,) pieces of each word.
        text: all words of the text; None where nothing reads them.
        first: which of them is the window's first.
        shapes: (words,) of the window's words (`onepass.text.shapes`); None where nothing reads
            them.
        added: words behind the window's own that are no part of the text.
    """

    prompt: Prompt
    ids: Int64s
    lengths: Int64s
    text: Words | None = None
    first: int = 0
    shapes: Int64s | None = None
    added: int = 0

    @property
    def pieces(self) -> int:
        """Length of the whole sequence."""
        return len(self.prompt.ids) + len(self.ids)

    @property
    def words(self) -> int:
        """Number of words, choice words of the prompt included."""
        return self.prompt.prefix_words + len(self.lengths)

    @property
    def own(self) -> tuple[int, int]:
        """Rows of the text's own words: the first, and the one behind the last."""
        return self.prompt.prefix_words, self.words - self.added

    @property
    def document(self) -> Words:
        """All words of the text, of which `first` is the window's first."""
        if self.text is None:
            raise ValueError("A reading without its text has no words to show.")
        return self.text

    @property
    def told(self) -> Int64s:
        """Shapes of the window's words."""
        if self.shapes is None:
            raise ValueError("A reading without shapes has no types to tell.")
        return self.shapes

    def types(self) -> Int64s:
        """Return (pieces,) of the window's words: the shape of each piece's word, from 1 up."""
        return np.repeat(self.told + 1, self.lengths)


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Readings as padded arrays.

    Attributes:
        readings: the rows.
        ids: (batch, pieces).
        mask: (batch, pieces), 1 at real pieces.
        words: (batch, words, depth) positions of each word's pieces, -1 where there are no more;
            the depth is 1 when only the first piece counts. Choice words stand first.
        word_counts: (batch,).
        markers: (batch, markers) positions: for each group its parent, then its items.
        types: (batch, pieces), 0 in the prompt, else 1 plus the shape of the piece's word; None
            where the backbone is not told.
    """

    readings: tuple[Reading, ...]
    ids: Int64s
    mask: Int64s
    words: Int64s
    word_counts: Int64s
    markers: Int64s
    types: Int64s | None = None

    def inputs(self) -> dict[str, Int64s]:
        """Return what the `encode` graph takes."""
        told = {} if self.types is None else {"types": self.types}
        arrays = {"ids": self.ids, "mask": self.mask, "words": self.words, "markers": self.markers}
        return arrays | told


def collate(
    readings: Sequence[Reading],
    *,
    pooling: str = "first",
    shapes: bool = False,
    words: bool = True,
) -> Batch:
    """Pad readings into one batch.

    Args:
        readings: the rows.
        pooling: "first" if a word is its first piece, else all its pieces are listed.
        shapes: whether the backbone is told the shapes of words.
        words: whether anything is asked of the words; if not, the batch lists one a row, which
            means nothing.
    """
    rows = len(readings)
    pieces = max(reading.pieces for reading in readings)
    most = max(max(reading.words for reading in readings), 1) if words else 1
    marker_rows = [marker_places(reading.prompt) for reading in readings]
    markers = max(len(row) for row in marker_rows)
    word_rows = [_word_places(reading, pooling)[:most] for reading in readings]
    depth = max(row.shape[1] for row in word_rows)
    ids = np.zeros((rows, pieces), dtype=np.int64)
    mask = np.zeros((rows, pieces), dtype=np.int64)
    word_array = np.full((rows, most, depth), -1, dtype=np.int64)
    word_array[:, :, 0] = 0
    marker_array = np.zeros((rows, markers), dtype=np.int64)
    for row, reading in enumerate(readings):
        head = len(reading.prompt.ids)
        ids[row, :head] = reading.prompt.ids
        ids[row, head : reading.pieces] = reading.ids
        mask[row, : reading.pieces] = 1
        places = word_rows[row]
        word_array[row, : len(places), : places.shape[1]] = places
        marker_array[row, : len(marker_rows[row])] = marker_rows[row]
    counts = np.array([reading.words for reading in readings], dtype=np.int64)
    types = _types(readings, pieces) if shapes else None
    return Batch(tuple(readings), ids, mask, word_array, counts, marker_array, types)


def _types(readings: Sequence[Reading], pieces: int) -> Int64s:
    """Return (batch, pieces) types of the pieces."""
    types = np.zeros((len(readings), pieces), dtype=np.int64)
    for row, reading in enumerate(readings):
        types[row, len(reading.prompt.ids) : reading.pieces] = reading.types()
    return types


def _word_places(reading: Reading, pooling: str) -> Int64s:
    """Return (words, depth) positions of the pieces of each word, choice words first."""
    prompt = reading.prompt
    lengths = np.concatenate([prompt.prefix_lengths, reading.lengths])
    own = len(prompt.ids) + np.cumsum(reading.lengths) - reading.lengths
    # A word of the prompt without pieces stands where the next one starts, the last piece at most.
    places = np.concatenate([prompt.prefix_places, own])
    firsts: Int64s = np.minimum(places, reading.pieces - 1)
    if pooling == "first":
        return firsts[:, None]
    steps = np.arange(max(int(lengths.max(initial=1)), 1))
    every: Int64s = np.where(steps < lengths[:, None], firsts[:, None] + steps, -1)
    every[:, 0] = firsts
    return every


def marker_places(prompt: Prompt) -> Int64s:
    """Return (markers,) positions: for each group its parent, then its items.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.encoding.tokenizer import PieceTokenizer
    >>> from onepass.models.gliner2.prompt import all_groups, encode_prompt
    >>> from onepass.schema import Schema
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> schema = Schema().entities(["person"])  # ( [P] entities ( [E] person ) ) [SEP_TEXT]
    >>> marker_places(encode_prompt(schema, all_groups(schema), tokenizer)).tolist()
    [1, 4]
    """
    parts: list[Int64s] = []
    for parent, items in zip(prompt.parents, prompt.markers, strict=True):
        parts += [np.array([parent]), items]
    return np.concatenate(parts).astype(np.int64)
