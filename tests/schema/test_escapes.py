"""Escaped text is split like any other text, but for what is escaped."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from onepass.schema.escapes import partition, scan, split, strip, text_of

plain = st.text(alphabet="ab:, ", max_size=20)
separators = st.sampled_from([",", ":", "::"])


@given(plain, separators)
def test_text_without_escapes_is_split_as_strings_are(text: str, separator: str) -> None:
    assert [text_of(part) for part in split(scan(text, ":,"), separator)] == text.split(separator)
    before, after = partition(scan(text, ":,"), separator)
    assert text_of(before) == text.partition(separator)[0]
    assert (after is None) == (separator not in text)


@given(st.lists(plain, min_size=1, max_size=5))
def test_escaped_separators_do_not_split(parts: list[str]) -> None:
    escaped = ",".join(part.replace(",", "\\,") for part in parts)
    assert [text_of(part) for part in split(scan(escaped, ","), ",")] == parts


def test_only_marks_and_white_space_are_escaped() -> None:
    chars = strip(scan("\\ a\\,\\\\,\\b ", ",\\"))
    assert [text_of(part) for part in split(chars, ",")] == [" a,\\", "\\b"]


def test_very_many_parts_are_split_in_one_pass() -> None:
    parts = [str(number) for number in range(100_000)]
    assert [text_of(part) for part in split(scan(",".join(parts), ","), ",")] == parts
