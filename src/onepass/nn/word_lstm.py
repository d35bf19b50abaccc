"""An LSTM over the words of padded texts, of both directions or one. It knows no pieces."""

from __future__ import annotations

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Rename
from onepass.nn.places import take, within

_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class WordLstm(nn.Module):
    """Layers that read words forwards and backwards, each way in half the vector, or forwards.

    A text is reversed within its own length, so padding is read after it in both directions and
    changes nothing; no sequence has to be packed, which an exported graph could not do.

    Args:
        hidden: size of word vectors, an even number where they are read both ways.
        layers: how many.
        both_ways: whether words are read backwards too.
        dropout: between two layers, used while training.

    >>> WordLstm(8)(torch.ones(2, 5, 8), torch.tensor([5, 3])).shape
    torch.Size([2, 5, 8])
    """

    def __init__(
        self, hidden: int, layers: int = 1, *, both_ways: bool = True, dropout: float = 0.0
    ) -> None:
        super().__init__()
        own, back = (hidden // 2, layers) if both_ways else (hidden, 0)
        self.ahead = nn.ModuleList(nn.LSTM(hidden, own, batch_first=True) for _ in range(layers))
        self.back = nn.ModuleList(nn.LSTM(hidden, own, batch_first=True) for _ in range(back))
        self.dropout = dropout

    def forward(self, words: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return (batch, words, hidden), 0 past the counts.

        Args:
            words: (batch, words, hidden).
            counts: (batch,) words of each row.
        """
        real = within(counts, words.shape[1])  # (batch, words)
        order = torch.arange(words.shape[1], device=words.device)[None].expand(words.shape[0], -1)
        backwards = torch.where(real, counts[:, None] - 1 - order, order)  # its own inverse
        for i, ahead in enumerate(self.ahead):
            if i and self.dropout:
                words = functional.dropout(words, self.dropout, self.training)
            there, _ = ahead(words)
            if self.back:
                again, _ = self.back[i](take(words, backwards))
                there = torch.cat([there, take(again, backwards)], dim=-1)
            words = there
        return words * real[..., None]

    def keys(self) -> tuple[Rename, ...]:
        """Return the table between published names and ours."""
        return tuple(
            Rename(f"{part}_l{i}{suffix}", f"{ours}.{i}.{part}_l0")
            for suffix, ours, layers in (("", "ahead", self.ahead), ("_reverse", "back", self.back))
            for i in range(len(layers))
            for part in _PARTS
        )
