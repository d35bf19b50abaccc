"""The rarer ways to make a vector of a span: sums of markers, widths, queries, convolutions.

Each builds the vectors of all spans of a text, except the plain marker, whose score is a sum.
Formulas: the span modes ``marker``, ``query``, ``mlp``, ``cat`` and ``conv_*`` of GLiNER.
"""

from __future__ import annotations

import abc

import torch
from torch import nn
from torch.nn import functional

from onepass.nn.keymap import Entry, Rename, linear
from onepass.nn.mlp import Mlp, mlp_keys
from onepass.nn.places import take
from onepass.nn.span_layer import SpanLayer


class MarkerSum(SpanLayer):
    """Mode ``marker``: a linear layer over two marked words, so a score is a sum of two.

    >>> MarkerSum(8, 4)(torch.zeros(2, 10, 8), torch.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 10, 4])
    """

    def __init__(self, hidden: int, max_width: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.hidden, self.max_width = hidden, max_width
        self.start = Mlp(hidden, 2 * hidden, hidden, dropout)
        self.end = Mlp(hidden, 2 * hidden, hidden, dropout)
        self.out = nn.Linear(2 * hidden, hidden)

    def forward(
        self, words: torch.Tensor, queries: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        starts, ends = (queries @ half.transpose(1, 2) for half in self._halves(words))
        ends = functional.pad(ends, (0, self.max_width - 1))
        length = words.shape[1]
        widths = [starts + ends[..., width : width + length] for width in range(self.max_width)]
        return torch.stack(widths, dim=-1)

    def at(
        self, words: torch.Tensor, places: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        starts, ends = self._halves(words)
        return take(starts, places[..., 0]) + take(ends, places[..., 1])

    def _halves(self, words: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return 2 of (batch, words, hidden): what each word adds as a start and as an end."""
        start_half, end_half = self.out.weight.split(self.hidden, dim=1)
        starts = functional.linear(torch.relu(self.start(words)), start_half, self.out.bias)
        return starts, functional.linear(torch.relu(self.end(words)), end_half)

    def keys(self) -> tuple[Entry, ...]:
        return (
            *mlp_keys("project_start", "start", 3),
            *mlp_keys("project_end", "end", 3),
            *linear("out_project", "out"),
        )


class SpanGrid(SpanLayer):
    """A layer that makes one vector for every first word and width.

    Args:
        max_width: longest span, in words.
    """

    def __init__(self, max_width: int) -> None:
        super().__init__()
        self.max_width = max_width

    @abc.abstractmethod
    def grid(self, words: torch.Tensor) -> torch.Tensor:
        """Return (batch, words, width, hidden) from (batch, words, hidden)."""

    def forward(
        self, words: torch.Tensor, queries: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        return torch.einsum("blkd,bqd->bqlk", self.grid(words), queries)

    def at(
        self, words: torch.Tensor, places: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        first, last = places[..., 0], places[..., 1]
        width = (last - first).clamp(0, self.max_width - 1)
        return take(self.grid(words).flatten(1, 2), first * self.max_width + width)


class QueryGrid(SpanGrid):
    """Mode ``query``: the first word, weighted by a vector of the width."""

    def __init__(self, hidden: int, max_width: int) -> None:
        super().__init__(max_width)
        self.widths = nn.Parameter(torch.empty(hidden, max_width).uniform_(-1, 1))
        self.out = nn.Linear(hidden, hidden)

    def grid(self, words: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.out(words[:, :, None] * self.widths.T))

    def keys(self) -> tuple[Entry, ...]:
        return (Rename("query_seg", "widths"), *linear("project.0", "out"))


class LinearGrid(SpanGrid):
    """Mode ``mlp``: one linear layer for each width over the first word."""

    def __init__(self, hidden: int, max_width: int) -> None:
        super().__init__(max_width)
        self.out = nn.Linear(hidden, hidden * max_width)

    def grid(self, words: torch.Tensor) -> torch.Tensor:
        return torch.relu(self.out(words)).unflatten(2, (self.max_width, words.shape[2]))

    def keys(self) -> tuple[Entry, ...]:
        return linear("mlp", "out")


class JoinedGrid(SpanGrid):
    """Mode ``cat``: the first word beside a vector of the width."""

    size = 128  # of a width's vector

    def __init__(self, hidden: int, max_width: int) -> None:
        super().__init__(max_width)
        self.hidden = hidden
        self.widths = nn.Parameter(torch.randn(self.size, max_width))
        self.out = nn.Linear(hidden + self.size, hidden)

    def grid(self, words: torch.Tensor) -> torch.Tensor:
        word_part, width_part = self.out.weight.split([self.hidden, self.size], dim=1)
        # The published parameter is stored as (size, width) but read row by row as (width, size).
        widths = self.widths.reshape(self.max_width, self.size)
        joined = functional.linear(words, word_part, self.out.bias)[:, :, None]
        return torch.relu(joined + functional.linear(widths, width_part))

    def keys(self) -> tuple[Entry, ...]:
        return (Rename("query_seg", "widths"), *linear("project.0", "out"))


class ConvGrid(SpanGrid):
    """Modes ``conv_*``: a window over the span's own words, then a linear layer."""

    def __init__(self, hidden: int, max_width: int) -> None:
        super().__init__(max_width)
        self.out = nn.Linear(hidden, hidden)

    @abc.abstractmethod
    def window(self, x: torch.Tensor, width: int) -> torch.Tensor:
        """Return (batch, hidden, words) from (batch, hidden, words + width - 1)."""

    def grid(self, words: torch.Tensor) -> torch.Tensor:
        x = words.transpose(1, 2)
        windows = [
            self.window(functional.pad(x, (0, width - 1)), width)
            for width in range(1, self.max_width + 1)
        ]
        return self.out(torch.relu(torch.stack(windows, dim=-1).permute(0, 2, 3, 1)))

    def keys(self) -> tuple[Entry, ...]:
        return linear("project.1", "out")


class PooledConv(ConvGrid):
    """Modes ``conv_max``, ``conv_mean`` and ``conv_sum``.

    Args:
        hidden: size of word vectors.
        max_width: longest span, in words.
        pooling: "max", "mean" or "sum".
    """

    def __init__(self, hidden: int, max_width: int, pooling: str) -> None:
        super().__init__(hidden, max_width)
        self.pooling = pooling

    def window(self, x: torch.Tensor, width: int) -> torch.Tensor:
        if width == 1:
            return x
        if self.pooling == "max":
            return functional.max_pool1d(x, width, stride=1)
        mean = functional.avg_pool1d(x, width, stride=1)
        return mean * width if self.pooling == "sum" else mean


class OwnConv(ConvGrid):
    """Mode ``conv_conv``: a convolution for each width from 2 up."""

    def __init__(self, hidden: int, max_width: int) -> None:
        super().__init__(hidden, max_width)
        self.convolutions = nn.ModuleList(
            nn.Conv1d(hidden, hidden, width) for width in range(2, max_width + 1)
        )

    def window(self, x: torch.Tensor, width: int) -> torch.Tensor:
        return x if width == 1 else self.convolutions[width - 2](x)

    def keys(self) -> tuple[Entry, ...]:
        own = [
            entry
            for i in range(len(self.convolutions))
            for entry in linear(f"convs.{i}.conv", f"convolutions.{i}")
        ]
        return (*own, *super().keys())


class SharedConv(ConvGrid):
    """Mode ``conv_share``: one convolution, of which a narrow span uses the first columns."""

    def __init__(self, hidden: int, max_width: int) -> None:
        super().__init__(hidden, max_width)
        self.kernel = nn.Parameter(torch.empty(hidden, hidden, max_width))
        nn.init.kaiming_uniform_(self.kernel, nonlinearity="relu")

    def window(self, x: torch.Tensor, width: int) -> torch.Tensor:
        return functional.conv1d(x, self.kernel[:, :, :width])

    def keys(self) -> tuple[Entry, ...]:
        return (Rename("conv_weigth", "kernel"), *super().keys())  # their spelling
