"""Types of arrays, named by the numbers that they hold; shapes stand where an array is named."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

Bools = NDArray[np.bool_]
Int8s = NDArray[np.int8]
Uint8s = NDArray[np.uint8]
Int64s = NDArray[np.int64]
Float32s = NDArray[np.float32]
Float64s = NDArray[np.float64]

Integers = NDArray[np.integer[Any]]  # of any width
Reals = NDArray[np.floating[Any]]  # of any width
