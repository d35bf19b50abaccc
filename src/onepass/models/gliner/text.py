"""A text as GLiNER reads it: words as they stand, and the piece that ends every sequence."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.words import TextPieces, word_pieces
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.prompt import Prompt
from onepass.text.windows import Window
from onepass.text.words import PLAIN, Splitter, Words, split_words


@dataclass(frozen=True, slots=True, eq=False)
class Text(TextPieces):
    """A text in words and pieces, without words in which the tokenizer finds nothing to read.

    Attributes:
        end: (pieces,) ids that end a sequence.
    """

    end: Int64s


def read_text(
    text: str,
    tokenizer: PieceTokenizer,
    *,
    max_word_pieces: int,
    splitter: Splitter | None = None,
) -> Text:
    """Split a text and tokenize its words.

    Args:
        text: any string.
        tokenizer: of the checkpoint.
        max_word_pieces: a longer word (a base64 block, say) keeps only its first pieces.
        splitter: that the checkpoint names; None for the words of the family.
    """
    words = split_words(text, PLAIN, splitter)
    forms = tokenizer.plain_parts(text, words.forms())
    own = word_pieces(words, forms, tokenizer, max_word_pieces)
    return Text(own.words, own.ids, own.lengths, own.cut, tokenizer.frame[1])


def read_window(prompt: Prompt, text: Text, window: Window) -> Reading:
    """Return one window under one prompt."""
    before, words, part = prompt.instruction, text.words, slice(window.start, window.end)
    own = text.window(window)
    return Reading(
        prompt,
        np.concatenate([before.ids, own, text.end]),
        np.concatenate([before.lengths, text.lengths[part]]),
        Words(words.text, words.starts[part], words.ends[part]),
    )
