"""Words of every Unicode string have exact places."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onepass.text.marks import MARK_RANGES
from onepass.text.words import split_words

# Any code point, lone surrogates as well, and the characters that the expression is about.
UNUSUAL = "\u200b\u200c\u200d\ufeff\u0301\u0345\u20e3\ud83d\udc00\x00\x1c\x85\u2028\u3000\u0130"
texts = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(UNUSUAL),
        st.sampled_from("aZ09 _-@./:%+\r\n\t"),
    ),
    max_size=60,
)


def places(text: str) -> list[tuple[int, int]]:
    words = split_words(text)
    return list(zip(words.starts.tolist(), words.ends.tolist(), strict=True))


@given(texts)
@example("")
@example("\ud83d\ude00")
@example("a" * 300 + "@b.cd")
@example("https://a.b/\u0301 www.x")
def test_words_hold_every_visible_character_once(text: str) -> None:
    end_before = 0
    for start, end in places(text):
        assert end_before <= start < end <= len(text)
        assert text[end_before:start].strip() == ""  # between words is white space only
        assert not any(char.isspace() for char in text[start:end])
        end_before = end
    assert text[end_before:].strip() == ""


@given(texts)
def test_words_and_gaps_are_the_text(text: str) -> None:
    words = split_words(text)
    assert words.text == text
    assert len(words) == len(words.forms()) == len(words.starts)
    position, rebuilt = 0, []
    for (start, end), form in zip(places(text), words.forms(), strict=True):
        rebuilt += [text[position:start], form]
        position = end
    assert "".join(rebuilt) + text[position:] == text


@given(texts, texts)
def test_a_space_separates(one: str, other: str) -> None:
    shift = len(one) + 1
    moved = [(start + shift, end + shift) for start, end in places(other)]
    assert places(f"{one} {other}") == places(one) + moved


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("", []),
        (" \u3000\n", []),
        ("Tim's state-of-the-art", ["Tim", "'", "s", "state-of-the-art"]),
        ("see https://a.b/c?d=e.", ["see", "https://a.b/c?d=e."]),
        ("WWW.A.B x@y.org @tim", ["WWW.A.B", "x@y.org", "@tim"]),
        ("x@y", ["x", "@y"]),
        ("$9.50", ["$", "9", ".", "50"]),
        ("a_b-c_d-", ["a_b-c_d", "-"]),
        ("Ti\u0301m", ["Ti\u0301m"]),
        ("\u0928\u092e\u0938\u094d\u0924\u0947 x", ["\u0928\u092e\u0938\u094d\u0924\u0947", "x"]),
        ("\u65e5\u672c\u8a9e\u3002", ["\u65e5\u672c\u8a9e", "\u3002"]),
        ("a\u200db", ["a\u200db"]),
        ("a\u200bb", ["a", "\u200b", "b"]),
        ("\U0001f469\u200d\U0001f4bb", ["\U0001f469", "\u200d", "\U0001f4bb"]),
        ("a\r\nb", ["a", "b"]),
        ("[SEP_TEXT]", ["[", "SEP_TEXT", "]"]),
        ("a\ud83db", ["a", "\ud83d", "b"]),
    ],
)
def test_forms(text: str, forms: list[str]) -> None:
    assert split_words(text).forms() == forms


@pytest.mark.parametrize(
    "text",
    ["a." * 100_000, "a@" * 100_000, "a-" * 100_000, "x@" + "1." * 100_000, "%" * 200_000,
     "@" * 200_000, "_-" * 100_000, "www." * 50_000 + " ", "\u0301" * 200_000, "a" * 200_000 + "@"],
    ids=lambda text: text[:4],
)  # fmt: skip
def test_no_text_takes_long(text: str) -> None:
    start = time.process_time()
    split_words(text)
    assert time.process_time() - start < 5.0  # quadratic time would be minutes


def test_marks_are_those_of_their_unicode_version() -> None:
    marks = {0x200C, 0x200D}
    for item in MARK_RANGES.split():
        first, _, last = item.partition("-")
        marks |= set(range(int(first, 16), int(last or first, 16) + 1))
    # A newer Unicode assigns more marks, and moves hardly any.
    assigned = {
        point
        for point in range(0x110000)
        if unicodedata.category(chr(point)) in ("Mn", "Mc", "Me") or point in (0x200C, 0x200D)
    }
    if unicodedata.unidata_version == "14.0.0":
        assert marks == assigned
    else:
        assert len(marks - assigned) < 20
    assert re.fullmatch(r"\w", "\u0301") is None  # the reason for the table
