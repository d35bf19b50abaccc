"""A text tokenized in one go, its pieces given to its words; and the frame of two texts."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.tiny_tokenizers import LINES, TOKENIZERS
from tokenizers import Tokenizer

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.encoding.whole import read_whole, whole_pieces
from onepass.text.windows import Window
from onepass.text.words import split_words

TEXTS = [
    *LINES,
    "  two  spaces\tand\n\nlines  ",
    "don't e\u0301 \u0130stanbul \U0001f469\u200d\U0001f52c \u6771\u4eac \ufb01 a_b-c...",
    "",
    " ",
]
Pair = tuple[Tokenizer, PieceTokenizer]


@pytest.fixture(scope="module", params=TOKENIZERS)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Pair:
    raw = TOKENIZERS[request.param]()
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    raw.save(str(path))
    return raw, PieceTokenizer(Path(path))


def whole(raw: Tokenizer, text: str) -> list[int]:
    ids: list[int] = raw.encode(text, add_special_tokens=False).ids
    return ids


@pytest.mark.parametrize("text", TEXTS)
def test_pieces_are_those_of_the_whole_text(pair: Pair, text: str) -> None:
    raw, tokenizer = pair
    read = read_whole(text, tokenizer, max_word_pieces=1000)
    assert read.ids.tolist() == (whole(raw, text) if len(read.words) else [])
    assert read.lengths.sum() == len(read.ids)
    assert len(read.lengths) == len(read.words)
    assert read.cut.sum() == 0


def test_a_piece_belongs_to_the_word_that_it_ends_in(pair: Pair) -> None:
    raw, tokenizer = pair
    text = "Tim Cook, runs (Apple)"
    read = read_whole(text, tokenizer, max_word_pieces=1000)
    ends = [end for _, end in raw.encode(text, add_special_tokens=False).offsets]
    for number in range(len(read.words)):
        before = int(read.lengths[:number].sum())
        for end in ends[before : before + int(read.lengths[number])]:
            assert (read.words.ends[number - 1] if number else 0) < end
            assert end <= read.words.ends[number]


def test_windows_are_slices(pair: Pair) -> None:
    _, tokenizer = pair
    read = read_whole(LINES[1], tokenizer, max_word_pieces=1000)
    count = len(read.words)
    for cut in range(count + 1):
        first, second = read.window(Window(0, cut)), read.window(Window(cut, count))
        assert np.concatenate([first, second]).tolist() == read.ids.tolist()
        assert len(first) == read.lengths[:cut].sum()


class Watched(np.ndarray):
    """Lengths that are not to be added up."""

    def sum(self, *_: Any, **__: Any) -> Any:
        raise AssertionError("all words before a window were counted anew")


def test_a_window_costs_what_is_in_it(pair: Pair) -> None:
    _, tokenizer = pair
    read = read_whole("tim runs " * 50, tokenizer, max_word_pieces=9)
    read = replace(read, lengths=read.lengths.view(Watched))
    parts = [read.window(Window(start, start + 10)) for start in range(0, 100, 10)]
    assert np.concatenate(parts).tolist() == read.ids.tolist()


def test_special_tokens_in_a_text_are_text(pair: Pair) -> None:
    raw, tokenizer = pair
    text = "a [SEP] b </s> \ud800 c [MASK]d"
    read = read_whole(text, tokenizer, max_word_pieces=1000)
    special = {index for index, token in raw.get_added_tokens_decoder().items() if token.special}
    assert not special & set(read.ids.tolist()) - {raw.token_to_id("[UNK]")}
    # Every word has the pieces of its own characters, though spaces were put in.
    last = read.words.forms().index("d")
    assert read.window(Window(last, last + 1)).tolist()[-1:] == whole(raw, "c [ MASK]d")[-1:]


def test_long_words_are_cut(pair: Pair) -> None:
    _, tokenizer = pair
    text = f"tim {'qx' * 30} cook"
    read = read_whole(text, tokenizer, max_word_pieces=7)
    assert read.lengths.max() == 7
    assert read.cut.sum() == 60
    free = read_whole(text, tokenizer, max_word_pieces=1000)
    assert read.window(Window(2, 3)).tolist() == free.window(Window(2, 3)).tolist()


@pytest.mark.parametrize("before", ["query: ", "query:", "search red "])
def test_what_is_read_in_front(pair: Pair, before: str) -> None:
    raw, tokenizer = pair
    words = split_words("Tim Cook runs")
    text, head = whole_pieces(words, tokenizer, 1000, before=before)
    assert [*head, *text.ids] == whole(raw, before + words.text)
    assert len(text.lengths) == 3
    assert text.lengths.sum() == len(text.ids)
    text, head = whole_pieces(split_words(" "), tokenizer, 1000, before=before)
    assert len(text.ids) == len(text.lengths) == 0
    assert head.tolist() == whole(raw, before.rstrip())


@cache
def kept(kind: str) -> PieceTokenizer:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "tokenizer.json")
        TOKENIZERS[kind]().save(str(path))
        return PieceTokenizer(path)


@given(st.text(max_size=60))
def test_any_text(text: str) -> None:
    tokenizer = kept("byte pairs")
    read = read_whole(text, tokenizer, max_word_pieces=1000)
    assert len(read.lengths) == len(read.words)
    assert read.lengths.sum() == len(read.ids)
    assert (read.lengths >= 0).all()


def test_the_frame_of_two_texts(pair: Pair) -> None:
    raw, tokenizer = pair
    frame = tokenizer.pair_frame
    for first, second in (("Tim Cook", "runs Apple"), ("a", "it costs 9 !")):
        expected = raw.encode(first, second)
        one, two = whole(raw, first), whole(raw, second)
        assert [*frame.before, *one, *frame.between, *two, *frame.after] == expected.ids
        types = [0] * (len(frame.before) + len(one) + len(frame.between))
        types += [int(frame.typed)] * (len(two) + len(frame.after))
        assert types == expected.type_ids
