"""Dense scores become exactly the candidates that reach their thresholds."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from onepass.decoding.candidates import SpanFind
from onepass.decoding.spans import best_span, candidates, distinct_spans, whole_spans

SOME = st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 0.9, 1.0])
cells = st.floats(0, 1, width=32) | SOME.map(lambda score: float(np.float32(score)))
sides = hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=6)
grids = hnp.arrays(np.float32, sides, elements=cells)


@given(scores=grids, data=st.data())
def test_candidates_are_the_cells_within_the_text_that_reach_the_threshold(
    scores: np.ndarray, data: st.DataObject
) -> None:
    labels, words, width = scores.shape
    thresholds = data.draw(st.lists(SOME, min_size=labels, max_size=labels))
    expected = [
        (i, i + w + 1, float(scores[label, i, w]), label)
        for label in range(labels)
        for i in range(words)
        for w in range(width)
        if i + w < words and scores[label, i, w] >= np.float32(thresholds[label])
    ]
    found = candidates(scores, np.array(thresholds))
    columns = (found.starts, found.ends, found.scores, found.labels)
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert found.ends.max(initial=0) <= words


@given(scores=grids.map(lambda grid: grid[0]), threshold=SOME)
def test_best_span_is_the_first_of_the_best_candidates(
    scores: np.ndarray, threshold: float
) -> None:
    found = candidates(scores[None], [threshold])
    best = best_span(scores, threshold)
    if not len(found):
        assert best is None
    else:
        row = int(found.scores.argmax())
        span = SpanFind(int(found.starts[row]), int(found.ends[row]), float(found.scores[row]))
        assert best == span


def test_thresholds_are_inclusive_in_the_precision_of_the_scores() -> None:
    scores = np.array([[[0.9]]], dtype=np.float32)  # below the float64 0.9
    assert len(candidates(scores, np.array([0.9]))) == 1
    assert best_span(scores[0], 0.9) is not None


def test_nothing_ends_past_the_text_even_at_threshold_0() -> None:
    found = candidates(np.full((1, 2, 2), 1.0, dtype=np.float32), [0.0])
    assert list(zip(found.starts.tolist(), found.ends.tolist(), strict=True)) == [
        (0, 1),
        (0, 2),
        (1, 2),
    ]


@pytest.mark.parametrize("shape", [(0, 3, 2), (2, 0, 2), (2, 3, 0)])
def test_empty_grids_have_no_candidates(shape: tuple[int, int, int]) -> None:
    assert len(candidates(np.zeros(shape, np.float32), np.zeros(shape[0]))) == 0
    assert best_span(np.zeros((0, 8), np.float32), 0.0) is None


def test_shapes_that_do_not_fit_are_refused() -> None:
    grid = np.zeros((2, 3, 2), np.float32)
    with pytest.raises(ValueError, match="one threshold per label"):
        candidates(grid, [0.5])
    with pytest.raises(ValueError, match="labels, words, width"):
        candidates(grid[0], [0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="words, width"):
        best_span(grid, 0.5)


@given(st.integers(1, 4), st.integers(1, 6), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_distinct_spans_share_no_word_and_none_could_be_better(labels, words, width, seed) -> None:
    scores = np.random.default_rng(seed).random((labels, words, width)).astype(np.float32)
    limits = np.full(labels, 0.4)
    chosen = distinct_spans(scores, limits)
    kept = [(span.start, span.end) for span in chosen if span is not None]
    taken = [word for start, end in kept for word in range(start, end)]
    assert len(taken) == len(set(taken))
    for label, span in enumerate(chosen):
        best = best_span(scores[label], 0.4)
        if span is None and best is not None:  # a better one stands in the way of each candidate
            assert any(other is not None and other.score >= best.score for other in chosen)
        elif best is not None and span is not None:
            assert span.score <= best.score
    # What holds at a higher threshold is what is left of this.
    higher = distinct_spans(scores, np.full(labels, 0.7))
    assert higher == [span if span and span.score >= 0.7 else None for span in chosen]


@given(scores=grids, data=st.data())
def test_a_run_is_never_cut_and_keeps_the_best_score(
    scores: np.ndarray, data: st.DataObject
) -> None:
    labels, words, width = scores.shape
    edges = sorted(data.draw(st.sets(st.integers(0, words), max_size=6)))
    runs = [pair for pair in zip(edges[::2], edges[1::2], strict=False) if pair[1] - pair[0] > 1]
    expected: dict[tuple[int, int, int], float] = {}
    for label, start, offset in np.ndindex(scores.shape):
        first, last = start, start + offset + 1
        if last > words:
            continue
        for begin, end in runs:
            first = begin if begin < first < end else first
            last = end if begin < last < end else last
        place = (label, first, last)
        expected[place] = max(expected.get(place, 0.0), float(scores[label, start, offset]))
    before = scores.copy()
    whole = whole_spans(scores, np.array(runs, dtype=np.int64).reshape(-1, 2))
    assert (scores == before).all()
    assert whole.shape[:2] == (labels, words)
    assert whole.shape[2] >= width
    assert whole.dtype == scores.dtype
    for label, start, offset in np.ndindex(whole.shape):
        if start + offset < words:
            there = expected.get((label, start, start + offset + 1), 0.0)
            assert whole[label, start, offset] == np.float32(there)
