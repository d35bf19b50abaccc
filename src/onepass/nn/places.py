"""Vectors at places: picked from a sequence, and pooled from the pieces of a word."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch


def take(states: torch.Tensor, places: torch.Tensor) -> torch.Tensor:
    """Return (batch, places, hidden): the states (batch, pieces, hidden) at (batch, places).

    >>> states = torch.arange(6.0).reshape(1, 3, 2)
    >>> take(states, torch.tensor([[2, 0]])).tolist()
    [[[4.0, 5.0], [0.0, 1.0]]]
    """
    batch, pieces, hidden = states.shape
    # Rows of one table are copied whole; a gather along the pieces would go number by number.
    rows = torch.arange(batch, device=places.device)[:, None] * pieces + places
    return states.flatten(0, 1).index_select(0, rows.flatten()).view(batch, -1, hidden)


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


def read_pieces(
    encode: Callable[[torch.Tensor | None], torch.Tensor],
    words: torch.Tensor,
    markers: Sequence[torch.Tensor],
    pooling: str,
) -> tuple[torch.Tensor, ...]:
    """Return the vectors of words, as `pool_words` does, and those at markers.

    Where a word is its first piece, nothing is computed of the others behind the last attention.

    Args:
        encode: (batch, kept) places to the (batch, kept, hidden) states there, None to all.
        words: (batch, words, depth) positions of each word's pieces, -1 where there are none.
        markers: (batch, markers) positions each.
        pooling: of `pool_words`.

    >>> states = torch.arange(6.0).reshape(1, 3, 2)
    >>> encode = lambda kept: states if kept is None else take(states, kept)
    >>> words, marker = torch.tensor([[[2], [-1]]]), torch.tensor([[0]])
    >>> [vectors.tolist() for vectors in read_pieces(encode, words, [marker], "first")]
    [[[[4.0, 5.0], [0.0, 0.0]]], [[[0.0, 1.0]]]]
    """
    if pooling in ("mean", "max"):
        states = encode(None)
        return (pool_words(states, words, pooling), *(take(states, places) for places in markers))
    states = encode(torch.cat((words[:, :, 0].clamp(min=0), *markers), 1))
    vectors, *others = states.split([words.shape[1], *(places.shape[1] for places in markers)], 1)
    real = (words[:, :, :1] >= 0).to(states.dtype)  # (batch, words, 1)
    return vectors * real, *others


def within(counts: torch.Tensor, length: int) -> torch.Tensor:
    """Return (batch, length): true before each count, false from there on.

    >>> within(torch.tensor([0, 2]), 3).tolist()
    [[False, False, False], [True, True, False]]
    """
    return torch.arange(length, device=counts.device)[None] < counts[:, None]
