"""Token scores become spans: against the definition, written as loops."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from onepass.decoding.tokens import token_candidates

LEVELS = st.sampled_from([0.1, 0.3, 0.5, 0.7, 0.9])
SCORES = st.tuples(st.integers(1, 3), st.integers(0, 9), st.just(3)).flatmap(
    lambda shape: arrays(np.float32, shape, elements=LEVELS.map(np.float32))
)


def by_definition(scores: np.ndarray, limits: list[float]) -> list[tuple[int, int, int, float]]:
    found = []
    for label, limit in enumerate(np.asarray(limits, dtype=np.float32)):
        for start in range(scores.shape[1]):
            for last in range(start, scores.shape[1]):
                own = [
                    scores[label, start, 0],
                    scores[label, last, 1],
                    *scores[label, start : last + 1, 2],
                ]
                if min(own) >= limit:
                    found.append((label, start, last + 1, float(min(own))))
    return found


@given(SCORES, st.data())
def test_every_span_that_holds_and_no_other(scores: np.ndarray, data: st.DataObject) -> None:
    limits = [data.draw(LEVELS) for _ in scores]
    got = token_candidates(scores, limits)
    rows = zip(
        got.labels.tolist(), got.starts.tolist(), got.ends.tolist(), got.scores.tolist(),
        strict=True,
    )  # fmt: skip
    assert list(rows) == by_definition(scores, limits)


def test_a_span_may_be_as_long_as_the_text() -> None:
    scores = np.full((1, 500, 3), 0.2)
    scores[0, :, 2] = 0.8
    scores[0, 0, 0] = scores[0, 499, 1] = 0.9
    found = token_candidates(scores, [0.5])
    assert (found.starts.tolist(), found.ends.tolist(), found.scores.tolist()) == (
        [0],
        [500],
        [0.8],
    )


def test_one_weak_word_inside_breaks_a_span() -> None:
    scores = np.full((1, 5, 3), 0.9)
    scores[0, 2, 2] = 0.4
    found = token_candidates(scores, [0.5])
    spans = set(zip(found.starts.tolist(), found.ends.tolist(), strict=True))
    assert spans == {(0, 1), (0, 2), (1, 2), (3, 4), (3, 5), (4, 5)}


def test_labels_do_not_run_into_each_other() -> None:
    scores = np.full((2, 2, 3), 0.9)
    scores[0, 0] = scores[1, 1] = 0.1  # the last word of one label, the first of the next
    found = token_candidates(scores, [0.5, 0.5])
    assert list(zip(found.labels, found.starts, found.ends, strict=True)) == [(0, 1, 2), (1, 0, 1)]


@pytest.mark.parametrize(
    ("shape", "limits"), [((1, 2, 2), [0.5]), ((2, 2, 3), [0.5]), ((2, 3), [])]
)
def test_shapes_that_do_not_fit(shape: tuple[int, ...], limits: list[float]) -> None:
    with pytest.raises(ValueError, match="need the shape"):
        token_candidates(np.zeros(shape), limits)
