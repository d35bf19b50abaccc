"""Intervals and the paired test: what they must say where the answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from onepass.errors import InputError
from onepass.evaluation.bootstrap import interval, paired, rows_of, score_of

RNG = np.random.default_rng(4)


def answers(share: float, texts: int, seed: int) -> np.ndarray:
    right = np.random.default_rng(seed).random(texts) < share
    return rows_of([(int(one), 1, 1) for one in right])


def test_score_is_f1():
    assert score_of(rows_of([(2, 4, 2)]).sum(axis=0)) == pytest.approx(2 / 3)
    assert score_of(rows_of([]).sum(axis=0)) == 0.0


def test_interval_is_as_wide_as_theory_says():
    rows = answers(0.8, 400, 1)
    low, high = interval(rows)
    share = rows[:, 0].mean()
    expected = 1.96 * (share * (1 - share) / 400) ** 0.5
    assert (high - low) / 2 == pytest.approx(expected, rel=0.15)
    assert interval(rows) == (low, high)  # the same every time


def test_interval_holds_the_truth_most_of_the_time():
    held = [interval(answers(0.7, 150, seed), rounds=300) for seed in range(60)]
    assert sum(low <= 0.7 <= high for low, high in held) >= 52  # 57 expected


def test_equal_models_do_not_differ():
    rows = answers(0.6, 200, 2)
    found = paired(rows, rows)
    assert (found.difference, found.low, found.high, found.p_value) == (0.0, 0.0, 0.0, 1.0)


def test_chance_is_rarely_taken_for_a_difference():
    small = [
        paired(answers(0.6, 120, seed), answers(0.6, 120, seed + 1000), rounds=300).p_value
        for seed in range(60)
    ]
    assert sum(p < 0.05 for p in small) <= 8  # 3 expected


def test_a_difference_is_found_and_has_a_sign():
    worse, better = answers(0.5, 300, 3), answers(0.7, 300, 4)
    up, down = paired(worse, better), paired(better, worse)
    assert up.difference > 0.1
    assert up.low > 0
    assert up.p_value < 0.01
    assert down.difference == pytest.approx(-up.difference)


def test_many_texts_are_drawn_in_parts():
    rows = answers(0.5, 30_000, 5)
    low, high = interval(rows, rounds=150)
    assert high - low < 0.02


def test_other_texts_are_refused():
    with pytest.raises(InputError, match="one has 2 and the other 3"):
        paired(answers(0.5, 2, 1), answers(0.5, 3, 1))
    assert paired(rows_of([]), rows_of([])).p_value == 1.0
