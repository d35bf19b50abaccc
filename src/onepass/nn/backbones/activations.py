"""The functions between the two products of a feed-forward, by the names that configurations use.

They know no architecture.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch.nn import functional


def tanh_gelu(x: torch.Tensor) -> torch.Tensor:
    """Return the approximation of GELU by a hyperbolic tangent.

    Hendrycks and Gimpel, Gaussian Error Linear Units (2016), section 2. A graph gets the formula
    as published, which ONNX Runtime knows for one operation; that of the exporter it does not.

    Args:
        x: of any shape.

    >>> round(tanh_gelu(torch.tensor(1.0)).item(), 4)
    0.8412
    """
    if not torch.onnx.is_in_onnx_export():
        return functional.gelu(x, approximate="tanh")
    return 0.5 * x * (1.0 + torch.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x.pow(3.0))))


ACTIVATIONS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "gelu": functional.gelu,
    "relu": functional.relu,
    "silu": functional.silu,
    "tanh": torch.tanh,
    "gelu_new": tanh_gelu,
    "gelu_pytorch_tanh": tanh_gelu,
}
