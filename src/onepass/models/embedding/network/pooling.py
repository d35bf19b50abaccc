"""Vectors of pieces to one vector a text, in each of the ways of sentence-transformers.

Padding plays no part in any of them. This module knows no encoder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import torch

from onepass.nn.pooling import POOLS

Way = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]


def pool(states: torch.Tensor, mask: torch.Tensor, names: Sequence[str]) -> torch.Tensor:
    """Return (batch, size) vectors: one way after the other, joined.

    Args:
        states: (batch, pieces, hidden).
        mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
        names: keys of `WAYS`.

    >>> states = torch.arange(6.0).view(1, 3, 2)
    >>> pool(states, torch.tensor([[1, 1, 0]]), ["mean", "lasttoken"])
    tensor([[1., 2., 2., 3.]])
    """
    return torch.cat([WAYS[name](states, mask) for name in names], dim=-1)


def _mean_sqrt(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the sum over the root of the number of pieces."""
    return POOLS["sum"](states, mask) / mask.sum(1, keepdim=True).clamp(min=1).sqrt()


def _weighted_mean(states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean in which the n-th piece counts n times."""
    steps = torch.arange(1, states.shape[1] + 1, device=states.device)
    return POOLS["avg"](states, mask * steps)


WAYS: Mapping[str, Way] = {
    "cls": POOLS["first"],
    "max": POOLS["max"],
    "mean": POOLS["avg"],
    "mean_sqrt_len_tokens": _mean_sqrt,
    "weightedmean": _weighted_mean,
    "lasttoken": POOLS["last"],
}
