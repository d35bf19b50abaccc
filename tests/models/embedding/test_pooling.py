"""Pieces to one vector, each way by an independent formula; padding plays no part."""

from __future__ import annotations

import pytest
import torch

from onepass.models.embedding.config import POOLINGS
from onepass.models.embedding.network.pooling import WAYS, pool


def by_hand(name: str, states: torch.Tensor) -> torch.Tensor:
    """Return the vector of one text without padding, (pieces, hidden) to (hidden,)."""
    pieces = len(states)
    if name == "weightedmean":
        steps = torch.arange(1.0, pieces + 1)[:, None]
        return (states * steps).sum(0) / steps.sum()
    ways = {
        "cls": states[0],
        "max": states.max(0).values,
        "mean": states.mean(0),
        "mean_sqrt_len_tokens": states.sum(0) / pieces**0.5,
        "lasttoken": states[-1],
    }
    return ways[name]


@pytest.mark.parametrize("name", POOLINGS)
def test_each_way(name: str) -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(3, 7, 5, generator=generator)
    lengths = [7, 3, 1]
    mask = (torch.arange(7) < torch.tensor(lengths)[:, None]).long()
    got = pool(states, mask, [name])
    for row, length in enumerate(lengths):
        expected = by_hand(name, states[row, :length])
        torch.testing.assert_close(got[row], expected, atol=1e-6, rtol=1e-6)
    states[mask == 0] = 1e4  # what stands at padding is not read
    torch.testing.assert_close(pool(states, mask, [name]), got, atol=1e-6, rtol=1e-6)


def test_several_are_joined_and_all_that_are_known_can_be_run() -> None:
    assert WAYS.keys() == POOLINGS.keys()
    states, mask = torch.randn(2, 4, 3), torch.ones(2, 4, dtype=torch.int64)
    joined = pool(states, mask, list(POOLINGS))
    assert joined.shape == (2, 18)
    torch.testing.assert_close(joined[:, 3:6], pool(states, mask, ["max"]))
