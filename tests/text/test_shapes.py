"""Shapes of words, against what Python says of each word by itself."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.text.shapes import GAPS, KINDS, SHAPES, SIGN, word_shapes
from onepass.text.words import split_words

texts = st.text(st.sampled_from("aBßІж中٣9$.-_ \t\n\r\u2028\u0301\ud800😀𝐀ǅª"), max_size=25)


def kind(word: str) -> str:
    uppers = sum(char.isupper() for char in word)
    lowers = sum(char.islower() for char in word)
    digits = any(char.isdigit() and not char.isalpha() for char in word)
    letters = any(char.isalpha() for char in word) or bool(uppers or lowers)
    if not letters:
        return "number" if digits else "sign"
    if digits:
        return "code"
    if not uppers:
        return "lower"
    if uppers == 1 and word[0].isupper():
        return "title"
    return "mixed" if lowers else "upper"


def gap(before: str) -> str:
    breaks = len(re.findall("\r\n|[\n\r\u2028]", before))
    if breaks:
        return "paragraph" if breaks > 1 else "line"
    if "\t" in before or len(before) > 1:
        return "wide"
    return "space" if before else "none"


@given(texts)
def test_each_word_has_the_shape_that_it_has_alone(text: str) -> None:
    words = split_words(text)
    found = word_shapes(words)
    end = 0
    for number, (shape, word) in enumerate(zip(found.tolist(), words.forms(), strict=True)):
        start = int(words.starts[number])
        said = GAPS[shape // len(KINDS)], KINDS[shape % len(KINDS)]
        before = gap(text[end:start]) if number else "line"
        assert said == (before, kind(word))
        assert 0 <= shape < SHAPES
        end = int(words.ends[number])


@pytest.mark.parametrize(
    ("text", "shapes"),
    [
        ("iPhone McDonald IBM", ["line mixed", "space mixed", "space upper"]),
        ("A ii.", ["line title", "space lower", "none sign"]),
        ("a\rb\r\rc", ["line lower", "line lower", "paragraph lower"]),
        ("1,5\r\n3B", ["line number", "none sign", "none number", "line code"]),
        ("中文 ΑΘΗΝΑ 😀 𝟓", ["line lower", "space upper", "space sign", "space number"]),
    ],
)
def test_shapes_of_words(text: str, shapes: list[str]) -> None:
    words = split_words(text)
    found = word_shapes(words).tolist()
    assert [f"{GAPS[n // len(KINDS)]} {KINDS[n % len(KINDS)]}" for n in found] == shapes


def test_a_sign_behind_a_word() -> None:
    assert word_shapes(split_words("a."))[1] == SIGN


@pytest.mark.parametrize("unseen", ["\u200b", "\u200b\ufeff\u2060"])
def test_words_that_are_not_to_be_seen_are_no_gap(unseen: str) -> None:
    words = split_words(f"Tim{unseen}Cook {unseen}runs {unseen} it\n{unseen}IBM")
    seen = words.only(np.array([form.isascii() for form in words.forms()]))
    gaps = [GAPS[shape // len(KINDS)] for shape in word_shapes(seen).tolist()]
    assert gaps == ["line", "none", "space", "wide", "line"]
