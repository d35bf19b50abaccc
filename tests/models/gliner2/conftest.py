"""A small tokenizer with the markers of the family."""

from __future__ import annotations

import pytest
from tests.tiny import tiny_tokenizer

from onepass.encoding.tokenizer import PieceTokenizer


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> PieceTokenizer:
    path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
    tiny_tokenizer().save(str(path))
    return PieceTokenizer(path)
