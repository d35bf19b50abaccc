"""What every layer that scores spans is to the networks above it. It knows no formula."""

from __future__ import annotations

import abc

import torch
from torch import nn

from onepass.nn.keymap import Entry


class SpanLayer(nn.Module, abc.ABC):
    """Word vectors in; scores of all short spans, or the vectors of some spans, out."""

    @abc.abstractmethod
    def forward(
        self, words: torch.Tensor, queries: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return logits (batch, queries, words, width); spans that pass the end are undefined.

        Args:
            words: (batch, words, hidden).
            queries: (batch, queries, hidden).
            counts: (batch,) words of each row; None where no row is padded.
        """

    @abc.abstractmethod
    def at(
        self, words: torch.Tensor, places: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return (batch, spans, hidden): vectors whose product with a query is its logit.

        Args:
            words: (batch, words, hidden).
            places: (batch, spans, 2) first and last word of each.
            counts: (batch,) words of each row; None where no row is padded.
        """

    @abc.abstractmethod
    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
