"""What a library returns gets exact places, whatever it did to the text."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.any_text import assert_every_visible_character_once, texts
from tests.linear import assert_grows_in_proportion

from onepass.text.aligning import exact, place_forms


@pytest.mark.parametrize(
    ("text", "forms", "words"),
    [
        ("ab  c", ["ab", "c"], ["ab", "c"]),
        ("ab  c", ["ab", " ", " ", "c"], ["ab", "c"]),  # white space as words
        ("1 , 2 x", ["1,2", "x"], ["1 , 2", "x"]),  # white space left out
        ("a\nb c", ["a\nb", "c"], ["a\nb", "c"]),
        ("a.b c", ["a", "b", "c"], ["a", "b", "c"]),  # the point left out
        ("caf\u00e9 e x", ["cafe", "e", "x"], ["caf\u00e9", "e", "x"]),  # changed
        ("a b a", ["c", "b", "a"], ["a", "b", "a"]),  # changed, and not found further on
        ("a b", ["a", "b", "b", "b"], ["a", "b"]),  # more than there is
        ("a b", [], []),
        ("", ["a"], []),
    ],
)
def test_words_that_a_library_returns_as_strings(
    text: str, forms: list[str], words: list[str]
) -> None:
    assert [text[start:end] for start, end in place_forms(text, forms)] == words


@given(texts, st.lists(texts, max_size=8))
def test_any_strings_get_places_in_the_text(text: str, forms: list[str]) -> None:
    last = 0
    for start, end in place_forms(text, forms):
        assert last <= start < end <= len(text)
        last = end


@given(texts, st.data())
def test_words_are_found_where_they_were_taken_from(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    bounds = list(zip([0, *cuts], [*cuts, len(text)], strict=True))
    forms = [text[start:end] for start, end in bounds]
    assert [text[start:end].strip() for start, end in place_forms(text, forms)] == [
        form.strip() for form in forms if form.strip()
    ]


@given(texts, st.lists(st.tuples(st.integers(0, 70), st.integers(0, 70)), max_size=8))
@example("aa", [(1, 0)])
def test_any_places_become_words_that_hold_every_visible_character_once(
    text: str, given_places: list[tuple[int, int]]
) -> None:
    assert_every_visible_character_once(text, exact(lambda _: given_places)(text))


def test_libraries_are_not_given_what_they_cannot_read() -> None:
    asked: list[str] = []
    words = exact(lambda text: asked.append(text) or [])
    assert words("a\x00\ud83d b") == [(0, 1), (1, 2), (2, 3), (4, 5)]
    assert words(" \n") == words("") == []
    assert asked == ["a\ufffd\ufffd b"]


def test_it_takes_time_in_proportion() -> None:
    def prepare(size: int):
        text, forms = "ab. " * size, ["ab", "x"] * size
        words = exact(lambda text: place_forms(text, forms))
        return lambda: words(text)

    assert_grows_in_proportion(prepare, 5000)
