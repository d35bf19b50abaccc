"""Words of every Unicode string have exact places."""

from __future__ import annotations

import re
import time
import unicodedata

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from onepass.text.marks import MARK_RANGES, mark_class
from onepass.text.words import PLAIN, split_words

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
        ("\U0001f469\u200d\U0001f4bb", ["\U0001f469\u200d", "\U0001f4bb"]),
        ("\u2764\ufe0fParis", ["\u2764\ufe0f", "Paris"]),
        ("1\ufe0f\u20e3Ann 2\u20e3Bob", ["1\ufe0f\u20e3", "Ann", "2\u20e3", "Bob"]),
        (
            "1\ufe0f\u20e32\ufe0f\u20e3#\ufe0f\u20e3x",
            ["1\ufe0f\u20e3", "2\ufe0f\u20e3", "#\ufe0f\u20e3", "x"],
        ),
        ("\u2139\ufe0fTip-\u2139\ufe0fx", ["\u2139\ufe0f", "Tip-\u2139\ufe0f", "x"]),
        ("\u200dTim \u0301Cook", ["\u200d", "Tim", "\u0301", "Cook"]),
        ("@rene\u0301 a@b.de\u0301x", ["@rene\u0301", "a@b.de\u0301", "x"]),
        (
            "(\u03b9\u03b4\u03ad\u03b1)",
            ["(", "\u03b9\u03b4\u03ad\u03b1", ")"],
        ),  # an iota is no mark
        ("a\r\nb", ["a", "b"]),
        ("[SEP_TEXT]", ["[", "SEP_TEXT", "]"]),
        ("a\ud83db", ["a", "\ud83d", "b"]),
    ],
)
def test_forms(text: str, forms: list[str]) -> None:
    assert split_words(text).forms() == forms


@given(texts)
@example("\u0301\u0301")
@example("\ufe0f\u0301 a")
def test_what_is_no_mark_begins_a_word(text: str) -> None:
    marks = re.compile(rf"[{mark_class()}]")
    for start, _ in places(text):
        assert marks.match(text, start) is None or start == 0 or text[start - 1].isspace()


@given(texts, st.data())
def test_some_of_the_words(text: str, data: st.DataObject) -> None:
    words = split_words(text, PLAIN)
    kept = data.draw(st.lists(st.booleans(), min_size=len(words), max_size=len(words)))
    some = words.only(np.array(kept, dtype=bool))
    assert (some.text, some.starts.tolist()) == (text, words.starts[kept].tolist())
    assert (some.ends >= words.ends[kept]).all()
    assert (some.ends[:-1] <= some.starts[1:]).all()
    for end, behind in zip(words.ends[kept].tolist(), some.ends.tolist(), strict=True):
        assert re.fullmatch(rf"[{mark_class()}]*", text[end:behind])


def test_an_accent_that_is_left_out_stays_with_its_letter() -> None:
    words = split_words("\u200bJose\u0301\u0323, e\u0301\u200b", PLAIN)
    assert len(words) == 8
    kept = np.array([form.isascii() for form in words.forms()])
    assert words.only(kept).forms() == ["Jose\u0301\u0323", ",", "e\u0301"]
    one = np.array([form != "\u0301" for form in words.forms()])  # the other mark is a word still
    assert words.only(one).forms() == ["\u200b", "Jose\u0301", "\u0323", ",", "e\u0301", "\u200b"]


@pytest.mark.parametrize(
    "text",
    ["\u2764\ufe0f" * 100_000, "1\ufe0f\u20e3" * 70_000, "a\u0301" * 100_000,
     "a." * 100_000, "a@" * 100_000, "a-" * 100_000, "x@" + "1." * 100_000, "%" * 200_000,
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
