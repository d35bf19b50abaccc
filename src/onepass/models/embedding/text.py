"""Texts as an embedding checkpoint reads them, and what it says of them.

A text may have a prompt of the checkpoint in front of it ("query: "), which is tokenized with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onepass.arrays import Float32s, Int64s
from onepass.backends.base import Backend
from onepass.decoding.findings import Findings
from onepass.encoding.sequences import padded
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.whole import Headed, read_whole, whole_pieces
from onepass.encoding.words import TextPieces
from onepass.models.embedding.prompt import Ready, of_length_one
from onepass.models.family import Asking
from onepass.models.finite import check_finite
from onepass.text.windows import Window
from onepass.text.words import Splitter, Words


@dataclass(frozen=True, slots=True, eq=False)
class Text:
    """A text in words and pieces.

    Attributes:
        plain: the text by itself.
        tokenizer: of the checkpoint.
        most: pieces of a word.
        prompted: prompt to the text behind it.
    """

    plain: TextPieces
    tokenizer: PieceTokenizer
    most: int
    prompted: dict[str, Headed] = field(default_factory=dict)

    @property
    def words(self) -> Words:
        """The text's own words."""
        return self.plain.words

    @property
    def lengths(self) -> Int64s:
        """(words,) pieces of each word."""
        return self.plain.lengths

    @property
    def cut(self) -> Int64s:
        """(words,) characters of each word that count as not read."""
        return self.plain.cut

    def window(self, window: Window, prompt: str) -> Int64s:
        """Return the (pieces,) ids of a window behind a prompt."""
        if not prompt:
            return self.plain.window(window)
        if prompt not in self.prompted:
            self.prompted[prompt] = whole_pieces(
                self.plain.words, self.tokenizer, self.most, before=prompt
            )
        text, head = self.prompted[prompt]
        return np.concatenate([head, text.window(window)])


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """One window.

    Attributes:
        asked: labels and their vectors.
        ids: (pieces,) of the whole sequence.
    """

    asked: Ready
    ids: Int64s

    @property
    def pieces(self) -> int:
        """Length of the whole sequence."""
        return len(self.ids)


def read_text(
    text: str,
    tokenizer: PieceTokenizer,
    *,
    max_word_pieces: int,
    splitter: Splitter | None = None,
) -> Text:
    """Split a text and tokenize it in one go.

    Args:
        text: any string.
        tokenizer: of the checkpoint.
        max_word_pieces: a longer word keeps only its first pieces.
        splitter: that the checkpoint names; None for the words of the family.
    """
    plain = read_whole(text, tokenizer, max_word_pieces=max_word_pieces, splitter=splitter)
    return Text(plain, tokenizer, max_word_pieces)


def read_window(asked: Ready, text: Text, window: Window) -> Reading:
    """Return one window."""
    prompt = asked.prompt
    room = prompt.limit - len(prompt.before) - len(prompt.after)
    ids = text.window(window, prompt.text_prompt)[:room]  # a seam may take a piece more
    whole = np.concatenate([prompt.before, ids, prompt.after])
    # Of a tokenizer without a frame an empty text has no pieces, and no encoder reads nothing.
    return Reading(asked, whole if len(whole) else np.zeros(1, dtype=np.int64))


def score(readings: Sequence[Reading], scale: float, backend: Backend) -> list[Float32s]:
    """Return (texts of labels,) logits of each reading: the scaled cosine with each.

    Args:
        readings: windows.
        scale: of the cosine.
        backend: that runs the graph of `onepass.models.embedding.graphs`.
    """
    ids, mask = padded([reading.ids for reading in readings])
    vectors = of_length_one(backend.run("embed", {"ids": ids, "mask": mask})[0])
    check_finite(vectors)
    return [
        np.float32(scale) * (reading.asked.vectors @ vector)
        for reading, vector in zip(readings, vectors, strict=True)
    ]


def decode(scores: Float32s, reading: Reading, asking: Asking, words: int) -> Findings:
    """Return the logits of every classification.

    Args:
        scores: of the reading, one a text of a label.
        reading: its prompt says which label has which text.
        asking: the schema, in whose order the prompt is.
        words: of the window; they play no part.
    """
    return Findings(
        classes={
            (task, tuple(range(len(rows)))): scores[list(rows)]
            for task, rows in enumerate(reading.asked.prompt.rows)
        }
    )
