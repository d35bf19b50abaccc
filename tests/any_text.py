"""Texts of any characters, and what the places of their words must be."""

from __future__ import annotations

from hypothesis import strategies as st

# Any code point, lone surrogates as well, and the characters that the expressions are about.
UNUSUAL = "\u200b\u200c\u200d\ufeff\u0301\u0345\u20e3\ud83d\udc00\x00\x1c\x85\u2028\u3000\u0130"
# Letters of scripts without blanks, with marks of theirs and a digit.
UNSPACED = (
    "\u5e93\u514b\u3005\U00020bb7\u3042\u3099\u30ab\u30fc\uff76\uff9e\u0e19\u0e49\u0e33\u0e40\u0e52"
    "\u0e9e\u0ebb\u1019\u103a\u1039\u1002\u179f\u17d2\u178f\u17b8\ud55c\uae00"
)
texts = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(UNUSUAL),
        st.sampled_from("aZ09 _-@./:%+\r\n\t"),
        st.sampled_from(UNSPACED),
    ),
    max_size=60,
)


def assert_every_visible_character_once(text: str, places: list[tuple[int, int]]) -> None:
    """Fail if words overlap, hold white space or nothing, or leave something out."""
    end_before = 0
    for start, end in places:
        assert end_before <= start < end <= len(text)
        assert text[end_before:start].strip() == ""  # between words is white space only
        assert not any(char.isspace() for char in text[start:end])
        end_before = end
    assert text[end_before:].strip() == ""
