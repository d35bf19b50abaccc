"""Numbers of a network that are no numbers: weights that a training or a copy has damaged."""

from __future__ import annotations

import numpy as np

from onepass.arrays import Array
from onepass.errors import CheckpointError


def check_finite(*arrays: Array) -> None:
    """Refuse to answer with what is no number; nothing is found there, and no score is right.

    Args:
        arrays: small outputs of a network, on which all others depend.

    Raises:
        CheckpointError: if one of them holds a nan.

    >>> check_finite(np.array([0.5, float("-inf")]))
    >>> check_finite(np.array([float("nan")]))
    Traceback (most recent call last):
    ...
    onepass.errors.CheckpointError: This checkpoint computes scores that are no numbers: its \
weights are damaged, or too large for this precision; try fp32, or another copy.
    """
    if any(np.isnan(array).any() for array in arrays):
        raise CheckpointError(
            "This checkpoint computes scores that are no numbers: its weights are damaged, or too "
            "large for this precision; try fp32, or another copy."
        )
