"""Values that were found once are found wherever they stand, as whole words."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from tests.linear import assert_grows_in_proportion

from onepass.redact.places import Place
from onepass.redact.repeats import _INVISIBLE, repeats
from onepass.text.marks import MARK_RANGES

MARKS = "\u0301\u0e34"  # of Latin, of Thai
UNSPACED = "\u4eac\u90fd\u0e01\u0e34"
MOST = 20  # characters of white space in a value
parts = st.lists(
    st.text("abA-+" + UNSPACED + MARKS, min_size=1, max_size=5), min_size=1, max_size=3
)
values = st.lists(parts.map(" ".join), min_size=1, max_size=4, unique=True)
pieces = st.sampled_from([*"ab \n,+\u200c", *UNSPACED, *MARKS, " " * MOST, " " * (MOST + 1)])
texts = st.lists(pieces | st.integers(0, 3), max_size=12)


def places_of(text: str, *found: str) -> list[Place]:
    starts = [text.index(value) for value in found]
    return [
        Place("x", start, start + len(value), 0.9, "model")
        for start, value in zip(starts, found, strict=True)
    ]


def surfaces(text: str, *found: str) -> list[str]:
    return [text[one.start : one.end] for one in repeats(text, places_of(text, *found))]


def by_hand(text: str, found: list[Place]) -> list[tuple[int, int]]:
    """Return what `repeats` should, by trying every place with every value."""
    known = {(one.start, one.end) for one in found}
    looked_for = set()
    for start, end in known:
        value = text[start:end]
        least = 2 if all(char in UNSPACED for char in value) else 4
        if len(value) >= least:
            looked_for.add(tuple(value.split()))
    out, done = [], 0
    for start in range(len(text)):
        ends = [
            end
            for end in range(start + 1, len(text) + 1)
            if tuple(text[start:end].split()) in looked_for
            and not text[start].isspace() and not text[end - 1].isspace()
            and not re.search(rf"\s{{{MOST + 1}}}", text[start:end])
            and (text[start] in UNSPACED or start == 0 or not _in_word(text[start - 1]))
            and (end == len(text) or not _in_word(text[end])
                 or (text[end - 1] in UNSPACED and text[end] not in MARKS))
        ]  # fmt: skip
        end = max(ends, default=start)
        if end > max(start, done) and (start, end) not in known:
            out.append((start, end))
        done = max(done, end)
    return out


def _in_word(char: str) -> bool:
    return char in MARKS or (char.isalnum() and char not in UNSPACED)


@given(values, texts)
@example(["abab", "ab"], [0, ",", 0, "b"])
@example(["abab", "abab b"], [1, ",", 0, "\n", "b", "b", ",", 0, "\n", "b"])
@example(["abab b"], ["abab", " " * MOST, "b,abab", " " * (MOST + 1), "b"])
@example(["\u0e01\u0e01\u0e34", "abab\u0301"], ["a", 0, "b,", 0, "\u0301,", 1, "\u0e34", "a"])
def test_it_is_what_trying_every_place_gives(found: list[str], rest: list[str | int]) -> None:
    pieces = [one if isinstance(one, str) else found[one % len(found)] for one in rest]
    text = ",".join(found) + "," + "".join(pieces)
    places = places_of(text, *found)
    assert [(one.start, one.end) for one in repeats(text, places)] == by_hand(text, places)


def test_white_space_may_differ() -> None:
    text = "Ann Weiss came. Ann\nWeiss, Ann\u00a0Weiss and Ann  Weiss left, AnnWeiss stayed."
    assert surfaces(text, "Ann Weiss") == ["Ann\nWeiss", "Ann\u00a0Weiss", "Ann  Weiss"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("\u0930\u093e\u091c\u0947\u0936 \u0930\u093e\u091c\u0947\u0936\u094d\u0935\u0930\u0940",
         "\u0930\u093e\u091c\u0947\u0936"),
        ("Jose and Jose\u0301", "Jose"),
        ("Anna and Annabel", "Anna"),
        ("\u0e01\u0e32\u0e19 \u0e01\u0e32\u0e19\u0e34", "\u0e01\u0e32\u0e19"),
    ],
)  # fmt: skip
def test_a_part_of_another_word_is_none(text: str, value: str) -> None:
    assert surfaces(text, value) == []


def test_a_suffix_behind_a_joiner_leaves_the_name_a_name() -> None:
    name = "\u0639\u0644\u06cc\u0631\u0636\u0627"
    assert surfaces(f"{name} {name}\u200c\u0647\u0627", name) == [name]


def test_a_shorter_value_is_found_where_the_longer_one_does_not_end() -> None:
    assert surfaces("Anna Bork, Anna; Anna Borka", "Anna Bork", "Anna;") == []
    assert surfaces("Anna Bork; Anna, Anna Borka", "Anna Bork", "Anna,") == []
    assert surfaces("x Anna Bork; Bert Anna, Anna Borka", "Anna Bork") == []
    both = [*places_of("Anna Bork, ", "Anna Bork"), Place("y", 11, 15, 0.9, "model")]
    found = repeats("Anna Bork, Anna, Anna Borka", both)
    assert [(one.start, one.end, one.label) for one in found] == [(17, 21, "y")]


def test_a_long_value_with_a_letter_more_is_passed_quickly() -> None:
    def passing(size: int) -> Callable[[], None]:
        value = "".join(f"{number} " for number in range(size)) + "z"
        text = f"{value} " + f"{value}q " * 30
        place = Place("x", 0, len(value), 0.5, "model")

        def run() -> None:
            assert repeats(text, [place]) == []

        return run

    assert_grows_in_proportion(passing, 250)


def test_thousands_of_values_are_found_in_a_moment() -> None:
    def finding(number: int) -> Callable[[], None]:
        names = [f"+41 44 {10_000 + one} Weiss" for one in range(number)]
        size = len(names[0])
        at = range(0, number * (size + 2), size + 2)
        found = [Place("x", start, start + size, 0.5, "model") for start in at]
        text = ", ".join([*names, names[5]])

        def run() -> None:
            assert [one.start for one in repeats(text, found)] == [number * (size + 2)]

        return run

    assert_grows_in_proportion(finding, 4_000)


def test_a_shorter_value_is_found_behind_any_white_space() -> None:
    text = "Anna Bo Lund, Anna Bo, Anna \n Bo Lunds"
    found = [Place("x", 0, 12, 0.5, "model"), Place("x", 14, 21, 0.5, "model")]
    assert [(one.start, one.end) for one in repeats(text, found)] == [(23, 32)]


def test_the_joiners_and_variants_that_are_no_marks_are_ranges_of_their_own() -> None:
    assert {*_INVISIBLE} <= {*MARK_RANGES.split()}
