"""Lines and temperatures: those that the data were made with are found."""

from __future__ import annotations

import numpy as np
import pytest

from onepass.evaluation.platt import calibrated, fit_platt, fit_temperature, tempered


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize(("scale", "shift"), [(1.0, 0.0), (0.5, -1.0), (2.0, 0.7)])
def test_platt_finds_the_line_that_the_data_were_made_with(scale: float, shift: float) -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, 40_000)
    right = rng.random(40_000) < sigmoid(scale * logits + shift)
    found = fit_platt(sigmoid(logits), right)
    assert found == pytest.approx((scale, shift), abs=0.06)


def test_platt_is_finite_when_everything_is_right() -> None:
    scale, shift = fit_platt(np.array([0.2, 0.9, 1.0]), np.array([True, True, True]))
    assert np.isfinite([scale, shift]).all()


@pytest.mark.parametrize("number", [50, 5000])
def test_platt_has_an_end_where_a_score_parts_right_from_wrong(number: int) -> None:
    right = np.arange(2 * number) < number
    scale, shift = fit_platt(np.where(right, 0.9, 0.1), right)
    share = (number + 1) / (number + 2)  # what Platt takes for the truth
    assert sigmoid(scale * np.log(9) + shift) == pytest.approx(share, abs=1e-4)
    assert shift == pytest.approx(0, abs=1e-3)


def test_temperature_undoes_too_much_confidence() -> None:
    rng = np.random.default_rng(1)
    answers = []
    for _ in range(3000):
        logits = rng.normal(0, 1.5, 4)
        honest = np.exp(logits) / np.exp(logits).sum()
        true = int(rng.choice(4, p=honest))
        loud = np.exp(3 * logits) / np.exp(3 * logits).sum()
        answers.append((loud, true))
    assert fit_temperature(answers) == pytest.approx(1 / 3, rel=0.1)


def test_no_line_falls() -> None:
    """It would turn thresholds round, and be refused where it is read."""
    scores = np.array([0.6] * 200 + [0.9] * 200)
    scale, shift = fit_platt(scores, scores < 0.7)
    assert scale == 1
    assert sigmoid(np.log(scores / (1 - scores)) + shift).mean() == pytest.approx(0.5, abs=1e-6)


def test_no_line_is_flat() -> None:
    """All scores would be one number, those of what is no finding at all among them."""
    scores = np.array([0.2, 0.2, 0.6, 0.6] * 100)
    scale, shift = fit_platt(scores, np.arange(400) % 2 == 0)
    assert scale == 1
    assert sigmoid(np.log(scores / (1 - scores)) + shift).mean() == pytest.approx(0.5, abs=1e-6)


def test_scores_without_a_logit_are_moved_to_the_edge() -> None:
    assert [round(calibrated(score, 1.0, 0.0), 5) for score in (0.0, 0.3, 1.0)] == [0.0, 0.3, 1.0]
    assert tempered(np.array([1.0, 0.0]), 1.0) == pytest.approx([1, 0], abs=1e-5)
