"""The words of a text as pieces, where the text is tokenized whole.

Some families read a text as their tokenizer does: in one go, not word by word. Words are still what
windows are cut by, so every piece belongs to the word that it ends in.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.words import TextPieces, owned_pieces
from onepass.text.words import Splitter, Words, split_words


class Headed(NamedTuple):
    """A text with what is read in front of it.

    Attributes:
        text: in pieces of its own.
        head: (pieces,) ids of what is in front.
    """

    text: TextPieces
    head: Int64s


def whole_pieces(words: Words, tokenizer: PieceTokenizer, most: int, *, before: str = "") -> Headed:
    """Tokenize a text in one go.

    Args:
        words: of the text.
        tokenizer: of the checkpoint.
        most: pieces of a word; a longer one (a base64 block, say) keeps its first ones.
        before: is read in front of the text, and belongs to no word.

    Returns:
        The text (see `owned_pieces`), and what is read in front.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.text.words import split_words
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> text, head = whole_pieces(split_words("Tim incomprehensibilities"), tokenizer, 3)
    >>> text.lengths, text.cut, head
    (array([1, 3]), array([ 0, 21]), array([], dtype=int64))
    """
    ids, ends = tokenizer.located(before + words.text)
    own = int(np.searchsorted(ends, len(before.rstrip()), side="right")) if before else 0
    pieces = ids[own:], ends[own:] - len(before)
    return Headed(owned_pieces(words, pieces, tokenizer, most), ids[:own])


def read_whole(
    text: str,
    tokenizer: PieceTokenizer,
    *,
    max_word_pieces: int,
    splitter: Splitter | None = None,
) -> TextPieces:
    """Split a text and tokenize it in one go.

    Args:
        text: any string.
        tokenizer: of the checkpoint.
        max_word_pieces: a longer word keeps only its first pieces.
        splitter: that the checkpoint names; None for the words of the family.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.text.windows import Window
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> text = read_whole("Tim Cook", tokenizer, max_word_pieces=100)
    >>> text.words.forms(), text.window(Window(1, 2)).tolist() == text.ids[1:].tolist()
    (['Tim', 'Cook'], True)
    """
    words = split_words(text, splitter=splitter)
    return whole_pieces(words, tokenizer, max_word_pieces).text
