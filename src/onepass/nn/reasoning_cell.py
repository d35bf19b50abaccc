"""One more reading of vectors that were read before: a gate between what was said and what is.

It knows neither labels nor scores. Formulas: the recurrent reasoning cell of GLiClass.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, linear

_HEAD = 64  # numbers of a head of attention
Encode = Callable[[torch.Tensor], torch.Tensor]


def heads_of(hidden: int) -> int:
    """Return the heads of attention over vectors of a size.

    >>> heads_of(1024), heads_of(32)
    (16, 1)
    """
    return max(1, hidden // _HEAD)


class ReasoningCell(nn.Module):
    """``(1 - u) h + u c``: the state h, and the candidate ``c = encode(r h + (1 - r) x + read)``.

    The gates r and u are of h and the inputs x, and of h and c. What is read of the text, if
    anything is, is found by attention from the state.

    Args:
        hidden: size of the vectors.
        reads_text: whether the text is read, too.

    >>> cell = ReasoningCell(8, reads_text=False)
    >>> cell(torch.zeros(1, 3, 8), torch.ones(1, 3, 8), encode=lambda x: x).shape
    torch.Size([1, 3, 8])
    """

    def __init__(self, hidden: int, *, reads_text: bool) -> None:
        super().__init__()
        self.hidden, self.reads_text = hidden, reads_text
        self.reset = nn.Linear(2 * hidden, hidden)
        self.update = nn.Linear(2 * hidden, hidden)
        if reads_text:
            self.q = nn.Linear(hidden, hidden)
            self.k = nn.Linear(hidden, hidden)
            self.v = nn.Linear(hidden, hidden)
            self.out = nn.Linear(hidden, hidden)

    def normed(self, x: torch.Tensor) -> torch.Tensor:
        """Return vectors (..., hidden) of mean 0 and deviation 1."""
        return functional.layer_norm(x, (self.hidden,))

    def memory(
        self, states: torch.Tensor, mask: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Return what every reading looks up in the text: keys, values, and a bias.

        Args:
            states: (batch, pieces, hidden) of the text.
            mask: (batch, pieces), true at its pieces.
        """
        normed = self.normed(states)
        bias = torch.where(mask, 0.0, torch.finfo(states.dtype).min / 2).to(states.dtype)
        return self._heads(self.k(normed)), self._heads(self.v(normed)), bias[:, None, None]

    def forward(
        self,
        state: torch.Tensor,
        inputs: torch.Tensor,
        encode: Encode,
        memory: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None,
    ) -> torch.Tensor:
        """Return the next state (batch, pieces, hidden).

        Args:
            state: (batch, pieces, hidden).
            inputs: (batch, pieces, hidden) that were read first, of `normed`.
            encode: (batch, pieces, hidden) to what is said of it.
            memory: of the text; None where it is not read.
        """
        reset = torch.sigmoid(self.reset(torch.cat((state, inputs), dim=-1)))
        mixed = reset * state + (1 - reset) * inputs
        if memory is not None:
            mixed = mixed + self._read(state, memory)
        found = encode(mixed)
        update = torch.sigmoid(self.update(torch.cat((state, found), dim=-1)))
        return (1 - update) * state + update * found

    def _read(
        self, state: torch.Tensor, memory: tuple[torch.Tensor, torch.Tensor, torch.Tensor]
    ) -> torch.Tensor:
        k, v, bias = memory
        q = self._heads(self.q(self.normed(state)))  # (batch, heads, pieces, size)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=bias)
        return self.out(seen.transpose(1, 2).flatten(2))

    def _heads(self, x: torch.Tensor) -> torch.Tensor:
        """Return (batch, heads, pieces, size)."""
        heads = heads_of(self.hidden)
        return x.unflatten(2, (heads, self.hidden // heads)).transpose(1, 2)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries = [*linear("reset_gate", "reset"), *linear("update_gate", "update")]
        if self.reads_text:
            for name in ("q", "k", "v", "out"):
                entries += linear(f"read_{name}", name)
        return tuple(entries)
