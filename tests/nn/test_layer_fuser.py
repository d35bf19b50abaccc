"""The layer re-weighting of GLiClass, equations 3 to 6 of arXiv 2508.07662, written out in loops.

The reference library builds the same layers and cannot run them.
"""

from __future__ import annotations

import math

import pytest
import torch

from onepass.nn.layer_fuser import LayerFuser

HIDDEN = 6


def paper(
    states: list[torch.Tensor], weights: dict[str, torch.Tensor], text: int, pieces: int
) -> torch.Tensor:
    """Return the (pieces, hidden) output O of one text, weights by the paper's names."""
    z = []  # eq. 3: the mean over the pieces of one number a piece
    for layer in states:
        said = [
            float(weights["squeeze.weight"][0] @ layer[text, i] + weights["squeeze.bias"][0])
            for i in range(pieces)
        ]
        z.append(sum(said) / pieces)
    inner = [  # eq. 4
        max(0.0, float(sum(w * x for w, x in zip(row, z, strict=True)) + bias))
        for row, bias in zip(weights["W1.weight"], weights["W1.bias"], strict=True)
    ]
    s = [
        1.0 / (1.0 + math.exp(-float(sum(w * x for w, x in zip(row, inner, strict=True)) + bias)))
        for row, bias in zip(weights["W2.weight"], weights["W2.bias"], strict=True)
    ]
    mixed = torch.zeros(pieces, HIDDEN)
    for weight, layer in zip(s, states, strict=True):  # eq. 5
        mixed += weight * layer[text, :pieces]
    return mixed @ weights["output_projection.weight"].T + weights["output_projection.bias"]  # 6


@pytest.mark.parametrize("layers", [4, 5])
@torch.no_grad()
def test_equations_of_the_paper(layers: int) -> None:
    torch.manual_seed(0)
    fuser = LayerFuser(layers, HIDDEN)
    for weight in fuser.parameters():
        weight.copy_(torch.randn_like(weight))
    own, entries = fuser.state_dict(), fuser.keys()
    weights = {entry.theirs: own[entry.ours] for entry in entries}
    assert weights["W1.weight"].shape == (layers // 2, layers)
    states = [torch.randn(3, 7, HIDDEN) for _ in range(layers)]
    lengths = (7, 3, 1)
    mask = (torch.arange(7) < torch.tensor(lengths)[:, None]).long()
    got = fuser(iter(states), mask)
    for text, pieces in enumerate(lengths):
        expected = paper(states, weights, text, pieces)
        torch.testing.assert_close(got[text, :pieces], expected, atol=1e-5, rtol=1e-5)
