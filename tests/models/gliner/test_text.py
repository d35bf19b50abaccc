"""A text as the family reads it: words as they stand, without those that cannot be seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.tiny import tiny_tokenizer

from onepass.encoding.tokenizer import PieceTokenizer
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.prompt import Writer
from onepass.models.gliner.text import read_text


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PieceTokenizer:
    path: Path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny_tokenizer().save(str(path))
    return PieceTokenizer(path)


def test_words_without_pieces_are_no_words(tokenizer: PieceTokenizer) -> None:
    text = read_text("\ufeffTim \u200b Cook\u200b", tokenizer, max_word_pieces=50)
    assert text.words.forms() == ["Tim", "Cook"]
    assert text.words.starts.tolist() == [1, 7]
    assert (text.lengths.tolist(), text.cut.tolist(), len(text.ids)) == ([1, 1], [0, 0], 2)


def test_an_instruction_has_no_such_words_either(tokenizer: PieceTokenizer) -> None:
    writer = Writer(tokenizer, GlinerConfig.from_dict({}), 100)
    said = "\u200bred\u200b, \u200b blue"
    told = writer.instruct(said, [(0, 5), (7, len(said))])
    plain = writer.instruct("red, blue", [(0, 3), (5, 9)])
    assert told.ids.tolist() == plain.ids.tolist()
    assert told.lengths.tolist() == plain.lengths.tolist()
    assert told.places.tolist() == plain.places.tolist() == [[0, 0], [2, 2]]
