"""The loss of a checkpoint with a decoder, whose labels may be read several times.

Each reading is to be right, no worse than the one before, and surer than it. Formulas: the
recurrent loss of gliclass. It knows neither networks nor how a batch came about.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch.nn import functional

from onepass.models.gliclass.decoder_config import Reasoning
from onepass.models.gliclass.loss import GliclassLoss
from onepass.models.gliclass.network.row_loss import multi_label_rows, single_label_rows


def step_loss(
    steps: Sequence[torch.Tensor],
    gold: tuple[torch.Tensor, torch.Tensor, torch.Tensor],
    reasoning: Reasoning | None,
    options: GliclassLoss,
) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
    """Return the loss of all readings and its terms.

    Args:
        steps: (batch, labels) logits behind each reading.
        gold: (batch, labels) 1 at labels that hold, (batch, labels) real labels, and the (batch,)
            passes that are trained with a softmax over their labels.
        reasoning: weights of the terms; None where labels are read once.
        options: of the loss of one reading.
    """
    true, mask, single = gold
    rows = torch.stack([_rows(logits, true, mask, single, options) for logits in steps])
    total = rows.mean()  # rows: (steps, batch)
    terms = {
        name: rows[:, some].mean()
        for name, some in (("multi", ~single), ("single", single))
        if some.any()
    }
    if reasoning is None:
        return total, terms
    if len(steps) > 2 and reasoning.improvement:
        bar = (1 - reasoning.margin) * rows[1:-1].detach()
        terms["improvement"] = torch.relu(rows[2:] - bar).mean()
        total = total + reasoning.improvement * terms["improvement"]
    if len(steps) > 1 and reasoning.confidence:
        unsure = torch.stack([_unsure(logits, mask, single) for logits in steps])
        later = unsure[1:]
        if reasoning.mode == "relative":
            later = torch.relu(later - (1 - reasoning.confidence_margin) * unsure[:-1].detach())
        terms["confidence"] = later.mean()
        total = total + reasoning.confidence * terms["confidence"]
    return total, terms


def _rows(
    logits: torch.Tensor,
    true: torch.Tensor,
    mask: torch.Tensor,
    single: torch.Tensor,
    options: GliclassLoss,
) -> torch.Tensor:
    """Return the (batch,) loss of each pass."""
    losses = torch.zeros(len(logits), device=logits.device)
    for some, rows in ((~single, multi_label_rows), (single, single_label_rows)):
        losses[some] = rows(logits[some], true[some], mask[some], options).float()
    return losses


def _unsure(logits: torch.Tensor, mask: torch.Tensor, single: torch.Tensor) -> torch.Tensor:
    """Return the (batch,) entropy of the answers: of one of many, or the mean of yes or no."""
    own = functional.softplus(logits) - torch.sigmoid(logits) * logits
    several = own.masked_fill(~mask, 0.0).sum(1) / mask.sum(1).clamp(min=1)
    shares = torch.log_softmax(logits.masked_fill(~mask, torch.finfo(logits.dtype).min), dim=1)
    one = -(shares.exp() * shares).masked_fill(~mask, 0.0).sum(1)
    return torch.where(single, one, several)
