"""A link ends before the marks of its sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.text.links import link_end
from onepass.text.words import split_words

URL = "https://y.org/z"


@pytest.mark.parametrize(
    ("text", "link"),
    [
        (f"({URL}) is", URL),
        (f"({URL}).", URL),
        (f"<{URL}>.", URL),
        (f'"{URL}".', URL),
        (f"'{URL}',", URL),
        (f"\u201e{URL}\u201c.", URL),
        (f"\u201c{URL}.\u201d", URL),
        (f"\u00ab{URL}\u00bb,", URL),
        (f"\u2018{URL}\u2019?!", URL),
        (f"[docs]({URL}).", URL),
        (f"[[{URL}]]", URL),
        (f"{{{URL}}};", URL),
        (f"`{URL}`:", URL),
        (f'<a href="{URL}">docs</a>', URL),
        (f"{URL}\u3002", URL),
        (f"{URL}\u2026", URL),
        (f"{URL}?id=1, b", f"{URL}?id=1"),
        (f"{URL}/?q=a.b,c;d!e", f"{URL}/?q=a.b,c;d!e"),
        ("https://x.org/Rust_(language)", "https://x.org/Rust_(language)"),
        ("(https://x.org/Rust_(language)).", "https://x.org/Rust_(language)"),
        ("(www.x.org/a[1]]).", "www.x.org/a[1]"),
        ("HTTP://X.org/, a", "HTTP://X.org/"),
    ],
)
def test_the_marks_behind_a_link_are_no_part_of_it(text: str, link: str) -> None:
    words = split_words(text)
    places = [words.place(i, i + 1) for i in range(len(words))]
    assert link in [text[start:end] for start, end in places]


def test_only_a_link_at_the_end_of_a_span_is_trimmed() -> None:
    text = f"Dr. {URL}, Oslo ."
    words = split_words(text)
    assert [text[slice(*words.place(0, last))] for last in (2, 3, 4, 5)] == [
        "Dr.", f"Dr. {URL}", f"Dr. {URL}, Oslo", text
    ]  # fmt: skip


@given(st.text(st.sampled_from("a.,)(]['\"<>\u201d\u0301\ud83d "), max_size=30))
def test_something_of_a_link_always_stays(behind: str) -> None:
    for before in ("https://", "www."):
        text = before + behind
        assert len(before) - 1 <= link_end(text, 0, len(text)) <= len(text)
        words = split_words(text)
        for word in range(len(words)):
            start, end = words.place(word, word + 1)
            assert start < end <= words.ends[word]
