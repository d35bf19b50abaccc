"""Texts in words and pieces: tokenized whole, and sliced into windows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.models.gliclass.made import KINDS, MARKERS, Pair

from onepass.models.gliclass.config import SEP
from onepass.models.gliclass.text import plain_pieces, read_text
from onepass.text.windows import Window

Pairs = Callable[..., Pair]
MANY = 10_000
TEXTS = (
    "Tim Cook runs Apple in Paris.",
    "  two  spaces\tand\n\nlines  ",
    "don't e\u0301 \u0130stanbul \U0001f469\u200d\U0001f52c \u6771\u4eac \ufb01 a_b-c...",
    "a <<SEP>> b [SEP] </s> c",
)


@pytest.mark.parametrize("kind", KINDS)
def test_pieces_are_those_of_the_whole_text(pairs: Pairs, kind: str) -> None:
    pair = pairs(kind)
    for text in TEXTS:
        read = read_text(text, pair.ours, max_word_pieces=MANY)
        whole = Window(0, len(read.words))
        for marker in (False, True):
            plain = (SEP if marker else "") + pair.ours.plain(text)
            expected = pair.theirs(plain, add_special_tokens=False)["input_ids"]
            found = read.window(whole, behind_marker=marker).tolist()
            assert found == expected[1 if marker else 0 :]
            assert found == plain_pieces(
                pair.ours.plain(text), pair.ours, behind_marker=marker
            ).tolist()  # fmt: skip
        assert (len(read.lengths), read.cut.sum()) == (len(read.words), 0)


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(max_size=40), cut=st.integers(0, 40))
def test_windows_lose_and_repeat_nothing(pairs: Pairs, kind: str, text: str, cut: int) -> None:
    read = read_text(text, pairs(kind).ours, max_word_pieces=MANY)
    count = len(read.words)
    cut = min(cut, count)
    for marker in (False, True):
        parts = [
            read.window(Window(*ends), behind_marker=marker) for ends in ((0, cut), (cut, count))
        ]
        whole = read.window(Window(0, count), behind_marker=marker)
        assert np.concatenate(parts).tolist() == whole.tolist()
        assert len(parts[0]) <= read.lengths[:cut].sum()
        assert len(parts[1]) <= read.lengths[cut:].sum()


def test_one_kind_begins_with_other_pieces_behind_a_marker(pairs: Pairs) -> None:
    text = "tim runs"
    for kind in KINDS:
        read = read_text(text, pairs(kind).ours, max_word_pieces=MANY)
        first, second = (read.window(Window(0, 1), behind_marker=m).tolist() for m in (True, False))
        assert (first == second) == (kind != "unigram, first")
        first, second = (read.window(Window(1, 2), behind_marker=m).tolist() for m in (True, False))
        assert first == second


def test_long_words_are_cut(pairs: Pairs) -> None:
    read = read_text("x1x1x1x1 a", pairs("byte pairs").ours, max_word_pieces=3)
    assert read.lengths.tolist() == [3, 1]
    assert read.cut.sum() == 8


@pytest.mark.parametrize("text", ["", " ", "\n\t "])
def test_white_space_is_nothing(pairs: Pairs, text: str) -> None:
    read = read_text(text, pairs("byte pairs").ours, max_word_pieces=3)
    assert len(read.words) == len(read.lengths) == read.cut.sum() == 0
    assert read.window(Window(0, 0), behind_marker=True).tolist() == []


def test_without_markers_there_is_one_place(pairs: Pairs) -> None:
    read = read_text("tim runs", pairs("unigram, first", MARKERS[:1]).ours, max_word_pieces=MANY)
    assert read.behind is read.at_start


def test_texts_beside_a_window(pairs: Pairs) -> None:
    pair = pairs("byte pairs")
    read = read_text("tim runs paris ", pair.ours, max_word_pieces=MANY)

    def beside(window: Window, most: int = 100) -> list[int]:
        return read.joined(window, "is", "it?", behind_marker=True, most=most).tolist()

    def expected(*texts: str) -> list[int]:
        return [id_ for text in texts for id_ in pair.ours.pieces([text])[0]]

    assert beside(Window(0, 3)) == expected("istim runs paris it?")
    assert beside(Window(1, 2)) == expected("isrunsit?")
    assert beside(Window(0, 2)) == expected("istim runsit?")
    assert beside(Window(1, 2), most=1) == expected("is", " runs", "it?")  # apart
