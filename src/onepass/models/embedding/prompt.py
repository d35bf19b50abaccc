"""What an embedding checkpoint is asked: which of these label vectors is the text's vector near?

One prompt asks everything, because labels are not read beside the text: each is a vector of its
own, made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from onepass.arrays import Float32s, Int64s

_AHEAD = 2  # pieces that a reader leaves free beside every prompt


@dataclass(frozen=True, slots=True, eq=False)
class Prompt:
    """All labels of a schema.

    Attributes:
        texts: what is read of labels, each once.
        rows: for each classification, for each of its labels the index of its text.
        labels: (pieces,) of each text, framed.
        before: (pieces,) in front of every sequence.
        after: (pieces,) behind it.
        text_prompt: is read in front of texts.
        head: pieces that it takes, at most.
        limit: pieces of the longest sequence.
    """

    texts: tuple[str, ...]
    rows: tuple[tuple[int, ...], ...]
    labels: tuple[Int64s, ...]
    before: Int64s
    after: Int64s
    text_prompt: str
    head: int
    limit: int
    words: ClassVar[int] = 0  # no limit counts words

    @property
    def pieces(self) -> int:
        """Number of pieces, without the two that are left free beside every prompt."""
        return len(self.before) + self.head + len(self.after) - _AHEAD


@dataclass(frozen=True, slots=True, eq=False)
class Ready:
    """All labels of a schema with their vectors: what texts are read under.

    Attributes:
        prompt: the labels.
        vectors: (texts, size) of length 1.
    """

    prompt: Prompt
    vectors: Float32s
    words: ClassVar[int] = 0  # no limit counts words

    @property
    def pieces(self) -> int:
        """As of the prompt."""
        return self.prompt.pieces


def of_length_one(vectors: Float32s) -> Float32s:
    """Return (rows, size) vectors of length 1; a vector of zeros stays what it is.

    >>> of_length_one(np.array([[3.0, 4.0]], dtype=np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    found: Float32s = vectors / np.maximum(lengths, np.float32(1e-12))
    return found
