"""A text as GLiNER reads it: words as they stand, and the piece that ends every sequence."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.words import word_pieces
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.prompt import Prompt
from onepass.text.windows import Window
from onepass.text.words import PLAIN, Splitter, Words, split_words

Ints = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class TextPieces:
    """A text in words and pieces.

    Attributes:
        words: the text's own words, without those in which the tokenizer finds nothing to read.
        ids: (pieces,).
        lengths: (words,) pieces of each word.
        end: (pieces,) ids that end a sequence.
        cut: (words,) characters of each word that count as not read.
        bounds: (words + 1,) where each word's pieces begin, and where the last one's end.
    """

    words: Words
    ids: Ints
    lengths: Ints
    end: Ints
    cut: Ints
    bounds: Ints = field(init=False)

    def __post_init__(self) -> None:
        bounds = np.concatenate([[0], np.cumsum(self.lengths)])  # once, not anew for each window
        object.__setattr__(self, "bounds", bounds)


def read_text(
    text: str,
    tokenizer: PieceTokenizer,
    *,
    max_word_pieces: int,
    splitter: Splitter | None = None,
) -> TextPieces:
    """Split a text and tokenize its words.

    Args:
        text: any string.
        tokenizer: of the checkpoint.
        max_word_pieces: a longer word (a base64 block, say) keeps only its first pieces.
        splitter: that the checkpoint names; None for the words of the family.
    """
    words = split_words(text, PLAIN, splitter)
    forms = [tokenizer.plain(form) for form in words.forms()]
    words, ids, lengths, cut = word_pieces(words, forms, tokenizer, max_word_pieces)
    return TextPieces(words, ids, lengths, tokenizer.frame[1], cut)


def read_window(prompt: Prompt, text: TextPieces, window: Window) -> Reading:
    """Return one window under one prompt."""
    before, words, part = prompt.instruction, text.words, slice(window.start, window.end)
    own = text.ids[text.bounds[window.start] : text.bounds[window.end]]
    return Reading(
        prompt,
        np.concatenate([before.ids, own, text.end]),
        np.concatenate([before.lengths, text.lengths[part]]),
        Words(words.text, words.starts[part], words.ends[part]),
    )
