"""A text that comes in pieces gives, after each of them, what it gives as a whole."""

from __future__ import annotations

from onepass import Extractor
from tests.contract.checkpoints import assert_same, everything

# The pieces end between words, inside words, numbers, addresses and white space.
PIECES = [
    "", "Tim Co", "ok runs Apple ", "in Paris", "\n", "and Rome; the price of 9", "9 red things is",
    " not bad. Write to tim@apple", ".com, he said", ". Great", "!",
]  # fmt: skip


def test_every_piece_gives_what_the_text_so_far_gives(reader: Extractor) -> None:
    schema = everything(reader)
    session = reader.session(schema)
    text = ""
    for piece in PIECES:
        text += piece
        doc = session.add(piece)
        assert (session.text, doc.text) == (text, text)
        assert_same(doc, reader.extract(text, schema))


def test_a_text_of_several_windows(reader: Extractor) -> None:
    """Long pieces, since those of a family may hold hundreds of words in a window."""
    schema = everything(reader)
    session = reader.session(schema)
    text = ""
    for number in range(4):
        piece = f"Tim works for Apple in Rome, a price of {number} red things. " * (40 + number)
        text += piece
        doc = session.add(piece)
    whole = reader.extract(text, schema)
    assert doc.coverage.windows > 1
    assert_same(doc, whole)
