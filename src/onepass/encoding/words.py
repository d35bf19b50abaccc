"""The words of a text as pieces, where no word takes more than it may."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.text.words import Words

Ints = NDArray[np.int64]


def word_pieces(
    words: Words, forms: Sequence[str], tokenizer: PieceTokenizer, most: int
) -> tuple[Ints, Ints, int]:
    """Tokenize words one by one.

    Args:
        words: with their places in the text.
        forms: what is tokenized of each word.
        tokenizer: of the checkpoint.
        most: pieces of a word; a longer one (a base64 block, say) keeps its first ones.

    Returns:
        (pieces,) ids, (words,) pieces of each word, and how many characters stand in words that are
        cut or that the tokenizer gives up on.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.text.words import split_words
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> words = split_words("Tim incomprehensibilities")
    >>> word_pieces(words, words.forms(), tokenizer, 3)[1:]
    (array([1, 3]), 21)
    """
    ids, lengths = tokenizer.flat(forms)
    given_up = _given_up(words, ids, lengths, tokenizer)
    ids, lengths, cut = first_pieces(words, ids, lengths, most)
    return ids, lengths, cut + given_up


def _given_up(words: Words, ids: Ints, lengths: Ints, tokenizer: PieceTokenizer) -> int:
    """Return how many characters stand in words that are too long for the vocabulary's search.

    WordPiece makes one unknown piece of such a word, whatever is in it.
    """
    if tokenizer.longest is None:
        return 0
    most, unknown = tokenizer.longest
    chars = words.ends - words.starts  # (words,)
    if not len(chars) or int(chars.max()) <= most:
        return 0
    word_of = np.repeat(np.arange(len(lengths)), lengths)  # (pieces,)
    has_unknown = np.bincount(word_of[ids == unknown], minlength=len(lengths)) > 0
    return int(chars[has_unknown & (chars > most)].sum())


def first_pieces(words: Words, ids: Ints, lengths: Ints, most: int) -> tuple[Ints, Ints, int]:
    """Cut words that have too many pieces.

    Args:
        words: with their places in the text.
        ids: (pieces,) of all words.
        lengths: (words,) pieces of each word.
        most: pieces that a word keeps.

    Returns:
        As `word_pieces`.
    """
    if not len(lengths) or int(lengths.max()) <= most:
        return ids, lengths, 0
    cut = int((words.ends - words.starts)[lengths > most].sum())
    step = np.arange(len(ids)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return ids[step < most], np.minimum(lengths, most), cut
