"""A bidirectional LSTM over the words of padded texts. It knows no pieces and no labels."""

from __future__ import annotations

import torch
from torch import nn

from onepass.nn.keymap import Rename
from onepass.nn.places import take, within

_PARTS = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")


class WordLstm(nn.Module):
    """Layers that read words forwards and backwards, each direction in half the vector.

    A text is reversed within its own length, so padding is read after it in both directions and
    changes nothing; no sequence has to be packed, which an exported graph could not do.

    Args:
        hidden: size of word vectors, an even number.
        layers: how many.

    >>> WordLstm(8)(torch.ones(2, 5, 8), torch.tensor([5, 3])).shape
    torch.Size([2, 5, 8])
    """

    def __init__(self, hidden: int, layers: int = 1) -> None:
        super().__init__()
        half = hidden // 2
        self.ahead = nn.ModuleList(nn.LSTM(hidden, half, batch_first=True) for _ in range(layers))
        self.back = nn.ModuleList(nn.LSTM(hidden, half, batch_first=True) for _ in range(layers))

    def forward(self, words: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
        """Return (batch, words, hidden), 0 past the counts.

        Args:
            words: (batch, words, hidden).
            counts: (batch,) words of each row.
        """
        real = within(counts, words.shape[1])  # (batch, words)
        order = torch.arange(words.shape[1], device=words.device)[None].expand(words.shape[0], -1)
        backwards = torch.where(real, counts[:, None] - 1 - order, order)  # its own inverse
        for ahead, back in zip(self.ahead, self.back, strict=True):
            there, _ = ahead(words)
            again, _ = back(take(words, backwards))
            words = torch.cat([there, take(again, backwards)], dim=-1)
        return words * real[..., None]

    def keys(self) -> tuple[Rename, ...]:
        """Return the table between published names and ours."""
        return tuple(
            Rename(f"lstm.{part}_l{i}{suffix}", f"{ours}.{i}.{part}_l0")
            for i in range(len(self.ahead))
            for suffix, ours in (("", "ahead"), ("_reverse", "back"))
            for part in _PARTS
        )
