"""Vectors at places: picked from a sequence, and pooled from the pieces of a word."""

from __future__ import annotations

import torch


def take(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return (batch, places, hidden): the states (batch, pieces, hidden) at (batch, places).

    >>> states = torch.arange(6.0).reshape(1, 3, 2)
    >>> take(states, torch.tensor([[2, 0]])).tolist()
    [[[4.0, 5.0], [0.0, 1.0]]]
    """
    index = places[:, :, None].expand(-1, -1, states.shape[2])
    return states.gather(1, index)


def pool_words(states: torch.Tensor, words: torch.Tensor, pooling: str) -> torch.Tensor:
    """Return (batch, words, hidden): the vector of each word, 0 for a word without pieces.

    Args:
        states: (batch, pieces, hidden).
        words: (batch, words, depth) positions of each word's pieces, -1 where there are none.
        pooling: "mean" or "max" of them; any other name takes the piece at depth 0.

    >>> states = torch.arange(6.0).reshape(1, 3, 2)
    >>> pool_words(states, torch.tensor([[[0, 2], [1, -1], [-1, -1]]]), "mean").tolist()
    [[[2.0, 3.0], [2.0, 3.0], [0.0, 0.0]]]
    """
    if pooling not in ("mean", "max"):
        words = words[:, :, :1]
    batch, count, depth = words.shape
    real = (words >= 0)[..., None]  # (batch, words, depth, 1)
    picked = take(states, words.clamp(min=0).reshape(batch, count * depth))
    picked = picked.reshape(batch, count, depth, states.shape[2])
    if pooling == "max":
        highest = picked.masked_fill(~real, torch.finfo(states.dtype).min).amax(2)
        return highest * real.any(2)
    weight = real.to(states.dtype)
    return (picked * weight).sum(2) / weight.sum(2).clamp(min=1)


def within(counts: torch.Tensor, length: int) -> torch.Tensor:
    """Return (batch, length): true before each count, false from there on.

    >>> within(torch.tensor([0, 2]), 3).tolist()
    [[False, False, False], [True, True, False]]
    """
    return torch.arange(length, device=counts.device)[None] < counts[:, None]
