"""What an embedding checkpoint is asked: which of these label vectors is the text's vector near?

One prompt asks everything, because labels are not read beside the text: each is a vector of its
own, made once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from onepass.backends.base import Floats

Ints = NDArray[np.int64]
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
    labels: tuple[Ints, ...]
    before: Ints
    after: Ints
    text_prompt: str
    head: int
    limit: int

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
    vectors: Floats

    @property
    def pieces(self) -> int:
        """As of the prompt."""
        return self.prompt.pieces


def of_length_one(vectors: Floats) -> Floats:
    """Return (rows, size) vectors of length 1; a vector of zeros stays what it is.

    >>> of_length_one(np.array([[3.0, 4.0]], dtype=np.float32)).round(1).tolist()
    [[0.6000000238418579, 0.800000011920929]]
    """
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    found: Floats = vectors / np.maximum(lengths, np.float32(1e-12))
    return found
