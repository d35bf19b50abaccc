"""Attention says the same, and has the same gradients, by every way that it is computed."""

from __future__ import annotations

from unittest import mock

import pytest
import torch
from torch.nn import functional

from onepass.nn.backbones.attention import attend

MASKED = torch.tensor([[0.0, 0.0, 0.0, -1e9], [0.0, 0.0, 0.0, 0.0]])[:, None, None, :]


def parts() -> list[torch.Tensor]:
    """Return queries, keys and values, 3 of (2, 3, 4, 8)."""
    torch.manual_seed(5)
    return [torch.randn(2, 3, 4, 8, requires_grad=True) for _ in range(3)]


def test_training_without_dropout_is_what_the_formula_says() -> None:
    # Arrange
    q, k, v = parts()
    expected = (q @ k.transpose(-1, -2) + MASKED).softmax(-1) @ v
    gradients = torch.autograd.grad(expected.square().sum(), (q, k, v))

    # Act
    got = attend(q, k, v, MASKED, dropout=0.0)

    # Assert
    assert torch.allclose(got, expected, atol=1e-6)
    for one, other in zip(
        torch.autograd.grad(got.square().sum(), (q, k, v)), gradients, strict=True
    ):
        assert torch.allclose(one, other, atol=1e-5)


def test_a_bias_that_is_trained_gets_its_gradient() -> None:
    # Arrange
    q, k, v = parts()
    bias = torch.zeros(1, 3, 4, 4, requires_grad=True)
    expected = (q @ k.transpose(-1, -2) + bias).softmax(-1) @ v

    # Act
    got = attend(q, k, v, bias, dropout=0.0)

    # Assert
    one, other = (torch.autograd.grad(each.square().sum(), bias)[0] for each in (got, expected))
    assert torch.allclose(one, other, atol=1e-5)


@pytest.mark.parametrize(
    ("kind", "dropout", "fused"),
    [
        pytest.param(torch.float32, None, True, id="reading"),
        pytest.param(torch.float32, 0.0, True, id="training in fp32"),
        pytest.param(torch.float32, 0.1, False, id="training with dropout"),
        pytest.param(torch.bfloat16, 0.0, False, id="training in bf16"),
    ],
)
def test_the_fused_kernel_runs_where_it_is_faster(
    kind: torch.dtype, dropout: float | None, *, fused: bool
) -> None:
    # Arrange
    q, k, v = (part.detach().to(kind) for part in parts())

    # Act
    with mock.patch.object(
        functional, "scaled_dot_product_attention", wraps=functional.scaled_dot_product_attention
    ) as kernel:
        got = attend(q, k, v, MASKED.to(kind), dropout=dropout)

    # Assert
    assert got.shape == q.shape
    assert kernel.called is fused
