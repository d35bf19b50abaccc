"""Losses of yes-or-no questions in large numbers: focal, dice, dropped negatives, reductions.

Targets are laid out as the logits are: (batch, labels, ...), with one or more axes of places
(words, widths, pairs) behind the labels. What does not count (padding) is a mask of its own and
never a value among the targets. It knows no architecture.
"""

from __future__ import annotations

import math

import torch
from torch.nn import functional

MASKINGS = ("none", "global", "label", "span")
REDUCTIONS = ("sum", "mean")
_SMOOTH = 1e-6  # above and below in the dice loss, as in the reference


def focal_loss(
    logits: torch.Tensor,
    targets: torch.Tensor,
    *,
    alpha: float = -1.0,
    gamma: float = 0.0,
    margin: float = 0.0,
    smoothing: float = 0.0,
) -> torch.Tensor:
    """Return the binary cross-entropy of each cell, weighted as a focal loss.

    Computed from the logits, so that a wrong answer keeps its gradient however sure it is.

    Args:
        logits: of any shape.
        targets: of the same shape, 0 or 1.
        alpha: weight of positives, beside ``1 - alpha`` for negatives; negative for none.
        gamma: exponent of how wrong an answer is; 0 weighs easy and hard ones alike.
        margin: what is taken off the probability of negatives; easier ones cost nothing.
        smoothing: how far targets move towards one half; 1 is one half for both.

    Returns:
        Losses of the same shape.

    >>> focal_loss(torch.tensor([0.0, 200.0]), torch.tensor([1.0, 0.0]))
    tensor([  0.6931, 200.0000])
    """
    if smoothing:
        targets = targets * (1 - smoothing) + 0.5 * smoothing
    negative = functional.logsigmoid(-logits)  # log of 1 - probability
    if margin:  # log of min(1, 1 - probability + margin)
        shift = torch.full_like(logits, math.log(margin))
        negative = torch.logaddexp(negative, shift).clamp(max=0.0)
    loss = -targets * functional.logsigmoid(logits) - (1 - targets) * negative
    if gamma > 0:
        kept = (torch.sigmoid(logits) - margin).clamp(min=0.0) * (1 - targets)
        wrong = torch.sigmoid(-logits) * targets + kept
        # Above 0, where an exponent below 1 has no slope.
        loss = loss * wrong.clamp(min=torch.finfo(wrong.dtype).tiny) ** gamma
    if alpha >= 0:
        loss = loss * (alpha * targets + (1 - alpha) * (1 - targets))
    return loss


def dice_loss(logits: torch.Tensor, targets: torch.Tensor, *, gamma: float = 1.0) -> torch.Tensor:
    """Return the self-adjusting dice loss of each cell.

    Args:
        logits: of any shape.
        targets: of the same shape, 0 or 1.
        gamma: exponent of ``1 - probability``, which weighs sure answers down; 0 for plain dice.

    Returns:
        Losses of the same shape.

    >>> dice_loss(torch.tensor([0.0]), torch.tensor([1.0]), gamma=0.0)
    tensor([0.3333])
    """
    wrong = torch.sigmoid(-logits)
    # Above 0, where an exponent below 1 has no slope.
    adjusted = wrong.clamp(min=torch.finfo(wrong.dtype).tiny) ** gamma * torch.sigmoid(logits)
    return 1 - (2 * adjusted * targets + _SMOOTH) / (adjusted + targets + _SMOOTH)


def keep_negatives(
    targets: torch.Tensor,
    masking: str,
    keep: float,
    generator: torch.Generator | None = None,
) -> torch.Tensor:
    """Return which cells count when negatives are dropped by chance; positives always do.

    Args:
        targets: (batch, labels, ...), 0 or 1.
        masking: which cells may be dropped, each by itself: "global" all negatives; "label" those
            of labels that hold nowhere in the text; "span" those of places where no label holds;
            "none" no cells.
        keep: probability that such a cell counts.
        generator: of the chances, on the device of the targets; torch's own if None.

    Returns:
        (batch, labels, ...) booleans.

    Raises:
        ValueError: for an unknown masking.

    >>> targets = torch.tensor([[[0.0, 1.0], [0.0, 0.0]]])
    >>> keep_negatives(targets, "label", 0.0).tolist()
    [[[True, True], [False, False]]]
    """
    if masking not in MASKINGS:
        raise ValueError(f"masking {masking!r} is not known; {', '.join(MASKINGS)} are.")
    if masking == "none" or keep >= 1:
        return torch.ones_like(targets, dtype=torch.bool)
    positive = targets > 0
    if masking == "label":
        positive = positive.flatten(2).any(2).view(*targets.shape[:2], *[1] * (targets.ndim - 2))
    elif masking == "span":
        positive = positive.any(1, keepdim=True)
    chances = torch.rand(targets.shape, generator=generator, device=targets.device)
    return positive | (chances < keep)


def width_weights(targets: torch.Tensor) -> torch.Tensor:
    """Return the weight of each span cell: ``1 + log(words)`` where a label holds, else 1.

    Args:
        targets: (batch, labels, words, width), 0 or 1.

    Returns:
        (batch, labels, words, width).

    >>> width_weights(torch.tensor([[[[1.0, 1.0, 0.0]]]]))
    tensor([[[[1.0000, 1.6931, 1.0000]]]])
    """
    widths = torch.arange(1, targets.shape[3] + 1, dtype=targets.dtype, device=targets.device)
    return 1 + widths.log() * targets


def reduce_loss(
    losses: torch.Tensor,
    counted: torch.Tensor,
    reduction: str = "sum",
    *,
    units: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return one number from the losses of all cells.

    Args:
        losses: of any shape.
        counted: booleans or weights that broadcast to it; 0 where a cell does not count.
        reduction: "sum", or "mean" over the units.
        units: booleans or weights whose sum a mean divides by; None for the cells that count. For
            spans GLiNER divides by their number, not by that of the labels times theirs.

    Returns:
        A scalar with a gradient, 0 where nothing counts.

    Raises:
        ValueError: for an unknown reduction.

    >>> reduce_loss(torch.tensor([1.0, 3.0, 9.0]), torch.tensor([True, True, False]), "mean")
    tensor(2.)
    """
    if reduction not in REDUCTIONS:
        raise ValueError(f"reduction {reduction!r} is not known; {', '.join(REDUCTIONS)} are.")
    weights = counted.to(losses.dtype)
    total = (losses * weights).sum()
    if reduction == "sum":
        return total
    if units is None:
        units = weights.expand_as(losses)
    number = units.to(losses.dtype).sum()
    return total / torch.where(number > 0, number, torch.ones_like(number))
