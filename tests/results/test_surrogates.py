"""Halves of a surrogate pair in texts and in names."""

from __future__ import annotations

import json

import pytest

from onepass.results.surrogates import escaped_surrogates, has_surrogate, without_surrogates


@pytest.mark.parametrize("text", ["", "Ann", "Bø 😀 \ud7ff\ue000\ufffd"])
def test_whole_texts_stay_as_they_are(text: str) -> None:
    assert not has_surrogate(text)
    assert without_surrogates(text) == escaped_surrogates(text) == text


@pytest.mark.parametrize("code", [0xD800, 0xDBFF, 0xDC00, 0xDFFF])
def test_halves_are_replaced_one_for_one_or_escaped(code: int) -> None:
    text = f"a{chr(code)}é"
    assert has_surrogate(text)
    assert without_surrogates(text) == "a\ufffdé"
    escaped = escaped_surrogates(text)
    escaped.encode("utf-8")
    assert json.loads(f'"{escaped}"') == text
