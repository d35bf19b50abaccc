"""What every encoder is to the networks above it. It knows no architecture."""

from __future__ import annotations

import abc
from collections.abc import Iterator

import torch
from torch import nn

from onepass.nn.keymap import Entry


class Backbone(nn.Module, abc.ABC):
    """An encoder: piece ids in, one vector a piece out."""

    @property
    @abc.abstractmethod
    def hidden(self) -> int:
        """Size of the output vectors."""

    @property
    @abc.abstractmethod
    def depth(self) -> int:
        """Number of layers that the ``{i}`` of the key table runs over."""

    @property
    @abc.abstractmethod
    def layer_count(self) -> int:
        """Number of layers whose states `each_layer` yields."""

    @property
    @abc.abstractmethod
    def heads(self) -> int:
        """Number of heads of its attention."""

    @property
    @abc.abstractmethod
    def max_pieces(self) -> int | None:
        """Longest sequence that can be encoded, None where there is no limit."""

    @abc.abstractmethod
    def word_vectors(self, ids: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, size): what stands in the table, before anything is added.

        Args:
            ids: (batch, pieces) integers.
        """

    @property
    def types(self) -> int:
        """Number of types that pieces can be told apart by (segments); 0 where it knows none."""
        return 0

    def forward(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None = None,
        kept: torch.Tensor | None = None,
        types: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """Return (batch, pieces, hidden) vectors, or (batch, kept, hidden) where some are kept.

        Those at padding mean nothing.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
            words: (batch, pieces, size) in place of the `word_vectors` of the ids.
            kept: (batch, kept) places of the pieces that are read; the last layer need not compute
                what is said of the others. None for all.
            types: (batch, pieces), of which type each piece is; None if all are of the first.
                Encoders without types read none.
        """
        for states in self.each_layer(ids, mask, words, kept=kept, types=types):
            last = states
        return last

    @abc.abstractmethod
    def each_layer(
        self,
        ids: torch.Tensor,
        mask: torch.Tensor,
        words: torch.Tensor | None = None,
        *,
        embedded: bool = False,
        kept: torch.Tensor | None = None,
        types: torch.Tensor | None = None,
    ) -> Iterator[torch.Tensor]:
        """Yield the (batch, pieces, hidden) vectors behind each layer; the last are `forward`'s.

        Args:
            ids: (batch, pieces) integers.
            mask: (batch, pieces), 1 at real pieces, 0 at padding (on the right).
            words: (batch, pieces, size) in place of the `word_vectors` of the ids.
            embedded: yield what the first layer reads before all others.
            kept: (batch, kept) places of the pieces that the last layer yields; None for all.
            types: (batch, pieces), of which type each piece is; None if all are of the first.
        """

    @abc.abstractmethod
    def prepare(self) -> None:
        """Switch to evaluation and compute what depends on the weights alone, once."""

    @abc.abstractmethod
    def keys(self) -> tuple[Entry, ...]:
        """Return the table between the published names and ours."""
