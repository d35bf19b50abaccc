"""Spans as two marked words, optionally with the text around them: the layer of most checkpoints.

It knows neither prompts nor thresholds. Formulas: ``SpanMarkerV0``, ``V1``, ``V2`` of the GLiNER
family and the span layer of GLiNER2.
"""

from __future__ import annotations

import torch
from torch.nn import functional

from onepass.nn.cell_scores import CellScores, cell_scores
from onepass.nn.keymap import Entry
from onepass.nn.mlp import Mlp, mlp_keys
from onepass.nn.places import take, within
from onepass.nn.span_layer import SpanLayer


class SpanHead(SpanLayer):
    """Scores every span against every query without building span vectors.

    ``out(relu([start_i; end_j])) . query`` is split: the first layer of ``out`` into a half for the
    start and one for the end (once per word), its last layer into the query (once per query).

    Args:
        hidden: size of word and query vectors.
        max_width: longest span, in words; of no meaning to `at`.
        dropout: probability, used while training.
        context: what a span knows of its text: "mean" of all words, the "last" word, or None.

    >>> head = SpanHead(hidden=8, max_width=4).eval()
    >>> head(torch.zeros(2, 10, 8), torch.zeros(2, 3, 8)).shape
    torch.Size([2, 3, 10, 4])
    """

    def __init__(
        self, hidden: int, max_width: int, dropout: float = 0.0, *, context: str | None = None
    ) -> None:
        super().__init__()
        self.hidden, self.max_width, self.context = hidden, max_width, context
        self.start = Mlp(hidden, 4 * hidden, hidden, dropout)
        self.end = Mlp(hidden, 4 * hidden, hidden, dropout)
        self.around = Mlp(hidden, 4 * hidden, hidden, dropout) if context == "last" else None
        parts = 2 if context is None else 3
        self.out = Mlp(parts * hidden, 4 * hidden, hidden, dropout)

    def forward(
        self, words: torch.Tensor, queries: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return logits (batch, queries, words, width); spans that pass the end are undefined.

        Args:
            words: (batch, words, hidden).
            queries: (batch, queries, hidden).
            counts: (batch,) words of each row; None where no row is padded.
        """
        starts, ends = self._halves(words, counts)
        ends = functional.pad(ends, (0, 0, 0, self.max_width - 1))
        last = self.out.last
        folded = (queries @ last.weight).transpose(1, 2)  # (batch, 4 hidden, queries)
        offset = (queries @ last.bias)[:, :, None, None]  # (batch, queries, 1, 1)
        if self.training:
            grid = CellScores.apply(starts, ends, folded, self.max_width)
        else:
            grid = cell_scores(starts, ends, folded, self.max_width)
        return grid.permute(0, 3, 1, 2) + offset  # (batch, queries, words, width)

    def at(
        self, words: torch.Tensor, places: torch.Tensor, counts: torch.Tensor | None = None
    ) -> torch.Tensor:
        """Return (batch, spans, hidden): vectors whose product with a query is its logit.

        Args:
            words: (batch, words, hidden).
            places: (batch, spans, 2) first and last word of each, however long.
            counts: (batch,) words of each row; None where no row is padded.
        """
        starts, ends = self._halves(words, counts)
        return self.out.last(torch.relu(take(starts, places[..., 0]) + take(ends, places[..., 1])))

    def _halves(
        self, words: torch.Tensor, counts: torch.Tensor | None
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return 2 of (batch, words, 4 hidden): what each word adds as a start and as an end."""
        first = self.out.first
        # Slices, not a split: in an exported graph they are weights, and not computed from one.
        start_part = first.weight[:, : self.hidden]
        end_part = first.weight[:, self.hidden : 2 * self.hidden]
        starts = functional.linear(torch.relu(self.start(words)), start_part, first.bias)
        ends = functional.linear(torch.relu(self.end(words)), end_part)
        if self.context is not None:
            around = self._around(words, counts)
            around_part = first.weight[:, 2 * self.hidden :]
            starts = starts + functional.linear(torch.relu(around), around_part)
        return starts, ends

    def _around(self, words: torch.Tensor, counts: torch.Tensor | None) -> torch.Tensor:
        """Return (batch, 1, hidden): what all spans of a text know of it."""
        if counts is None:
            counts = torch.full_like(words[:, 0, 0], words.shape[1], dtype=torch.int64)
        if self.around is not None:
            last = self.around(take(words, (counts - 1).clamp(min=0)[:, None]))
            return last * (counts > 0)[:, None, None]
        real = within(counts, words.shape[1])[..., None].to(words.dtype)
        return (words * real).sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp(min=1)

    def keys(self) -> tuple[Entry, ...]:
        """Return the table between published names and ours."""
        entries = [
            *mlp_keys("project_start", "start", 3),
            *mlp_keys("project_end", "end", 3),
            *mlp_keys("out_project", "out", 3),
        ]
        if self.around is not None:
            entries += mlp_keys("project_context", "around", 3)
        return tuple(entries)
