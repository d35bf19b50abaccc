"""Scores of every word as the start, the end and the inside of an entity, for every label.

It knows neither prompts nor thresholds. Formula: the scorer of GLiNER's token models.
"""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, linear
from onepass.nn.mlp import Mlp, mlp_keys


class TokenHead(nn.Module):
    """``out([t1; q1; t2 * q2])`` of words (t1, t2) and labels (q1, q2).

    The first layer of ``out`` is split: the part that reads words is computed once per word, the
    part that reads labels once per label, and only the product meets every pair.

    Args:
        hidden: size of word and label vectors.
        dropout: probability, used while training.

    >>> TokenHead(8)(torch.zeros(2, 10, 8), torch.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 10, 3])
    """

    def __init__(self, hidden: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden = hidden
        self.word = nn.Linear(hidden, 2 * hidden)
        self.label = nn.Linear(hidden, 2 * hidden)
        self.out = Mlp(3 * hidden, 4 * hidden, 3, dropout)

    def forward(self, words: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        """Return logits (batch, labels, words, 3) of start, end and inside.

        Args:
            words: (batch, words, hidden).
            labels: (batch, labels, hidden).
        """
        first = self.out.first
        word_part, label_part, both_part = first.weight.split(self.hidden, dim=1)
        word_side, word_factor = self.word(words).split(self.hidden, dim=2)
        label_side, label_factor = self.label(labels).split(self.hidden, dim=2)
        both = label_factor[:, :, None] * word_factor[:, None]  # (batch, labels, words, hidden)
        inner = functional.linear(both, both_part)
        inner = inner + functional.linear(word_side, word_part)[:, None]
        inner = inner + functional.linear(label_side, label_part, first.bias)[:, :, None]
        inner = functional.dropout(torch.relu(inner), self.out.dropout, self.training)
        return self.out.last(inner)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        return (
            *linear("proj_token", "word"),
            *linear("proj_label", "label"),
            *mlp_keys("out_mlp", "out", 3),
        )
