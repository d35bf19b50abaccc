"""A text as GLiNER2 reads it: lower-cased words, and a full stop where there is none at the end.

The full stop is part of what the checkpoints were trained on. It stands behind the text's own
words and is never an answer; offsets always index the text as given.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from onepass.arrays import Int64s
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.words import TextPieces, word_pieces
from onepass.models.gliner2.encode import Reading
from onepass.models.gliner2.prompt import Prompt
from onepass.text.shapes import SIGN, word_shapes
from onepass.text.windows import Window
from onepass.text.words import Splitter, split_words

STOPS = (".", "!", "?")


@dataclass(frozen=True, slots=True, eq=False)
class Text(TextPieces):
    """A text in words and pieces, without words in which the tokenizer finds nothing to read.

    Attributes:
        stops: (pieces,) ids of each of `STOPS`; the first may be added.
        shapes: (words,) of the text's own words.
    """

    stops: tuple[Int64s, ...]
    shapes: Int64s


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

    >>> from onepass.builtin import builtin_checkpoint
    >>> tokenizer = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
    >>> text = read_text("Tim Cook", tokenizer, max_word_pieces=100)
    >>> text.words.forms(), text.lengths.tolist()
    (['Tim', 'Cook'], [1, 1])
    """
    words = split_words(text, splitter=splitter)
    forms = tokenizer.plain_parts(text.lower(), [form.lower() for form in words.forms()])
    own = word_pieces(words, forms, tokenizer, max_word_pieces)
    stops = tuple(np.array(ids, dtype=np.int64) for ids in tokenizer.pieces(STOPS))
    return Text(own.words, own.ids, own.lengths, own.cut, stops, word_shapes(own.words))


def read_window(prompt: Prompt, text: Text, window: Window) -> Reading:
    """Return one window under one prompt."""
    ids = text.window(window)
    lengths = text.lengths[window.start : window.end]
    shapes = text.shapes[window.start : window.end]
    added = int(not _stops(text, window))
    if added:
        ids = np.concatenate([ids, text.stops[0]])
        lengths = np.append(lengths, len(text.stops[0]))
        shapes = np.append(shapes, SIGN)
    return Reading(prompt, ids, lengths, text.words, window.start, shapes, added)


def _stops(text: Text, window: Window) -> bool:
    """Return whether the window's text ends like a sentence."""
    words, last = text.words, window.end - 1
    if last < 0:
        return False
    start, end = int(words.starts[last]), int(words.ends[last])
    # White space behind the last word counts, as in the reference; what is not read does not.
    behind = words.text[end:] if window.end == len(words) else ""
    if any(map(str.isspace, behind)):
        return False
    if words.text[:end].endswith(STOPS):
        return True
    sign = words.text[start]  # with marks behind it, which the tokenizer reads or drops
    own = text.ids[text.bounds[last] : text.bounds[last + 1]]
    return sign in STOPS and np.array_equal(own, text.stops[STOPS.index(sign)])
