"""Candidates for values of records, and how they compare with others, beside slow counts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from onepass.arrays import Float32s
from onepass.models.gliner2.rivals import (
    FLOOR,
    LARGEST,
    MOST,
    ONE,
    PLACES,
    SCORES,
    SEVERAL,
    Rivals,
    packed,
    rescored,
    rivals,
    runs_of,
)

SHAPES_OF = np.arange(6)


def made(logits: Float32s, choices: tuple[int, ...] = ()) -> Rivals:
    fields = np.array([item not in choices for item in range(logits.shape[1])])
    return rivals(
        logits, np.resize(SHAPES_OF, logits.shape[2]), fields, np.zeros(len(fields), np.int64)
    )


def slow_candidates(logits: Float32s, record: int, item: int) -> list[tuple[int, int]]:
    """Return words and widths of the likeliest spans of a field, none of which overlap."""
    words, widths = logits.shape[2:]
    spans = [(w, k) for w in range(words) for k in range(widths) if w + k < words]
    spans.sort(key=lambda span: -logits[record, item, span[0], span[1]])
    kept: list[tuple[int, int]] = []
    for w, k in spans:
        apart = all(w > a + b or w + k < a for a, b in kept)
        if len(kept) < MOST and logits[record, item, w, k] > FLOOR and apart:
            kept.append((w, k))
    return kept


@given(
    st.integers(0, 2**32 - 1),
    st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(1, 7), st.integers(1, 4)),
)
@settings(max_examples=40)
def test_candidates_and_their_numbers_are_those_of_a_slow_count(
    seed: int, shape: tuple[int, int, int, int]
) -> None:
    logits = np.random.default_rng(seed).normal(-4, 2.5, shape).astype(np.float32)
    records, items, words, widths = shape
    found = made(logits)
    assert (found.scores.shape, found.places.shape) == ((len(found), SCORES), (len(found), PLACES))
    slow = [
        (r, i, *span)
        for r in range(records)
        for i in range(items)
        for span in slow_candidates(logits, r, i)
    ]
    assert list(map(tuple, found.cells.tolist())) == slow
    probs = 1 / (1 + np.exp(-logits.astype(np.float64)))

    def inside(r: int, i: int) -> list[tuple[int, int, float]]:
        return [(w, k, probs[r, i, w, k]) for w in range(words) for k in range(widths)
                if w + k < words]  # fmt: skip

    surest = [np.mean([max(logits[r, i, w, k] for w, k, _ in inside(r, i)) for i in range(items)])
              for r in range(records)]  # fmt: skip
    for (r, i, w, k), own in zip(slow, found.scores.tolist(), strict=True):
        z, p = float(logits[r, i, w, k]), probs[r, i, w, k]
        others = [
            logits[a, b, c, d] for a, b, c, d in slow if (a, b) == (r, i) and (c, d) != (w, k)
        ]
        elsewhere = [logits[a, b, w, k] for a in range(records) for b in range(items) if b != i]
        around = [logits[r + by, i, w, k] if 0 <= r + by < records else -12.0 for by in (-1, 1)]
        over = sum(q for a, b, q in inside(r, i) if a <= w + k and a + b >= w) - p
        expected = [
            z,
            *np.clip(
                [z - max(others, default=-np.inf), z - max(elsewhere, default=-12.0),
                 z - around[0], z - around[1]], -6, 6,
            ),
            np.log(p / probs[:, i, w, k].sum()),
            np.log(p / probs[r, :, w, k].sum()),
            np.log1p(over),
            np.log(sum(q for _, _, q in inside(r, i)) + 0.05),
            surest[r],
        ]  # fmt: skip
        np.testing.assert_allclose(own, expected, atol=2e-3)


def test_where_candidates_stand_and_what_is_said_of_their_field() -> None:
    logits = np.full((2, 3, 6, 2), -9.0, dtype=np.float32)
    logits[1, 2, 4, 1] = logits[0, 0, 1, 0] = logits[0, 1, 2, 0] = 1.0
    fields, holds = np.array([True, False, True]), np.array([ONE, ONE, SEVERAL])
    found = rivals(logits, SHAPES_OF, fields, holds)
    assert found.places.tolist() == [[0, 0, 1, 1, 1, 1, ONE], [1, 2, 4, 5, 4, 5, SEVERAL]]
    new = rescored(logits, found, np.array([3.0, -2.0], dtype=np.float32))
    assert new[0, 0, 1, 0] == 3.0
    assert new[1, 2, 4, 1] == 1.0  # of a field with several values
    assert new[0, 1, 2, 0] == 1.0  # of a choice
    # what overlaps a candidate moves with it, all else stays
    assert new[0, 0, 0, 1] == new[0, 0, 1, 1] == -7.0
    assert new[0, 0, 2, 0] == -9.0


def test_what_overlaps_two_candidates_moves_with_the_surer_one() -> None:
    logits = np.full((1, 1, 3, 3), -9.0, dtype=np.float32)
    logits[0, 0, 0, 0], logits[0, 0, 2, 0] = 1.0, 2.0
    found = made(logits)
    new = rescored(logits, found, found.scores[:, 0] + np.array([1.0, 10.0], dtype=np.float32))
    assert new[0, 0, 0].tolist() == [11.0, 1.0, -8.0]  # the surer one moved by 1
    assert new[0, 0, 2, 0] == 3.0


def test_no_candidates_leave_all_as_it_is() -> None:
    logits = np.full((1, 2, 3, 2), -9.0, dtype=np.float32)
    found = made(logits, choices=(1,))
    assert len(found) == 0
    assert list(runs_of([found])) == []
    np.testing.assert_array_equal(rescored(logits, found, np.zeros(0, np.float32)), logits)


def test_groups_are_packed_with_those_of_their_size() -> None:
    rng = np.random.default_rng(0)
    sizes = [(1, 1, 4, 2), (8, 4, 30, 3), (1, 2, 5, 2)]
    groups = [made(rng.normal(-2, 2, size).astype(np.float32)) for size in sizes]
    empty = made(np.full((1, 1, 2, 1), -9.0, dtype=np.float32))
    every = list(runs_of([*groups, empty]))
    assert sorted(i for run, _ in every for i in run) == [0, 1, 2]
    for run, inputs in every:
        for line, i in enumerate(run):
            count = len(groups[i])
            np.testing.assert_array_equal(inputs["scores"][line, :count], groups[i].scores)
            np.testing.assert_array_equal(inputs["places"][line, :count], groups[i].places)
            assert inputs["mask"][line].tolist() == [1] * count + [0] * (
                inputs["mask"].shape[1] - count
            )
    assert packed(groups)["scores"].shape == (3, max(map(len, groups)), SCORES)


def test_of_very_many_candidates_the_surest_count() -> None:
    logits = np.random.default_rng(2).normal(0, 1, (19, 20, 40, 2)).astype(np.float32)
    found = made(logits)
    assert len(found) == LARGEST
    least = found.scores[:, 0].min()
    best = logits.copy()
    best[:, :, -1, 1] = -9.0
    assert (best.max((2, 3)) > least).sum() == len({(r, i) for r, i, _, _ in found.cells.tolist()})
    moved = rescored(logits, found, found.scores[:, 0] + np.float32(1.0)) - logits
    assert np.allclose(moved[found.owners < LARGEST], 1.0, atol=1e-5)
    assert not moved[found.owners == LARGEST].any()


@pytest.mark.parametrize("count", [1, 40])
def test_large_groups_are_looked_at_a_few_at_a_time(count: int) -> None:
    large = made(np.random.default_rng(1).normal(0, 1, (10, 8, 60, 3)).astype(np.float32))
    assert len(large) == 10 * 8 * MOST
    runs = [run for run, _ in runs_of([large] * count)]
    assert sorted(i for run in runs for i in run) == list(range(count))
    assert max(map(len, runs)) * len(large) ** 2 <= 500_000
