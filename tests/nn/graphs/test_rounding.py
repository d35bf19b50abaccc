"""Rounding for the inputs that there are: products change less than by rounding to the nearest."""

from __future__ import annotations

import numpy as np
import pytest

from onepass.nn.graphs.rounding import Moments, Rounded, round_matrix

ROWS, COLUMNS = 200, 24  # more rows than are rounded together


@pytest.fixture
def weights() -> np.ndarray:
    return np.random.default_rng(0).standard_normal((ROWS, COLUMNS), dtype=np.float32)


@pytest.fixture
def inputs() -> np.ndarray:
    """Correlated inputs, two columns of which are much larger than the others."""
    rng = np.random.default_rng(1)
    mixed = rng.standard_normal((500, 20)) @ rng.standard_normal((20, ROWS))
    mixed[:, [3, 150]] *= 40
    return mixed.astype(np.float32)


def seen(inputs: np.ndarray) -> Moments:
    moments = Moments.empty(ROWS)
    for part in np.array_split(inputs, 7):
        moments.add(part)
    return moments


def restored(rounded: Rounded) -> np.ndarray:
    factors = np.ones(ROWS) if rounded.factors is None else rounded.factors
    return rounded.small * rounded.scale / factors[:, None]


def error(inputs: np.ndarray, weights: np.ndarray, rounded: Rounded) -> float:
    """Return the relative error of a product whose inputs are rounded as the graph rounds them."""
    factors = np.ones(ROWS) if rounded.factors is None else rounded.factors
    even = inputs / factors
    scale = np.abs(even).max(axis=1, keepdims=True) / 127
    product = np.rint(even / scale) * scale @ (rounded.small * rounded.scale)
    exact = inputs @ weights
    return float(np.linalg.norm(product - exact) / np.linalg.norm(exact))


def test_moments_are_sums_over_all_inputs(inputs: np.ndarray) -> None:
    moments = seen(inputs)
    np.testing.assert_allclose(moments.products, inputs.T @ inputs, rtol=1e-3, atol=1)
    np.testing.assert_array_equal(moments.largest, np.abs(inputs).max(axis=0))


def test_weights_alone_lose_less_for_inputs_that_were_seen(
    weights: np.ndarray, inputs: np.ndarray
) -> None:
    nearest, fitted = round_matrix(weights), round_matrix(weights, seen(inputs[::2]))
    exact = inputs[1::2] @ weights
    losses = [np.linalg.norm(inputs[1::2] @ restored(r) - exact) for r in (nearest, fitted)]
    assert losses[1] < 0.5 * losses[0]


def test_products_lose_less_where_some_inputs_are_large(
    weights: np.ndarray, inputs: np.ndarray
) -> None:
    nearest, fitted = round_matrix(weights), round_matrix(weights, seen(inputs[::2]))
    assert error(inputs[1::2], weights, fitted) < 0.5 * error(inputs[1::2], weights, nearest)


def test_the_nearest_is_within_half_a_step(weights: np.ndarray) -> None:
    rounded = round_matrix(weights)
    assert rounded.factors is None
    assert (np.abs(restored(rounded) - weights) <= 0.501 * rounded.scale).all()


@pytest.mark.parametrize("kind", ["zeros", "one row of inputs", "a column that is always zero"])
def test_moments_that_say_little(kind: str, weights: np.ndarray, inputs: np.ndarray) -> None:
    few = {"zeros": 0 * inputs, "one row of inputs": inputs[:1]}.get(kind, inputs.copy())
    few[:, 9] = 0
    rounded = round_matrix(weights, seen(few))
    assert np.isfinite(restored(rounded)).all()
    assert np.abs(restored(rounded) - weights).max() < 1.2  # they are up to 4
    assert round_matrix(np.zeros((ROWS, 2), np.float32), seen(few)).small.max() == 0
