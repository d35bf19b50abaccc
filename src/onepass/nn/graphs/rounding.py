"""Matrices in eight bits, one scale a column, so that products with them change little.

Without knowing the inputs, every weight goes to the nearest step. With their moments, two things
are better. Inputs of some columns are many times as large as those of the others, in every text,
and would take the steps of a row for themselves: they are divided by a factor, and the weights that
they meet are multiplied by it (SmoothQuant, https://arxiv.org/abs/2211.10438, equation 4). And the
error that rounding one row of weights makes is taken back by the rows after it (GPTQ,
https://arxiv.org/abs/2210.17323, equations 2 and 3).

This module knows arrays, no graphs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from onepass.arrays import Float32s, Int8s

# In the names of what has products that are computed in eight bits: each word or piece passes them.
# Other heads take a small part of the time.
PARTS = ("backbone", "span_head")
STEPS = 127  # of a weight, on each side of zero
SHARE = 0.6  # of what is uneven in the inputs that goes into the weights; see docs/precision.md
_DAMPING = 0.01  # of the mean moment, on the diagonal: directions that no input took
_BLOCK = 128  # rows whose errors are handed on together
LEAST = 1e-12  # a scale
LOPSIDED = 0.25  # of the largest input: one that is never further below zero than this
SMALLEST = 0.1  # of the mean, that a largest value counts as: it was seen on a few texts only


@dataclass(slots=True)
class Moments:
    """What was seen of the inputs of one product.

    Attributes:
        largest: (rows of the weight) the largest magnitude of each.
        products: (rows, rows) sums of products of two, over all inputs.
        least: of all inputs.
    """

    largest: Float32s
    products: Float32s
    least: float = 0.0

    @classmethod
    def empty(cls, rows: int) -> Moments:
        """Return what is known before anything was seen."""
        return cls(np.zeros(rows, np.float32), np.zeros((rows, rows), np.float32))

    def add(self, inputs: Float32s) -> None:
        """Count inputs, (n, rows)."""
        self.largest = np.maximum(self.largest, np.abs(inputs).max(axis=0, initial=0))
        self.products += inputs.T @ inputs
        self.least = min(self.least, float(inputs.min(initial=0)))

    @property
    def shift(self) -> float:
        """What makes inputs positive that are hardly negative, as those after GELU; else 0."""
        return -self.least if -self.least < LOPSIDED * float(self.largest.max()) else 0.0


@dataclass(frozen=True, slots=True)
class Rounded:
    """A matrix in eight bits; ``small * scale / factors[:, None]`` is nearly the matrix.

    Attributes:
        small: (rows, columns).
        scale: (columns).
        factors: (rows) that inputs are divided by before they are multiplied with ``small``; None
            for those that are all 1.
        shift: that is added to inputs before they are divided, so that their steps need not reach
            below zero; 0 where inputs are as often negative.
    """

    small: Int8s
    scale: Float32s
    factors: Float32s | None = None
    shift: float = 0.0

    def takes_inputs_of(self, other: Rounded) -> bool:
        """Return whether an input is divided and shifted alike for both matrices."""
        if self.shift != other.shift or len(self.small) != len(other.small):
            return False
        if self.factors is None or other.factors is None:
            return self.factors is other.factors
        return np.array_equal(self.factors, other.factors)

    @property
    def excess(self) -> Float32s:
        """Return (columns) what the shift adds to a product."""
        rows = np.ones(len(self.small)) if self.factors is None else 1 / self.factors
        return (self.shift * (rows @ self.small) * self.scale).astype(np.float32)


def round_matrix(
    values: Float32s, moments: Moments | None = None, beside: Sequence[Float32s] = ()
) -> Rounded:
    """Return a matrix in eight bits.

    Args:
        values: (rows, columns); inputs are multiplied from the left.
        moments: of the inputs; None if none were seen.
        beside: other matrices that the same inputs are multiplied with, (rows, any number): the
            factors suit all of them, so that an input is divided once.

    >>> round_matrix(np.array([[1, 0.5], [-0.5, 0]], np.float32)).small.tolist()
    [[127, 127], [-64, 0]]
    """
    if moments is None or not moments.largest.any():
        scale = _scale(values)
        return Rounded(_nearest(values / scale), scale)
    shift = moments.shift
    inputs = _raised(moments.largest + np.float32(shift))  # (rows)
    largest = [np.abs(one).max(axis=1) for one in (values, *beside)]
    weights = _raised(np.max(largest, axis=0))
    factors = (inputs**SHARE / weights ** (1 - SHARE)).astype(np.float32)
    scaled = values * factors[:, None]
    scale = _scale(scaled)
    products = (moments.products / factors / factors[:, None]).astype(np.float32)
    return Rounded(_round_in_turn(scaled, scale, products), scale, factors, shift)


def _raised(largest: Float32s) -> Float32s:
    """Return largest values, of which none is next to nothing."""
    return np.maximum(largest, max(SMALLEST * float(largest.mean()), LEAST))


def _scale(values: Float32s) -> Float32s:
    """Return (columns) what one step is worth."""
    scale = np.maximum(np.abs(values).max(axis=0), LEAST) / STEPS
    return scale.astype(np.float32)


def _nearest(steps: Float32s) -> Int8s:
    return np.clip(np.rint(steps), -STEPS, STEPS).astype(np.int8)


def _round_in_turn(values: Float32s, scale: Float32s, products: Float32s) -> Int8s:
    """Round row by row; the rows that are left make up for the error so far."""
    factor = _inverse_factor(products)  # (rows, rows), upper triangle
    left = values.copy()
    small = np.zeros(values.shape, np.int8)
    for start in range(0, len(values), _BLOCK):
        end = min(start + _BLOCK, len(values))
        errors = np.zeros((end - start, values.shape[1]), np.float32)
        for row in range(start, end):
            small[row] = _nearest(left[row] / scale)
            error = (left[row] - small[row] * scale) / factor[row, row]
            left[row + 1 : end] -= factor[row, row + 1 : end, None] * error
            errors[row - start] = error
        left[end:] -= factor[start:end, end:].T @ errors
    return small


def _inverse_factor(products: Float32s) -> Float32s:
    """Return the upper Cholesky factor of the inverse."""
    full = products.astype(np.float64)
    full[np.diag_indices_from(full)] += _DAMPING * np.diag(full).mean() + LEAST
    return np.linalg.cholesky(np.linalg.inv(full)).T.astype(np.float32)
