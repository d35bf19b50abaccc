"""How many characters of each word are read, in every shape of a long word."""

from __future__ import annotations

import pytest

from onepass.builtin import builtin_checkpoint
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.whole import read_whole
from onepass.encoding.words import word_pieces
from onepass.text.words import split_words

TOKENIZER = PieceTokenizer(builtin_checkpoint().directory / "tokenizer.json")
QUERY = "&".join(f"utm_{i}=a{i}b{i * 7}" for i in range(60))
LINK = f"https://shop.example.com/r?{QUERY}&token={'aZ9' * 50}"
CHINESE = "我在上海见了李明" * 15  # each character is a piece, some of them unknown


@pytest.mark.parametrize(
    ("word", "most", "unread"),
    [
        pytest.param("short", 9, 0, id="short"),
        pytest.param("a" * 101, 500, 101, id="given up"),
        pytest.param("a" * 100, 500, 0, id="just short enough"),
        pytest.param(LINK, 2000, 150, id="a part is given up"),
        pytest.param(LINK, 20, len(LINK), id="cut and given up: counted once"),
        pytest.param(CHINESE, 500, 0, id="unknown pieces of one character"),
        pytest.param("🍎" + "ab-" * 50, 500, 0, id="an unknown sign in a long word"),
    ],
)
def test_what_counts_as_not_read(word: str, most: int, unread: int) -> None:
    text = f"Tim {word} left"
    words = split_words(text)
    at = [int(own) for own in words.starts].index(4)

    one_by_one = word_pieces(words, words.forms(), TOKENIZER, most).cut
    whole = read_whole(text, TOKENIZER, max_word_pieces=most).cut

    for cut in (one_by_one, whole):
        assert len(cut) == len(words)
        assert int(cut[at : len(words) - 1].sum()) == unread
        assert (cut[0], cut[-1]) == (0, 0)


def test_words_without_pieces_are_left_out() -> None:
    long = "a" * 101
    words = split_words(f"\ufeffTim \u200b {long}\u200b left")
    read = word_pieces(words, words.forms(), TOKENIZER, 9)
    assert read.words.forms() == ["Tim", long, "left"]
    assert read.words.text == words.text
    assert (len(read.ids), read.lengths.min()) == (read.lengths.sum(), 1)
    assert read.cut.tolist() == [0, 101, 0]
