"""The words of a text as pieces, where no word takes more than it may."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.text.windows import Window
from onepass.text.words import Words


@dataclass(frozen=True, slots=True, eq=False)
class TextPieces:
    """A text in words and pieces.

    Attributes:
        words: the text's own words that are read.
        ids: (pieces,).
        lengths: (words,) pieces of each word.
        cut: (words,) characters of each word that count as not read.
        bounds: (words + 1,) where each word's pieces begin, and where the last one's end.

    >>> words = Words("Tim won", np.array([0, 4]), np.array([3, 7]))
    >>> pieces = TextPieces(words, np.array([7, 8, 9]), np.array([1, 2]), np.array([0, 0]))
    >>> pieces.window(Window(1, 2))
    array([8, 9])
    """

    words: Words
    ids: Int64s
    lengths: Int64s
    cut: Int64s
    bounds: Int64s = field(init=False)

    def __post_init__(self) -> None:
        bounds = np.concatenate([[0], np.cumsum(self.lengths)])  # once, not anew for each window
        object.__setattr__(self, "bounds", bounds)

    def window(self, window: Window) -> Int64s:
        """Return the (pieces,) ids of a window."""
        return self.ids[self.bounds[window.start] : self.bounds[window.end]]


def word_pieces(
    words: Words, forms: Sequence[str], tokenizer: PieceTokenizer, most: int
) -> TextPieces:
    """Tokenize words one by one, and leave out those in which the tokenizer finds nothing to read.

    A network would be asked about an invisible word (a zero-width space, say) as about any other,
    and has seen nothing of it.

    Args:
        words: with their places in the text.
        forms: what is tokenized of each word.
        tokenizer: of the checkpoint.
        most: pieces of a word; a longer one (a base64 block, say) keeps its first ones.

    Returns:
        The words that have pieces. What counts as not read is all of a word that is cut, and parts
        that the tokenizer gives up on.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.text.words import split_words
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> words = split_words("Tim incomprehensibilities")
    >>> pieces = word_pieces(words, words.forms(), tokenizer, 3)
    >>> pieces.lengths, pieces.cut
    (array([1, 3]), array([ 0, 21]))
    """
    ids, lengths = tokenizer.flat(forms)
    given_up = _given_up(words, forms, (ids, lengths), tokenizer)
    every = _first_pieces(TextPieces(words, ids, lengths, given_up), most)
    read = every.lengths > 0
    return TextPieces(words.only(read), every.ids, every.lengths[read], every.cut[read])


def _given_up(
    words: Words, forms: Sequence[str], pieces: tuple[Int64s, Int64s], tokenizer: PieceTokenizer
) -> Int64s:
    """Return how many characters of each word are too many for the vocabulary's search."""
    given_up = np.zeros(len(words), dtype=np.int64)
    if tokenizer.longest is None:
        return given_up
    most, unknown = tokenizer.longest
    long = words.ends - words.starts > most  # (words,)
    if not long.any():
        return given_up
    ids, lengths = pieces
    word_of = np.repeat(np.arange(len(lengths)), lengths)  # (pieces,)
    has_unknown = np.bincount(word_of[ids == unknown], minlength=len(long)) > 0
    for word in np.flatnonzero(long & has_unknown).tolist():
        own, ends = tokenizer.located(forms[word])
        given_up[word] = unread(own, np.diff(ends, prepend=0), tokenizer).sum()
    return given_up


def unread(ids: Int64s, chars: Int64s, tokenizer: PieceTokenizer) -> Int64s:
    """Return how many characters of each piece are not read, though they are in it.

    WordPiece makes one unknown piece of what is too long for its search, whatever is in it.

    Args:
        ids: (pieces,).
        chars: (pieces,) characters that each piece stands for.
        tokenizer: that made them.
    """
    if tokenizer.longest is None:
        return np.zeros_like(chars)
    most, unknown = tokenizer.longest
    return np.where((ids == unknown) & (chars > most), chars, 0)


def _first_pieces(text: TextPieces, most: int) -> TextPieces:
    """Return a text whose words keep no more pieces than they may; all of a cut one is not read."""
    words, lengths = text.words, text.lengths
    long = lengths > most  # (words,)
    if not long.any():
        return text
    step = np.arange(len(text.ids)) - np.repeat(text.bounds[:-1], lengths)  # (pieces,)
    cut = np.maximum(text.cut, np.where(long, words.ends - words.starts, 0))
    return TextPieces(words, text.ids[step < most], np.minimum(lengths, most), cut)


def owned_pieces(
    words: Words, pieces: tuple[Int64s, Int64s], tokenizer: PieceTokenizer, most: int
) -> TextPieces:
    """Give the pieces of a text that was tokenized whole to its words, which are cut likewise.

    Args:
        words: of the text; without any there are no pieces.
        pieces: (pieces,) ids, and (pieces,) one past the last character of each.
        tokenizer: that made them.
        most: pieces that a word keeps.

    Returns:
        As `word_pieces`, but for the words: all of them stay. A piece belongs to the word that it
        ends in, white space to the word behind it, at the end of the text to the last word.
    """
    ids, ends = pieces
    if not len(words):
        none = np.zeros(0, dtype=np.int64)
        return TextPieces(words, none, none, none)
    owners = np.minimum(np.searchsorted(words.ends, ends, side="left"), len(words) - 1)
    lengths = np.bincount(owners, minlength=len(words)).astype(np.int64)
    # White space in front of a word is in its first piece.
    chars = np.minimum(np.diff(ends, prepend=0), (words.ends - words.starts)[owners])
    given_up = np.bincount(owners, unread(ids, chars, tokenizer), minlength=len(words))
    every = TextPieces(words, ids, lengths, given_up.astype(np.int64))
    return _first_pieces(every, most)
