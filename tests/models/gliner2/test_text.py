"""A text as the family reads it: lower case, a full stop at its end, places as in the original."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.tiny_tokenizers import TOKENIZERS

from onepass import Schema
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner2.prompt import Prompt, all_groups, encode_prompt
from onepass.models.gliner2.text import read_text, read_window
from onepass.text.windows import Window


@pytest.fixture(scope="module")
def prompt(tokenizer: PieceTokenizer) -> Prompt:
    schema = Schema().entities(["person"]).structure("product", ["color::[red|blue]"])
    return encode_prompt(schema, all_groups(schema), tokenizer)


def ids_of(tokenizer: PieceTokenizer, *elements: str) -> list[int]:
    ids: list[int] = tokenizer.flat(elements)[0].tolist()
    return ids


def test_words_are_lower_case_and_places_are_not_moved(tokenizer: PieceTokenizer) -> None:
    text = read_text("TIM runs \u0130x", tokenizer, max_word_pieces=50)
    assert text.words.forms() == ["TIM", "runs", "\u0130x"]
    assert text.ids.tolist() == ids_of(tokenizer, "tim", "runs", "\u0130x".lower())
    assert text.lengths.tolist() == [len(ids_of(tokenizer, f)) for f in ("tim", "runs", "i\u0307x")]


@pytest.mark.parametrize(
    ("text", "added"),
    [
        ("", True),
        ("  ", True),
        ("Tim", True),
        ("Tim.", False),
        ("Tim!", False),
        ("Tim?", False),
        ("Tim. ", True),  # as in the reference: white space behind the last word counts
        ("Tim\u3002", True),
        (".", False),
        ("Tim.\u200b", False),  # nobody reads what stands behind the full stop
        ("Tim.\u200b\ufeff", False),
        ("Tim. \u200b", True),
        ("Tim.\u200b ", True),
        ("Tim\u200b", True),
        ("\u200b", True),
    ],
)
def test_a_full_stop_is_added_where_there_is_none(
    tokenizer: PieceTokenizer, prompt: Prompt, text: str, added: bool
) -> None:
    read = read_text(text, tokenizer, max_word_pieces=50)
    reading = read_window(prompt, read, Window(0, len(read.words)))
    assert len(reading.lengths) == len(read.words) + added
    stop = ids_of(tokenizer, ".")
    assert reading.ids.tolist() == read.ids.tolist() + stop * added
    assert reading.pieces == prompt.pieces + len(reading.ids)
    assert reading.words == prompt.prefix_words + len(reading.lengths)


@pytest.mark.parametrize("sign", [".", "!", "?"])
@pytest.mark.parametrize("mark", ["\u200d", "\ufe0f", "\u0301"])
def test_marks_on_the_last_sign_count_if_they_are_read(
    tokenizer: PieceTokenizer, prompt: Prompt, tmp_path: Path, sign: str, mark: str
) -> None:
    TOKENIZERS["byte pairs"]().save(str(tmp_path / "tokenizer.json"))
    bytewise = PieceTokenizer(tmp_path / "tokenizer.json")
    for own, is_read in ((tokenizer, False), (bytewise, True)):
        read = read_text(f"Tim{sign}{mark}", own, max_word_pieces=50)
        assert read.words.forms() == ["Tim", f"{sign}{mark}"]
        assert len(read_window(prompt, read, Window(0, 2)).lengths) == 2 + is_read


def test_a_window_ends_like_a_text(tokenizer: PieceTokenizer, prompt: Prompt) -> None:
    text = read_text("Tim runs. Cook runs", tokenizer, max_word_pieces=50)
    assert text.words.forms() == ["Tim", "runs", ".", "Cook", "runs"]
    windows = {
        (0, 3): ["tim", "runs", "."],
        (0, 2): ["tim", "runs", "."],
        (2, 4): [".", "cook", "."],
        (3, 5): ["cook", "runs", "."],
        (4, 4): ["."],
        (0, 0): ["."],
    }
    for (start, end), elements in windows.items():
        reading = read_window(prompt, text, Window(start, end))
        assert reading.ids.tolist() == ids_of(tokenizer, *elements)
        assert reading.lengths.sum() == len(reading.ids)


def test_words_without_pieces_are_no_words(tokenizer: PieceTokenizer, prompt: Prompt) -> None:
    text = read_text("\ufeffTim \u200b\x00 Cook\u200b", tokenizer, max_word_pieces=50)
    assert text.words.forms() == ["Tim", "Cook"]
    assert text.words.starts.tolist() == [1, 8]
    assert (text.lengths.tolist(), text.cut.tolist()) == ([1, 1], [0, 0])
    seen = read_text("Tim Cook", tokenizer, max_word_pieces=50)
    assert text.ids.tolist() == seen.ids.tolist()
    window = read_window(prompt, text, Window(1, 2))
    assert window.ids.tolist() == ids_of(tokenizer, "cook", ".")


@pytest.mark.parametrize("text", ["\u200b", "\ufeff \u2060"])
def test_a_text_of_nothing_to_read_is_an_empty_one(
    tokenizer: PieceTokenizer, prompt: Prompt, text: str
) -> None:
    read = read_text(text, tokenizer, max_word_pieces=50)
    assert (len(read.words), len(read.shapes)) == (0, 0)
    window = read_window(prompt, read, Window(0, 0))
    assert window.ids.tolist() == ids_of(tokenizer, ".")


@pytest.mark.parametrize("most", [1, 3, 7])
def test_a_long_word_keeps_its_first_pieces(tokenizer: PieceTokenizer, most: int) -> None:
    words = ["tim", "xxxxxxxx", "", "cook", "zzzzz"]
    whole = read_text(" ".join(words), tokenizer, max_word_pieces=50)
    cut = read_text(" ".join(words), tokenizer, max_word_pieces=most)
    assert whole.lengths.tolist() == [1, 8, 1, 5]
    assert cut.lengths.tolist() == np.minimum(whole.lengths, most).tolist()
    ends = np.cumsum(whole.lengths)
    kept = [
        whole.ids[end - length : end][:most]
        for end, length in zip(ends, whole.lengths, strict=True)
    ]
    assert cut.ids.tolist() == np.concatenate(kept).tolist()
    assert cut.words.ends.tolist() == whole.words.ends.tolist()
    assert whole.cut.sum() == 0
    lengths = whole.lengths.tolist()
    assert cut.cut.sum() == sum(
        len(form)
        for form, length in zip(whole.words.forms(), lengths, strict=True)
        if length > most
    )


def test_markers_in_a_text_are_text(tokenizer: PieceTokenizer) -> None:
    text = read_text("http://[CLS][SEP_TEXT] [E]", tokenizer, max_word_pieces=500)
    markers = {tokenizer.id_of(token) for token in ("[CLS]", "[SEP_TEXT]", "[E]", "[SEP]")}
    assert not markers & set(text.ids.tolist())
