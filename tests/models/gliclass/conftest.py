"""Tokenizers that are made once a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from tests.models.gliclass.made import MARKERS, Pair, tokenizer
from transformers import PreTrainedTokenizerFast

from onepass.encoding.tokenizer import PieceTokenizer


@pytest.fixture(scope="session")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Pair]:
    @cache
    def make(kind: str, markers: tuple[str, ...] = MARKERS) -> Pair:
        path = tmp_path_factory.mktemp("tokenizer") / "tokenizer.json"
        made = tokenizer(kind, markers)
        made.save(str(path))
        return Pair(PreTrainedTokenizerFast(tokenizer_object=made), PieceTokenizer(path))

    return make
