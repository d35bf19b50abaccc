"""Batches say where every word and every marker stands, whatever else is in them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass import Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.encode import Reading, collate, marker_places
from onepass.models.gliner2.prompt import Prompt, all_groups, encode_prompt
from onepass.models.gliner2.text import read_text, read_window
from onepass.text.windows import Window

SCHEMAS = (
    Schema().entities(["person", "place of x"]),
    Schema().structure("product", ["color::[red|not blue]", "name"]).relations(["in"]),
    Schema().classification("tone", ["calm", "angry", "z"]),
)
POOLINGS = ("first", "mean")


@pytest.fixture(scope="module")
def prompts(tokenizer: PieceTokenizer) -> list[Prompt]:
    return [encode_prompt(schema, all_groups(schema), tokenizer) for schema in SCHEMAS]


def reading(tokenizer: PieceTokenizer, prompt: Prompt, text: str) -> Reading:
    read = read_text(text, tokenizer, max_word_pieces=20)
    return read_window(prompt, read, Window(0, len(read.words)))


asked = st.lists(
    st.tuples(st.integers(0, len(SCHEMAS) - 1), st.text("a \u200bxq.", max_size=30)),
    min_size=1,
    max_size=4,
)


@given(asked, st.sampled_from(POOLINGS))
@settings(max_examples=60)
def test_places_point_at_pieces(
    tokenizer: PieceTokenizer, prompts: list[Prompt], asked: list[tuple[int, str]], pooling: str
) -> None:
    readings = [reading(tokenizer, prompts[number], text) for number, text in asked]
    batch = collate(readings, pooling=pooling)
    assert batch.ids.shape == batch.mask.shape == (len(readings), max(r.pieces for r in readings))
    assert batch.mask.sum(1).tolist() == [r.pieces for r in readings]
    for row, one in enumerate(readings):
        pieces = one.pieces
        assert batch.ids[row, :pieces].tolist() == [*one.prompt.ids, *one.ids]
        assert batch.mask[row, :pieces].all()
        assert not batch.ids[row, pieces:].any()
        assert batch.word_counts[row] == one.words
        markers = marker_places(one.prompt)
        assert batch.markers[row, : len(markers)].tolist() == markers.tolist()
        lengths = [*one.prompt.prefix_lengths, *one.lengths]
        firsts = [
            *one.prompt.prefix_places,
            *(len(one.prompt.ids) + np.cumsum(one.lengths) - one.lengths),
        ]
        for word, (first, length) in enumerate(zip(firsts, lengths, strict=True)):
            places = batch.words[row, word]
            assert length
            if pooling == "first":
                assert places.tolist() == [first]
            else:
                assert places[places >= 0].tolist() == list(range(first, first + length))


@given(asked, st.sampled_from(POOLINGS))
@settings(max_examples=30)
def test_every_place_is_inside(
    tokenizer: PieceTokenizer, prompts: list[Prompt], asked: list[tuple[int, str]], pooling: str
) -> None:
    batch = collate([reading(tokenizer, prompts[n], text) for n, text in asked], pooling=pooling)
    assert batch.words.dtype == batch.markers.dtype == batch.ids.dtype == np.int64
    assert batch.words[:, :, 0].min() >= 0  # padding has a place, too: the network reads it
    assert batch.words.max() < batch.ids.shape[1]
    assert 0 <= batch.markers.min() <= batch.markers.max() < batch.ids.shape[1]


def test_a_word_of_the_prompt_without_pieces_stands_at_the_next_piece(
    tokenizer: PieceTokenizer,
) -> None:
    schema = Schema().structure("product", [{"name": "\u200b", "choices": ["red", "blue"]}])
    prompt = encode_prompt(schema, all_groups(schema), tokenizer)
    [word] = np.flatnonzero(prompt.prefix_lengths == 0).tolist()
    places = collate([reading(tokenizer, prompt, "a")]).words[0, :, 0].tolist()
    assert places[word] == places[word + 1]


def test_markers_are_parents_with_their_items(tokenizer: PieceTokenizer) -> None:
    schema = Schema().entities(["person", "place"]).relations(["in"])
    prompt = encode_prompt(schema, all_groups(schema), tokenizer)
    ids = prompt.ids[marker_places(prompt)].tolist()
    tokens = ["[P]", "[E]", "[E]", "[P]", "[R]", "[R]"]
    assert ids == [tokenizer.id_of(token) for token in tokens]


def test_pooling_by_first_piece_lists_one_place(
    tokenizer: PieceTokenizer, prompts: list[Prompt]
) -> None:
    one = reading(tokenizer, prompts[0], "xqxqxq tim")
    assert collate([one]).words.shape[2] == 1
    assert collate([one], pooling="mean").words.shape[2] == 6


@pytest.mark.parametrize("pooling", POOLINGS)
def test_words_that_nothing_is_asked_of(
    tokenizer: PieceTokenizer, prompts: list[Prompt], pooling: str
) -> None:
    readings = [reading(tokenizer, prompts[2], text) for text in ("a x q a x", "")]
    every, none = (collate(readings, pooling=pooling, words=words) for words in (True, False))
    assert none.words.shape[:2] == (2, 1)
    for name in ("ids", "mask", "markers", "word_counts"):
        np.testing.assert_array_equal(getattr(none, name), getattr(every, name))
