"""Words of every Unicode string have exact places."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.any_text import assert_every_visible_character_once, texts
from tests.linear import assert_grows_in_proportion

from onepass.text.marks import MARK_RANGES, mark_class, range_class
from onepass.text.patterns import PLAIN
from onepass.text.scripts import LETTER_RANGES, TRAILING
from onepass.text.words import Splitter, split_words

LETTERS = re.compile(f"[{range_class(LETTER_RANGES)}]")
OWN = ("char", "script")


def places(text: str, splitter: Splitter | None = None) -> list[tuple[int, int]]:
    words = split_words(text, splitter=splitter)
    return list(zip(words.starts.tolist(), words.ends.tolist(), strict=True))


@given(texts, st.sampled_from([None, *OWN]))
@example("", None)
@example("\ud83d\ude00", None)
@example("a" * 300 + "@b.cd", None)
@example("https://a.b/\u0301 www.x", None)
@example("https://\u5e93 www.\u5e93a", "script")
def test_words_hold_every_visible_character_once(text: str, splitter: Splitter | None) -> None:
    assert_every_visible_character_once(text, places(text, splitter))


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


@given(texts, st.sampled_from([None, "script"]))
@example("\u0301\u0301", None)
@example("\ufe0f\u0301 a", None)
def test_what_is_no_mark_begins_a_word(text: str, splitter: Splitter | None) -> None:
    marks = re.compile(rf"[{mark_class()}]")
    for start, _ in places(text, splitter):
        assert marks.match(text, start) is None or start == 0 or text[start - 1].isspace()


@given(texts)
@example("https://a.b/c \u0130 a-b_c 1\ufe0f\u20e3x")
def test_without_unspaced_scripts_the_words_by_script_are_the_plain_ones(text: str) -> None:
    spaced = LETTERS.sub("", text)
    assert places(spaced, "script") == places(spaced)


@given(texts)
def test_a_letter_of_an_unspaced_script_is_a_word(text: str) -> None:
    marks = rf"[{mark_class()}{TRAILING}]"
    words = split_words(text, splitter="script")
    for start, form in zip(words.starts.tolist(), words.forms(), strict=True):
        found = LETTERS.search(form)
        if found is None:
            continue
        own = re.compile(
            rf"{LETTERS.pattern}{marks}*(?:(?<=[\u1039\u17d2]){LETTERS.pattern}{marks}*)*"
        )
        assert own.fullmatch(form), (start, form)


@given(texts)
def test_no_letter_is_torn_from_its_marks(text: str) -> None:
    begins = {start for start, _ in places(text, "script")}
    for match in re.finditer(rf"{LETTERS.pattern}[{mark_class()}]+", text):
        assert not begins & set(range(match.start() + 1, match.end()))


@pytest.mark.parametrize(
    ("text", "by_script", "by_char"),
    [
        ("tim\u5e93\u514bcook", "tim|\u5e93|\u514b|cook", "tim|\u5e93|\u514b|cook"),
        ("\u9a6c\u4e91\u3002", "\u9a6c|\u4e91|\u3002", "\u9a6c|\u4e91|\u3002"),
        ("\u30bf\u30ed\u30fc\u3055\u3093", "\u30bf|\u30ed|\u30fc|\u3055|\u3093", None),
        ("\uff76\uff9e\u304b\u3099", "\uff76\uff9e|\u304b\u3099", "\uff76|\uff9e|\u304b|\u3099"),
        ("\u0e19\u0e49\u0e33\u0e17\u0e35\u0e48", "\u0e19\u0e49\u0e33|\u0e17\u0e35\u0e48", None),
        ("\u0e1b\u0e35\u0e52\u0e55\u0e56\u0e57", "\u0e1b\u0e35|\u0e52\u0e55\u0e56\u0e57", None),
        (
            "\u179f\u17d2\u178f\u17d2\u179a\u17b8\u1780",
            "\u179f\u17d2\u178f\u17d2\u179a\u17b8|\u1780",
            None,
        ),
        (
            "\u1019\u1004\u103a\u1039\u1002\u101c\u102c",
            "\u1019|\u1004\u103a\u1039\u1002|\u101c\u102c",
            None,
        ),
        ("\ud55c\uad6d\uc5b4 \uae00", "\ud55c\uad6d\uc5b4|\uae00", "\ud55c|\uad6d|\uc5b4|\uae00"),
        ("\u4e2d 2024\u5e74", "\u4e2d|2024|\u5e74", "\u4e2d|2024|\u5e74"),
        ("\u770bhttps://a.b/c?d\u4e86", "\u770b|https://a.b/c?d|\u4e86", None),
        ("\u5beb x@y.org\u7d66@tim", "\u5beb|x@y.org|\u7d66|@tim", "\u5beb|x@y.org|\u7d66|@tim"),
        (
            "Andr\u00e9 state-of-the-art",
            "Andr\u00e9|state-of-the-art",
            "Andr|\u00e9|state-of-the-art",
        ),
        ("\u0928\u092e\u0938\u094d\u0924\u0947", "\u0928\u092e\u0938\u094d\u0924\u0947", None),
        ("\u8fbb\U000e0100\u6a4b", "\u8fbb\U000e0100|\u6a4b", None),
        ("a_b-c@d.e+f", "a_b-c|@d|.|e|+|f", "a_b-c@d.e+f"),
    ],
)
def test_forms_of_splitters(text: str, by_script: str, by_char: str | None) -> None:
    assert split_words(text, splitter="script").forms() == by_script.split("|")
    assert split_words(text, PLAIN, "script").forms() == by_script.split("|")
    if by_char is not None:
        assert split_words(text, splitter="char").forms() == by_char.split("|")


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
    ("start", "piece", "end"),
    [("", "\u2764\ufe0f", ""), ("", "1\ufe0f\u20e3", ""), ("", "a\u0301", ""), ("", "a.", ""),
     ("", "a@", ""), ("", "a-", ""), ("x@", "1.", ""), ("", "%", ""), ("", "@", ""), ("", "_-", ""),
     ("", "www.", " "), ("", "\u0301", ""), ("", "a", "@"), ("", "a\u5e93", ""),
     ("", "\u179f\u17d2", ""), ("", "www.\u5e93", "")],
)  # fmt: skip
@pytest.mark.parametrize("splitter", [None, *OWN])
def test_no_text_takes_long(start: str, piece: str, end: str, splitter: Splitter | None) -> None:
    def splitting(size: int) -> Callable[[], object]:
        text = start + piece * (size // len(piece)) + end
        return lambda: split_words(text, splitter=splitter)

    assert_grows_in_proportion(splitting, 10_000)


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
