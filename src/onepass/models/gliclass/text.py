"""A text in words and pieces, as GLiClass reads it: tokenized whole, and cut into windows by words.

Where a text follows a marker, some tokenizers begin it with other pieces than at the start of a
sequence; and where it follows a prompt without a marker, its first piece may reach into the prompt.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.words import TextPieces, owned_pieces
from onepass.models.gliclass.config import SEP
from onepass.text.windows import Window
from onepass.text.words import Splitter, Words, split_words


@dataclass(frozen=True, slots=True, eq=False)
class TwoReadings:
    """A text in words and pieces, which may be others in the two places where it can stand.

    Attributes:
        at_start: its pieces at the start of a sequence.
        behind: its pieces behind a marker.
        lengths: (words,) pieces of each word, in the place where it has more.
        tokenizer: that made them.
    """

    at_start: TextPieces
    behind: TextPieces
    lengths: Int64s
    tokenizer: PieceTokenizer

    @property
    def words(self) -> Words:
        """The text's own words."""
        return self.at_start.words

    @property
    def cut(self) -> Int64s:
        """(words,) characters of each word that count as not read."""
        return self.at_start.cut

    def window(self, window: Window, *, behind_marker: bool) -> Int64s:
        """Return the (pieces,) ids of a window.

        Args:
            window: of words.
            behind_marker: whether a marker stands in front of it.
        """
        return (self.behind if behind_marker else self.at_start).window(window)

    def joined(
        self, window: Window, before: str, behind: str, *, behind_marker: bool, most: int
    ) -> Int64s:
        """Return the pieces of a window with texts right beside it, no marker between them.

        All is tokenized at once, as one text, if that gives no more pieces than there may be; it
        may give more than the parts do, and a word that was cut is whole in it.

        Args:
            window: of words.
            before: what stands in front of the window.
            behind: what stands behind it.
            behind_marker: whether a marker stands in front of all of it.
            most: pieces that there may be.
        """
        words, text = self.words, self.words.text
        if len(words):
            start = int(words.starts[window.start]) if window.start else 0
            end = len(text) if window.end == len(words) else int(words.ends[window.end - 1])
            text = text[start:end]
        marker = SEP if behind_marker else ""
        whole, _ = self.tokenizer.located(f"{before}{text}{behind}", marker=marker)
        if len(whole) <= most:
            return whole
        first = behind_marker and not before  # whether the window stands right behind the marker
        parts = [
            plain_pieces(before, self.tokenizer, behind_marker=behind_marker),
            self.window(window, behind_marker=first),
            plain_pieces(behind, self.tokenizer, behind_marker=False),
        ]
        return np.concatenate(parts)


def plain_pieces(text: str, tokenizer: PieceTokenizer, *, behind_marker: bool) -> Int64s:
    """Return the (pieces,) ids of a text without markers, behind one or at the start."""
    marker = SEP if behind_marker else ""
    own = tokenizer.pieces([marker + text])[0]
    return np.array(own[1 if behind_marker else 0 :], dtype=np.int64)


def read_text(
    text: str,
    tokenizer: PieceTokenizer,
    *,
    max_word_pieces: int,
    splitter: Splitter | None = None,
) -> TwoReadings:
    """Split a text and tokenize it in one go.

    Args:
        text: any string.
        tokenizer: of the checkpoint.
        max_word_pieces: a longer word keeps only its first pieces.
        splitter: that the checkpoint names; None for the words of the family.

    >>> from onepass.builtin import builtin_checkpoint
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> text = read_text("Tim incomprehensibly won", tokenizer, max_word_pieces=100)
    >>> text.lengths.tolist(), len(text.window(Window(0, 2), behind_marker=False))
    ([1, 6, 1], 7)
    """
    words = split_words(text, splitter=splitter)
    at_start = behind = _pieces(words, tokenizer, "", max_word_pieces)
    if _differs_behind_marker(tokenizer):
        behind = _pieces(words, tokenizer, SEP, max_word_pieces)
    lengths = np.maximum(at_start.lengths, behind.lengths)
    return TwoReadings(at_start, behind, lengths, tokenizer)


def _differs_behind_marker(tokenizer: PieceTokenizer) -> bool:
    """Say whether a text has other pieces behind a marker than at the start of a sequence.

    Only what puts a space in front of the first word knows the difference, so one letter tells.
    """
    if not tokenizer.knows(SEP):
        return False
    behind, at_start = tokenizer.pieces([f"{SEP}a", "a"])
    return behind[1:] != at_start


def _pieces(words: Words, tokenizer: PieceTokenizer, marker: str, most: int) -> TextPieces:
    """Return a text as it is read behind a marker; of white space alone nothing is."""
    return owned_pieces(words, tokenizer.located(words.text, marker=marker), tokenizer, most)
