"""Windows cover a text, and what is found in them is what is found in the whole of it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.decoding.assemble import Choice, assemble
from onepass.decoding.candidates import Candidates, RecordFind, RelationFind, SpanFind
from onepass.decoding.findings import Findings, WindowFindings
from onepass.decoding.overlap import POLICIES, Policy
from onepass.results.types import Coverage, Extraction
from onepass.schema import Schema
from onepass.text.windows import Window, plan_windows
from onepass.text.words import Words, split_words

ROOM = 12
lengths_of_words = st.lists(st.integers(0, ROOM), max_size=80)


def plan(
    lengths: list[int], room: int = ROOM, *, overlap: int = 3, whole: int | None = None
) -> list[Window]:
    return plan_windows(np.array(lengths, dtype=np.int64), room, overlap=overlap, whole=whole)


@given(lengths_of_words, st.integers(0, 8))
def test_windows_cover_every_word(lengths: list[int], overlap: int) -> None:
    windows = plan(lengths, overlap=overlap)
    assert windows[0].start == 0
    assert windows[-1].end == len(lengths)
    for before, window in pairwise(windows):
        assert before.start < window.start <= before.end < window.end


@given(lengths_of_words, st.integers(0, 8))
def test_windows_fit(lengths: list[int], overlap: int) -> None:
    for window in plan(lengths, overlap=overlap):
        assert sum(lengths[window.start : window.end]) <= ROOM


@given(lengths_of_words, st.integers(0, 8))
def test_windows_are_as_long_as_they_can_be(lengths: list[int], overlap: int) -> None:
    for window in plan(lengths, overlap=overlap)[:-1]:
        assert sum(lengths[window.start : window.end + 1]) > ROOM


@given(st.lists(st.integers(1, 2), min_size=1, max_size=80), st.integers(0, 3))
def test_neighbors_share_the_overlap(lengths: list[int], overlap: int) -> None:
    windows = plan(lengths, overlap=overlap)
    for before, window in pairwise(windows):
        assert before.end - window.start == overlap  # half a window holds three words of two


@given(st.integers(0, 60), st.integers(0, 5), st.integers(0, 9))
def test_a_span_up_to_the_overlap_is_whole_in_a_window(words: int, overlap: int, more: int) -> None:
    windows = plan([1] * words, max(2 * overlap, 1) + more, overlap=overlap)
    for width in range(1, overlap + 2):
        for start in range(words - width + 1):
            assert any(w.start <= start and start + width <= w.end for w in windows)


@given(lengths_of_words, st.integers(0, 1000))
def test_the_overlap_never_takes_more_than_half(lengths: list[int], overlap: int) -> None:
    windows = plan(lengths, overlap=overlap)
    for before, window in pairwise(windows):
        shared = sum(lengths[window.start : before.end])
        assert shared <= ROOM // 2 + max(lengths)
    assert len(windows) <= 2 * len(lengths) + 1


def test_a_text_that_fits_is_one_window() -> None:
    assert plan([], 5) == [Window(0, 0)]
    assert plan([0, 0], 5) == [Window(0, 2)]
    assert plan([5], 5) == [Window(0, 1)]
    assert plan([2, 2, 2], 5, whole=6) == [Window(0, 3)]
    assert len(plan([2, 2, 3], 5, whole=6)) > 1
    assert plan([2, 2], 5, whole=1) == [Window(0, 2)]


def test_a_word_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="A word of 6 pieces does not fit into 5"):
        plan([1, 6, 1], 5)


# -- windows and merge together ----------------------------------------------------------------

SCHEMA = Schema().entities(["a", "b"]).structure("pair", ["one"]).relations(["next to"])
texts = st.text(st.sampled_from("ab \u0301\ud83d.\u65e5\n"), max_size=80)


def score(form: str, label: int) -> float:
    """Return a score that belongs to a word, wherever it is read."""
    return 0.5 + (hash_of(form) * (label + 3)) % 97 / 200


def hash_of(form: str) -> int:
    return sum(ord(char) for char in form)


def found_in(forms: list[str], window: Window) -> Findings:
    """Find every word under both labels, every pair of neighbors, and a record a word."""
    own = forms[window.start : window.end]
    rows = [(i, i + 1, score(form, label), label) for i, form in enumerate(own) for label in (0, 1)]
    table = np.array(rows, dtype=np.float64).reshape(-1, 4)
    spans = [SpanFind(i, i + 1, score(form, 0)) for i, form in enumerate(own)]
    return Findings(
        Candidates(table[:, 0], table[:, 1], table[:, 2], table[:, 3]),
        {0: tuple(RecordFind(((span,),)) for span in spans)},
        tuple(
            RelationFind(0, one, other, min(one.score, other.score))
            for one, other in pairwise(spans)
        ),
    )


def read(words: Words, windows: list[Window], policy: Policy) -> Extraction:
    parts = [WindowFindings(window, (found_in(words.forms(), window),)) for window in windows]
    coverage = Coverage(len(words.text), len(words.text), 1, False)
    return assemble(words, SCHEMA, parts, Choice(policy, ()), coverage)


@given(texts, st.integers(2, 9), st.integers(1, 4), st.sampled_from(POLICIES))
def test_windows_find_what_the_whole_text_holds(
    text: str, room: int, overlap: int, policy: Policy
) -> None:
    words = split_words(text)
    lengths = [1] * len(words)
    windows = plan(lengths, room, overlap=overlap)
    whole = read(words, [Window(0, len(words))], policy)
    assert read(words, windows, policy).to_dict() == whole.to_dict()
    assert read(words, windows[::-1], policy).to_dict() == whole.to_dict()
    assert len(whole.records["pair"]) == len(words)
    if policy == "all":
        assert len(whole.entities) == 2 * len(words)
