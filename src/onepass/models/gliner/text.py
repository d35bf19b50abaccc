"""A text as GLiNER reads it: words as they stand, between a prompt and what ends a sequence."""

from __future__ import annotations

import numpy as np

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.words import TextPieces, word_pieces
from onepass.models.gliner.encode import Reading
from onepass.models.gliner.prompt import Prompt
from onepass.text.patterns import PLAIN
from onepass.text.windows import Window
from onepass.text.words import Splitter, Words, split_words


def read_text(
    text: str,
    tokenizer: PieceTokenizer,
    *,
    max_word_pieces: int,
    splitter: Splitter | None = None,
) -> TextPieces:
    """Split a text and tokenize its words, without those in which there is nothing to read.

    Args:
        text: any string.
        tokenizer: of the checkpoint.
        max_word_pieces: a longer word (a base64 block, say) keeps only its first pieces.
        splitter: that the checkpoint names; None for the words of the family.
    """
    words = split_words(text, PLAIN, splitter)
    forms = tokenizer.plain_parts(text, words.forms())
    return word_pieces(words, forms, tokenizer, max_word_pieces)


def read_window(prompt: Prompt, text: TextPieces, window: Window) -> Reading:
    """Return one window under one prompt."""
    before, words, part = prompt.instruction, text.words, slice(window.start, window.end)
    own = text.window(window)
    return Reading(
        prompt,
        np.concatenate([before.ids, own, prompt.end]),
        np.concatenate([before.lengths, text.lengths[part]]),
        Words(words.text, words.starts[part], words.ends[part]),
    )
