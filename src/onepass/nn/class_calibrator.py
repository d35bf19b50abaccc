"""A learned temperature for every text and label, on top of the logits of a classifier.

It reads the vectors that were compared and what all logits of a text look like together. It knows
neither texts nor how its inputs were made.
"""

from __future__ import annotations

import math

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, Rename, linear

_STATISTICS = 6


class ClassCalibrator(nn.Module):
    """``temperature * logit + bias``, both from two vectors and the statistics of the logits.

    Args:
        hidden: size of the vectors.
        inner: size of the layers between.
        most: largest temperature.
        dropout: probability, used while training.
        biased: whether there is a bias.

    >>> calibrator = ClassCalibrator(4, 8, 3.0, 0.0, biased=False)
    >>> logits, mask = torch.tensor([[1.0, -1.0]]), torch.ones(1, 2)
    >>> calibrator(torch.zeros(1, 4), torch.zeros(1, 2, 4), logits, mask).shape
    torch.Size([1, 2])
    """

    def __init__(
        self, hidden: int, inner: int, most: float, dropout: float, *, biased: bool
    ) -> None:
        super().__init__()
        self.text_norm = nn.LayerNorm(hidden)
        self.label_norm = nn.LayerNorm(hidden)
        self.first = nn.Linear(4 * hidden + _STATISTICS, inner)
        self.middle = nn.Linear(inner, inner)
        self.last = nn.Linear(inner, 2 if biased else 1)
        self.most, self.dropout, self.biased = most, dropout, biased

    def forward(
        self,
        text: torch.Tensor,
        labels: torch.Tensor,
        logits: torch.Tensor,
        label_mask: torch.Tensor,
    ) -> torch.Tensor:
        """Return (batch, labels) calibrated logits; those of padding mean nothing.

        Args:
            text: (batch, hidden).
            labels: (batch, labels, hidden).
            logits: (batch, labels).
            label_mask: (batch, labels), 1 at real labels.
        """
        own = self.text_norm(text)[:, None].expand_as(labels)
        other = self.label_norm(labels)
        parts = (own, other, own * other, (own - other).abs(), statistics(logits, label_mask))
        inner = functional.gelu(self.first(torch.cat(parts, dim=-1)))
        inner = functional.gelu(self.middle(self._drop(inner)))
        out = self.last(self._drop(inner))  # (batch, labels, 1 or 2)
        scaled = self.most * torch.sigmoid(out[..., 0]) * logits
        return scaled + out[..., 1] if self.biased else scaled

    def _drop(self, x: torch.Tensor) -> torch.Tensor:
        return functional.dropout(x, self.dropout, self.training)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        return (
            *(
                Rename(f"{norm}.{part}", f"{norm}.{part}")
                for norm in ("text_norm", "label_norm")
                for part in ("weight", "bias")
            ),
            *linear("mlp.0", "first"),
            *linear("mlp.3", "middle"),
            *linear("mlp.6", "last"),
        )


def statistics(logits: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return (batch, labels, 6): what a logit is among the logits of its text.

    The logit, its size, how far it is from the highest and from the mean, how unsure all of them
    are on average (in nats, of 0.69 at most), and the logarithm of their number.

    Args:
        logits: (batch, labels).
        mask: (batch, labels), 1 at those that count.
    """
    real = mask.to(logits.dtype)
    count = real.sum(1, keepdim=True).clamp(min=1.0)  # (batch, 1)
    highest = logits.masked_fill(~mask.bool(), -math.inf).amax(1, keepdim=True)
    mean = (logits * real).sum(1, keepdim=True) / count
    shares = torch.sigmoid(logits)
    unsure = functional.softplus(logits) - shares * logits  # entropy of a yes-or-no answer
    doubt = (unsure * real).sum(1, keepdim=True) / count
    every = torch.ones_like(logits)
    return torch.stack(
        (logits, logits.abs(), logits - highest, logits - mean, doubt * every, count.log() * every),
        dim=-1,
    )
