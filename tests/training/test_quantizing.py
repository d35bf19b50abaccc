from __future__ import annotations

import copy

import numpy as np
import torch
from torch import nn

from onepass.nn.graphs.rounding import round_matrix
from onepass.training.quantizing import quantize_layers
from onepass.training.working import Working


class Two(nn.Module):
    """A product whose inputs are rounded, and one whose weights alone are."""

    def __init__(self) -> None:
        super().__init__()
        self.table = nn.Embedding(9, 8)
        self.backbone = nn.Linear(8, 6)
        self.head = nn.Linear(6, 4, bias=False)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return self.head(torch.nn.functional.gelu(self.backbone(self.table(ids))))


def made() -> Two:
    torch.manual_seed(0)
    return Two()


def test_parameters_stay_in_their_order() -> None:
    network = made()
    before = list(network.named_parameters())
    quantize_layers(network)
    after = list(network.named_parameters())
    assert [name for name, _ in after] == [name for name, _ in before]
    assert all(one is other for (_, one), (_, other) in zip(before, after, strict=True))


def test_weights_take_the_steps_of_the_export() -> None:
    network = made()
    matrix = network.head.weight.detach().numpy().T
    rounded = round_matrix(matrix)
    quantize_layers(network)
    x = torch.randn(5, 6)
    expected = x.numpy() @ (rounded.small * rounded.scale)
    np.testing.assert_allclose(network.head(x).detach().numpy(), expected, atol=1e-5)


def test_rows_of_a_table_have_a_scale_each() -> None:
    network = made()
    rows = network.table.weight.detach().clone()
    quantize_layers(network)
    looked_up = network.table(torch.arange(9)).detach()
    step = rows.abs().amax(1, keepdim=True) / 127
    torch.testing.assert_close((looked_up / step).round() * step, looked_up)
    assert ((looked_up - rows).abs() <= step / 2 + 1e-7).all()


def test_inputs_of_a_product_are_rounded_by_row() -> None:
    network = made()
    x = torch.randn(4, 8)
    exact = network.backbone(x).detach()
    quantize_layers(network)
    both = network.backbone(x).detach()
    apart = (both - exact).abs().max()
    assert 0 < apart < 0.05 * exact.abs().max()
    # A row far larger than the others does not take their steps.
    large = torch.cat([x[:1] * 1000, x[1:]])
    beside = network.backbone(large).detach()[1:] - exact[1:]
    assert beside.abs().max() < 0.05 * exact.abs().max()


def test_gradients_pass_the_rounding() -> None:
    network, rounding = made(), made()
    quantize_layers(rounding)
    ids = torch.arange(9)
    for one in (network, rounding):
        one(ids).square().sum().backward()
    for exact, rounded in zip(network.parameters(), rounding.parameters(), strict=True):
        assert exact.grad is not None
        assert rounded.grad is not None
        torch.testing.assert_close(rounded.grad, exact.grad, rtol=0.2, atol=0.2)


def test_the_trained_network_itself_does_not_round() -> None:
    network = made()
    before = copy.deepcopy(network)
    working = Working(network, "fp32", quantize=True)
    ids = torch.arange(9)
    torch.testing.assert_close(network(ids), before(ids), rtol=0, atol=0)
    working.load()
    working.network(ids).sum().backward()
    working.hand_over()
    assert all(parameter.grad is not None for parameter in network.parameters())
    assert not torch.equal(working.network(ids), network(ids))
