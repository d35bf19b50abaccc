"""All layers of an encoder mixed into one vector a piece, weighted text by text."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import nn

from onepass.nn.keymap import Entry, linear


class LayerFuser(nn.Module):
    """Weighs each layer by what it says of a text on average, and adds the layers up.

    Padding does not count in the average.

    Args:
        layers: of the encoder.
        hidden: size of its vectors.

    >>> states = [torch.zeros(2, 5, 8) for _ in range(4)]
    >>> LayerFuser(4, 8)(states, torch.ones(2, 5)).shape
    torch.Size([2, 5, 8])
    """

    def __init__(self, layers: int, hidden: int) -> None:
        super().__init__()
        self.squeeze = nn.Linear(hidden, 1)
        self.narrow = nn.Linear(layers, layers // 2)
        self.widen = nn.Linear(layers // 2, layers)
        self.out = nn.Linear(hidden, hidden)

    def forward(self, states: Iterable[torch.Tensor], mask: torch.Tensor) -> torch.Tensor:
        """Return (batch, pieces, hidden).

        Args:
            states: (batch, pieces, hidden) for each layer.
            mask: (batch, pieces), 1 at real pieces.
        """
        every = torch.stack(list(states), dim=1)  # (batch, layers, pieces, hidden)
        real = mask[:, None].to(every.dtype)  # (batch, 1, pieces)
        said = (self.squeeze(every)[..., 0] * real).sum(2) / real.sum(2).clamp(min=1)
        weight = torch.sigmoid(self.widen(torch.relu(self.narrow(said))))  # (batch, layers)
        return self.out((every * weight[:, :, None, None]).sum(1))

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        return (
            *linear("squeeze", "squeeze"),
            *linear("W1", "narrow"),
            *linear("W2", "widen"),
            *linear("output_projection", "out"),
        )
