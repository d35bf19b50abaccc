"""Forms of several words are found whole, wherever they stand, and nothing else is."""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.any_text import texts
from tests.linear import assert_grows_in_proportion

from onepass.text.forms import whole_forms
from onepass.text.words import split_words

FORMS = (
    "2024-11-05T08:30", "2024-11-05t08:30:00z", "2024-11-05T08:30:00.123Z",
    "2024-11-05T08:30:00,5+0100", "2024-11-05T08:30-05:00", "00:1A:2b:3C:4D:5E",
    "2001:0db8:85a3:0000:0000:8a2e:0370:7334", "1:2:3:4:5:6:7:8", "fe80::1", "2a02:8070:89:cc00::",
)  # fmt: skip


def found(text: str) -> list[str]:
    words = split_words(text)
    runs = whole_forms(words, 0, len(words)).tolist()
    return [text[slice(*words.place(first, last))] for first, last in runs]


@pytest.mark.parametrize("form", FORMS)
def test_forms(form: str) -> None:
    assert found(f"{form} [{form}] x={form}, at {form}.") == [form] * 4


@pytest.mark.parametrize(
    "text",
    [
        "2024-11-05 08:30:00", "2024-11-05T08", "2024-11-05T08:301", "x2024-11-05T08:30",
        "host-2024-11-05T08:30", "https://a.b/2024-11-05T08:30:00Z", "2024-11-05T08:30\u0301",
        "08:30:00", "1:2:3:4:5:6:7", "a::b", "std::dead::beef", "00:1A:2b:3C:4D", "::", ":",
    ],
)  # fmt: skip
def test_what_is_none(text: str) -> None:
    assert found(text) == []


@given(st.lists(st.one_of(st.sampled_from(FORMS), texts), max_size=6), st.data())
def test_runs_are_in_order_and_whole(parts: list[str], data: st.DataObject) -> None:
    words = split_words(" ".join(parts))
    first = data.draw(st.integers(0, len(words)))
    last = data.draw(st.integers(first, len(words)))
    runs = whole_forms(words, first, last)
    assert runs.shape[1:] == (2,)
    edges = np.array([first, *runs.ravel(), last])
    assert (np.diff(edges) >= 0).all()
    assert (runs[:, 1] - runs[:, 0] > 1).all()
    for begin, end in runs.tolist():
        assert not re.search(r"\s", words.text[slice(*words.place(begin, end))])


def test_of_a_window_only() -> None:
    words = split_words("at 2024-11-05T08:30 and 2024-11-06T09:45")
    assert whole_forms(words, 0, len(words)).tolist() == [[1, 4], [5, 8]]
    assert whole_forms(words, 4, len(words)).tolist() == [[5, 8]]
    assert whole_forms(words, 4, 7).tolist() == whole_forms(words, 4, 4).tolist() == []


@pytest.mark.parametrize("part", ["1:", "a1:", "2024-11-05T", "f::", "1111:2222:", "T11:1"])
def test_no_text_makes_it_slow(part: str) -> None:
    def prepare(times: int) -> Callable[[], object]:
        words = split_words(part * times)
        return lambda: whole_forms(words, 0, len(words))

    assert_grows_in_proportion(prepare, 2000)
