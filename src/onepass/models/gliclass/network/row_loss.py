"""The loss of each pass by itself: the answers of one text to labels that were asked together.

It knows nothing about networks and batches of a corpus.
"""

from __future__ import annotations

import torch

from onepass.models.gliclass.loss import GliclassLoss
from onepass.nn.losses import focal_loss


def multi_label_rows(
    logits: torch.Tensor, true: torch.Tensor, mask: torch.Tensor, options: GliclassLoss
) -> torch.Tensor:
    """Return the (batch,) mean focal loss of the real labels of each pass.

    Args:
        logits: (batch, labels).
        true: (batch, labels), 1 at labels that hold.
        mask: (batch, labels), real labels.
        options: of the loss.
    """
    losses = focal_loss(
        logits, true, alpha=options.alpha, gamma=options.gamma, smoothing=options.smoothing
    )
    return losses.masked_fill(~mask, 0.0).sum(1) / mask.sum(1).clamp(min=1)


def single_label_rows(
    logits: torch.Tensor, true: torch.Tensor, mask: torch.Tensor, options: GliclassLoss
) -> torch.Tensor:
    """Return the (batch,) cross-entropy over the real labels of each pass.

    With ``gamma`` above 0 a pass weighs less the surer its right answer is, as labels do in a focal
    loss.

    Args:
        logits: (batch, labels).
        true: (batch, labels), 1 at the one label that holds.
        mask: (batch, labels), real labels.
        options: of the loss.
    """
    shares = torch.log_softmax(logits.float().masked_fill(~mask, -torch.inf), dim=1)
    shares = shares.masked_fill(~mask, 0.0)
    right = (shares * true).sum(1)  # (batch,)
    loss = -right
    if options.smoothing:
        even = -shares.sum(1) / mask.sum(1)
        loss = (1 - options.smoothing) * loss + options.smoothing * even
    if options.gamma > 0:
        wrong = 1 - right.exp()
        # Above 0, where an exponent below 1 has no slope.
        loss = loss * wrong.clamp(min=torch.finfo(wrong.dtype).tiny) ** options.gamma
    return loss
