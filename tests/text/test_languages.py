"""The language of a text is the same at any time, whatever else of the process uses langdetect."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from tests.any_text import texts

langdetect = pytest.importorskip("langdetect")

from onepass.text.languages import language_finder  # noqa: E402

TEXTS = {
    "The dog runs through the wood and barks": "en",
    "Der Hund läuft durch den Wald und bellt": "de",
    "東京に行きました": "ja",
    "서울에서 왔다": "ko",
    "12345 ... !": None,
    "": None,
}
SHORT = ["Ann", "Tim Cook", "ok now", "la vie", "Paris Rome", "de la", "no", "a b c"] * 3


def test_languages() -> None:
    find = language_finder(42)
    assert {text: find(text) for text in TEXTS} == TEXTS


@pytest.mark.parametrize("seed", [0, 42])
def test_they_are_those_of_langdetect_with_that_seed(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(langdetect.DetectorFactory, "seed", seed)
    find = language_finder(seed)
    given_texts = [*SHORT, *(text for text, code in TEXTS.items() if code)]
    expected = [langdetect.detect(text) for text in given_texts]
    monkeypatch.setattr(langdetect.DetectorFactory, "seed", 7)
    assert [find(text) for text in given_texts] == expected


def test_they_are_the_same_in_threads_and_whatever_is_drawn_elsewhere() -> None:
    find = language_finder(0)
    alone = [find(text) for text in SHORT]
    random.seed(3)
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(find, SHORT)) == alone
    assert langdetect.DetectorFactory.seed is None  # what others see of the library is as it was


@given(texts)
@settings(deadline=None, max_examples=50)
def test_any_text_has_one_or_none(text: str) -> None:
    code = language_finder(0)(text)
    assert code is None or code.islower()
