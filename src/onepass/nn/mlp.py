"""Linear, ReLU, dropout, linear: the perceptron that most heads of the family use."""

from __future__ import annotations

import torch
from torch import nn

from onepass.nn.keymap import Rename, linear


class Mlp(nn.Module):
    """``last(dropout(relu(first(x))))``.

    Args:
        inputs: size of the last axis of the input.
        hidden: size between the two layers.
        outputs: size of the last axis of the output.
        dropout: probability, used while training.

    >>> Mlp(4, 8, 2)(torch.zeros(3, 4)).shape
    torch.Size([3, 2])
    """

    def __init__(self, inputs: int, hidden: int, outputs: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.first = nn.Linear(inputs, hidden)
        self.last = nn.Linear(hidden, outputs)
        self.dropout = dropout

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        hidden = torch.relu(self.first(x))
        if self.training and self.dropout:
            hidden = nn.functional.dropout(hidden, self.dropout)
        return self.last(hidden)


def mlp_keys(theirs: str, ours: str, last: int = 2) -> tuple[Rename, ...]:
    """Return the key entries of an `Mlp` that is published as a sequence.

    Args:
        theirs: name of the sequence.
        ours: name of the `Mlp`.
        last: place of the second linear layer in the sequence.

    >>> [entry.theirs for entry in mlp_keys("classifier", "head")]
    ['classifier.0.weight', 'classifier.0.bias', 'classifier.2.weight', 'classifier.2.bias']
    """
    return (*linear(f"{theirs}.0", f"{ours}.first"), *linear(f"{theirs}.{last}", f"{ours}.last"))
