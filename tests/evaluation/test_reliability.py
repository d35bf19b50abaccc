"""Calibration error against scikit-learn's curve, and against what is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from onepass.evaluation.reliability import BINS, Reliability

pairs = st.lists(
    st.tuples(st.floats(0, 1, exclude_max=True), st.booleans()), min_size=1, max_size=60
)


def test_honest_scores_have_no_error():
    reliability = Reliability()
    reliability.add([(0.75, number % 4 != 0) for number in range(400)])
    assert reliability.error == pytest.approx(0.0, abs=1e-9)
    assert reliability.curve() == [{"score": pytest.approx(0.75), "right": 0.75, "findings": 400}]


def test_nothing_has_no_error():
    assert (Reliability().error, Reliability().curve()) == (0.0, [])


def test_scores_of_one_and_above_are_counted():
    reliability = Reliability()
    reliability.add([(1.0, True), (1.0000001, True)])
    assert reliability.total == 2


@given(pairs)
def test_the_same_curve_as_scikit_learn(data):
    calibration = pytest.importorskip("sklearn.calibration")
    reliability = Reliability()
    reliability.add(data)
    scores = np.array([score for score, _ in data])
    if np.any(np.abs(scores * BINS - np.rint(scores * BINS)) < 1e-6):
        return  # on the border of two bins, which belongs to the lower one there
    right, mean = calibration.calibration_curve([hit for _, hit in data], scores, n_bins=BINS)
    curve = reliability.curve()
    assert [one["right"] for one in curve] == pytest.approx(list(right))
    assert [one["score"] for one in curve] == pytest.approx(list(mean), abs=1e-8)


@given(pairs, st.integers(0, 60))
def test_parts_add_up(data, cut):
    whole, first, second = Reliability(), Reliability(), Reliability()
    whole.add(data)
    first.add(data[:cut])
    second.add(data[cut:])
    first.merge(second)
    assert first.curve() == whole.curve()
    assert first.error == whole.error
