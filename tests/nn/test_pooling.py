from __future__ import annotations

from pathlib import Path

import pytest
import torch
from tests.nn.tracing import traced
from torch import nn

from onepass.nn.pooling import POOLS, average_ranges, first_places, pool

# of the vectors of one sequence, (pieces, hidden)
PLAIN = {
    "first": lambda x: x[0],
    "last": lambda x: x[-1],
    "avg": lambda x: x.mean(0),
    "sum": lambda x: x.sum(0),
    "max": lambda x: x.max(0).values,
    "rms": lambda x: (x**2).mean(0) ** 0.5,
    "abs_max": lambda x: x.abs().max(0).values,
    "abs_avg": lambda x: x.abs().mean(0),
}
RANGES = ((0, 7), (0, 4), (3, 7), (2, 5), (6, 7))  # of the pieces that count, a row each


def states_and_mask() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(len(RANGES), 7, 6, generator=generator) - 1.0  # some maxima are below 0
    mask = torch.zeros(len(RANGES), 7, dtype=torch.long)
    for row, (first, end) in enumerate(RANGES):
        mask[row, first:end] = 1
    states[mask == 0] = 1e4  # would show in every pool
    return states, mask


def test_there_is_a_plain_formula_for_every_pool() -> None:
    assert POOLS.keys() == PLAIN.keys() | {"pass"}


@pytest.mark.parametrize("how", PLAIN)
def test_only_pieces_that_count_are_pooled(how: str) -> None:
    states, mask = states_and_mask()
    expected = torch.stack(
        [PLAIN[how](states[row, first:end]) for row, (first, end) in enumerate(RANGES)]
    )
    torch.testing.assert_close(pool(states, mask, how), expected)


def test_pass_is_no_pool() -> None:
    states, mask = states_and_mask()
    assert pool(states, mask, "pass") is states


@pytest.mark.parametrize("how", PLAIN)
def test_a_row_without_pieces_is_no_error(how: str) -> None:
    states, mask = states_and_mask()
    states[:] = 1.0
    assert torch.isfinite(pool(states, torch.zeros_like(mask), how)).all()


@pytest.mark.parametrize("how", PLAIN)
def test_exported(how: str, tmp_path: Path) -> None:
    class Pool(nn.Module):
        def forward(self, states: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
            return pool(states, mask, how)

    states, mask = states_and_mask()
    axes = {"states": ("batch", "pieces", "hidden"), "mask": ("batch", "pieces")}
    sample = {"states": torch.randn(2, 3, 6), "mask": torch.ones(2, 3, dtype=torch.long)}
    run = traced(Pool(), sample, axes | {"out": ("batch", "hidden")}, tmp_path / "pool.onnx")
    torch.testing.assert_close(run(states, mask), pool(states, mask, how))


def test_ranges_are_averaged() -> None:
    states = torch.randn(2, 7, 6)
    ranges = torch.tensor([[[1, 4], [6, 7], [0, 0]], [[0, 7], [2, 3], [3, 5]]])
    got = average_ranges(states, ranges)
    torch.testing.assert_close(got[0, 0], states[0, 1:4].mean(0))
    torch.testing.assert_close(got[1, 2], states[1, 3:5].mean(0))
    torch.testing.assert_close(got[1, 0], states[1].mean(0))
    assert got[0, 2].tolist() == [0.0] * 6


def test_first_places() -> None:
    _, mask = states_and_mask()
    assert first_places(mask).tolist() == [first for first, _ in RANGES]
