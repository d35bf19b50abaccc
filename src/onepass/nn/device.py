"""Arrays on their way to where a network runs.

It knows nothing about what they mean.
"""

from __future__ import annotations

import torch

from onepass.arrays import Array


def moved(array: Array, device: torch.device) -> torch.Tensor:
    """Return an array as a tensor on a device, without waiting for what a GPU still computes.

    Args:
        array: of any shape.
        device: where the tensor shall be; on the CPU it shares the memory of an array that may be
            written.

    >>> import numpy as np
    >>> moved(np.array([1, 2]), torch.device("cpu"))
    tensor([1, 2])
    """
    tensor = torch.from_numpy(array if array.flags.writeable else array.copy())
    if device.type != "cuda":
        return tensor.to(device)
    # Memory that the system may move is copied only once the GPU has done all before it.
    return tensor.pin_memory().to(device, non_blocking=True)
