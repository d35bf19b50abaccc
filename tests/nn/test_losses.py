"""Losses against those of gliner, and where they differ."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from gliner.modeling.base import (
    BaseModel,
    UniEncoderSpanDecoderModel,
    UniEncoderSpanModel,
    UniEncoderSpanRelexModel,
    UniEncoderTokenModel,
)
from gliner.modeling.loss_functions import focal_loss_with_logits, span_dice_loss
from torch.nn import functional

from onepass.nn.adjacency import Adjacency
from onepass.nn.losses import (
    dice_loss,
    focal_loss,
    keep_negatives,
    reduce_loss,
    width_weights,
)

BATCH, LABELS, WORDS, WIDTH = 2, 3, 5, 4
OPTIONS = [
    {},
    {"alpha": 0.75},
    {"gamma": 2.0},
    {"gamma": 0.5},
    {"margin": 0.2},
    {"smoothing": 0.1},
    {"alpha": 0.25, "gamma": 2.0, "margin": 0.1, "smoothing": 0.2},
    {"alpha": 0.0, "gamma": 1.0, "margin": 0.3},
]


class Owner:
    """What the loss methods of gliner's models read of themselves."""

    config = SimpleNamespace(decoder_loss_coef=1.0, span_loss_coef=1.0)
    _loss = BaseModel._loss


def cells(scale: float = 2.0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return logits and targets, (batch, labels, words, width)."""
    generator = torch.Generator().manual_seed(0)
    shape = (BATCH, LABELS, WORDS, WIDTH)
    logits = scale * torch.randn(shape, generator=generator)
    return logits, (torch.rand(shape, generator=generator) < 0.1).float()


def as_theirs(x: torch.Tensor) -> torch.Tensor:
    """Return (batch, words, width, labels)."""
    return x.permute(0, 2, 3, 1).contiguous()


def named_as_theirs(options: dict[str, float]) -> dict[str, float]:
    names = {"margin": "prob_margin", "smoothing": "label_smoothing"}
    plain = {"alpha": -1.0, "gamma": 0.0}
    return plain | {names.get(name, name): value for name, value in options.items()}


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_focal_equals_the_reference(options: dict[str, float]) -> None:
    logits, targets = cells()
    expected = focal_loss_with_logits(logits, targets, **named_as_theirs(options))
    found = focal_loss(logits, targets, **options)
    torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_focal_gradients_equal_the_reference(options: dict[str, float]) -> None:
    logits, targets = cells()
    found, expected = logits.clone().requires_grad_(), logits.clone().requires_grad_()
    focal_loss(found, targets, **options).sum().backward()
    focal_loss_with_logits(expected, targets, **named_as_theirs(options)).sum().backward()
    torch.testing.assert_close(found.grad, expected.grad, atol=1e-5, rtol=1e-5)


def test_plain_focal_is_binary_cross_entropy() -> None:
    logits, targets = cells(30.0)
    expected = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    torch.testing.assert_close(focal_loss(logits, targets), expected)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_a_sure_mistake_has_no_gradient_in_the_reference_and_has_one_here(
    options: dict[str, float],
) -> None:
    logits = torch.tensor([-40.0], requires_grad=True)
    missed = torch.ones(1)
    focal_loss_with_logits(logits, missed, **named_as_theirs(options)).sum().backward()
    assert logits.grad is not None
    assert abs(logits.grad.item()) < 1e-6
    logits.grad = None
    focal_loss(logits, missed, **options).sum().backward()
    if options.get("alpha") != 0.0:
        assert logits.grad.item() < -0.2


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_any_logit_has_a_finite_loss_and_gradient(options: dict[str, float]) -> None:
    logits = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4]).repeat(2).requires_grad_()
    targets = torch.tensor([0.0, 1.0]).repeat_interleave(5)
    loss = focal_loss(logits, targets, **options)
    loss.sum().backward()
    assert loss.isfinite().all()
    assert (loss >= 0).all()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


@pytest.mark.parametrize("gamma", [0.0, 1.0, 2.5])
def test_dice_equals_the_reference(gamma: float) -> None:
    logits, targets = cells()
    expected = span_dice_loss(logits, targets, gamma=gamma)
    torch.testing.assert_close(dice_loss(logits, targets, gamma=gamma), expected)


@pytest.mark.parametrize("gamma", [0.0, 0.5, 1.0])
def test_dice_has_a_finite_gradient_however_sure_an_answer_is(gamma: float) -> None:
    logits = torch.tensor([-1e4, -100.0, 0.0, 100.0, 1e4]).repeat(2).requires_grad_()
    dice_loss(logits, torch.tensor([0.0, 1.0]).repeat_interleave(5), gamma=gamma).sum().backward()
    assert logits.grad is not None
    assert logits.grad.isfinite().all()


# --- the loss methods of its models ---


def their_span_loss(model: type[BaseModel], **options: Any) -> torch.Tensor:
    logits, targets = cells()
    return model.loss(  # type: ignore[attr-defined]
        Owner(), as_theirs(logits), as_theirs(targets), label_mask(), span_mask(), **options
    )


def label_mask() -> torch.Tensor:
    return torch.tensor([[1, 1, 1], [1, 1, 0]])


def span_mask() -> torch.Tensor:
    """Return (batch, words, width): five words in one text, four in the other."""
    places = torch.arange(WORDS)[:, None] + torch.arange(WIDTH)
    return (places < torch.tensor([5, 4])[:, None, None]).long()


def counted() -> torch.Tensor:
    return label_mask()[:, :, None, None] * span_mask()[:, None]


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_span_loss_equals_the_reference(reduction: str) -> None:
    logits, targets = cells()
    options = {"alpha": 0.7, "gamma": 2.0}
    expected = their_span_loss(UniEncoderSpanModel, reduction=reduction, **options)
    losses = focal_loss(logits, targets, **options)
    found = reduce_loss(losses, counted(), reduction, units=span_mask())
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("loss_type", ["focal", "dice"])
def test_width_weights_equal_the_reference(loss_type: str) -> None:
    logits, targets = cells()
    expected = their_span_loss(UniEncoderSpanModel, use_span_width_weight=True, loss_type=loss_type)
    losses = (focal_loss if loss_type == "focal" else dice_loss)(logits, targets)
    found = reduce_loss(losses * width_weights(targets), counted())
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_token_loss_equals_the_reference(reduction: str) -> None:
    logits, targets = cells()
    logits, targets = logits[..., :3], targets[..., :3]  # start, end, inside
    words = (torch.arange(WORDS) < torch.tensor([[5], [3]])).long()
    theirs = (x.permute(0, 2, 1, 3).contiguous() for x in (logits, targets))
    expected = UniEncoderTokenModel.loss(
        Owner(), *theirs, label_mask(), words, gamma=2.0, reduction=reduction
    )
    places = label_mask()[:, :, None] * words[:, None]  # (batch, labels, words)
    losses = focal_loss(logits, targets, gamma=2.0)
    found = reduce_loss(losses, places[..., None], reduction, units=places)
    torch.testing.assert_close(found, expected)


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_relation_loss_equals_the_reference(reduction: str) -> None:
    logits, targets = (x[..., 0] for x in cells())  # (batch, labels, pairs)
    pairs = torch.arange(WORDS) < torch.tensor([[5], [2]])
    mask = label_mask()[:, :, None].bool() & pairs[:, None]
    theirs = (x.transpose(1, 2).contiguous() for x in (logits, targets))
    split = (
        x.transpose(1, 2).expand(BATCH, WORDS, LABELS)
        for x in (pairs[:, None], label_mask()[:, :, None])
    )
    expected = UniEncoderSpanRelexModel.rel_loss(
        Owner(), *theirs, *split, alpha=0.3, gamma=1.0, reduction=reduction
    )
    losses = focal_loss(logits, targets, alpha=0.3, gamma=1.0)
    torch.testing.assert_close(reduce_loss(losses, mask, reduction), expected)


def test_adjacency_loss_equals_the_reference_and_does_not_saturate() -> None:
    torch.manual_seed(0)
    layer, counts = Adjacency("dot", 8), torch.tensor([5, 3])
    real = torch.arange(5) < counts[:, None]
    pairs = real[:, :, None] & real[:, None]
    targets = (torch.rand(2, 5, 5) < 0.3).float()
    for scale, saturated in ((0.4, False), (4.0, True)):
        states = scale * torch.randn(2, 5, 8)
        expected = UniEncoderSpanRelexModel.adj_loss(
            Owner(), layer(states, counts), targets, pairs.float(), gamma=2.0
        )
        found = reduce_loss(focal_loss(layer.logits(states, counts), targets, gamma=2.0), pairs)
        assert (abs(found - expected) > 1) == saturated
        if not saturated:
            torch.testing.assert_close(found, expected, atol=1e-5, rtol=1e-5)


def test_label_smoothing_is_a_margin_in_decoder_models_of_the_reference_and_smoothing_here() -> (
    None
):
    logits, targets = cells()
    theirs = their_span_loss(UniEncoderSpanDecoderModel, label_smoothing=0.2)
    margin = reduce_loss(focal_loss(logits, targets, margin=0.2), counted())
    smoothed = reduce_loss(focal_loss(logits, targets, smoothing=0.2), counted())
    torch.testing.assert_close(theirs, margin)
    assert abs(theirs - smoothed) > 1
    right = their_span_loss(UniEncoderSpanModel, label_smoothing=0.2)
    torch.testing.assert_close(smoothed, right)


# --- dropped negatives ---


@pytest.mark.parametrize("masking", ["global", "label", "span"])
def test_only_negatives_that_the_reference_may_drop_are_dropped(masking: str) -> None:
    logits, targets = cells()
    targets[0, 1] = 0  # a label that holds nowhere in its text
    flat = as_theirs(targets).flatten(1, 2)
    theirs = BaseModel._loss(
        None, as_theirs(logits).flatten(1, 2), flat, negatives=0.0, masking=masking
    )
    found = keep_negatives(targets, masking, 0.0)
    assert torch.equal(as_theirs(found).flatten(1, 2), theirs > 0)
    assert 0 < found.sum() < found.numel()
    assert found[targets > 0].all()


@pytest.mark.parametrize("masking", ["global", "label", "span", "none"])
@pytest.mark.parametrize("shape", [(2, 3, 5), (2, 3, 5, 4), (1, 3, 7, 2, 2)])
def test_what_counts_has_the_shape_of_the_targets(masking: str, shape: tuple[int, ...]) -> None:
    targets = torch.zeros(shape)
    kept = keep_negatives(targets, masking, 0.5, torch.Generator().manual_seed(0))
    assert kept.shape == shape
    assert kept.dtype == torch.bool
    assert kept.all() == (masking == "none")
    assert keep_negatives(targets, masking, 1.0).all()


def test_negatives_are_kept_as_often_as_asked_and_the_same_for_the_same_generator() -> None:
    targets = torch.zeros(4, 10, 50, 12)
    first, again, other = (
        keep_negatives(targets, "global", 0.3, torch.Generator().manual_seed(seed))
        for seed in (1, 1, 2)
    )
    assert first.float().mean().item() == pytest.approx(0.3, abs=0.02)
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_the_global_random_state_is_left_alone() -> None:
    before = torch.random.get_rng_state()
    keep_negatives(torch.zeros(1, 2, 3), "span", 0.5, torch.Generator().manual_seed(0))
    assert torch.equal(torch.random.get_rng_state(), before)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match="masking 'token'"):
        keep_negatives(torch.zeros(1, 1, 1), "token", 0.5)
    with pytest.raises(ValueError, match="reduction 'none'"):
        reduce_loss(torch.zeros(1), torch.ones(1), "none")


# --- reductions ---


@pytest.mark.parametrize("reduction", ["sum", "mean"])
def test_nothing_that_counts_is_zero_with_a_gradient(reduction: str) -> None:
    losses = torch.ones(2, 3, requires_grad=True)
    found = reduce_loss(losses, torch.zeros(2, 1, dtype=torch.bool), reduction)
    found.backward()
    assert found == 0
    assert losses.grad is not None
    assert (losses.grad == 0).all()


def test_a_mean_is_over_the_cells_that_count() -> None:
    losses = torch.arange(6.0).view(2, 3)
    rows = torch.tensor([[True], [False]])
    assert reduce_loss(losses, rows, "mean") == 1
    assert reduce_loss(losses, rows, "mean", units=torch.ones(2)) == 1.5
    assert math.isclose(reduce_loss(losses, 0.5 * rows, "mean"), 1)
