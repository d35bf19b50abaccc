"""Scores of all cells of a grid of word pairs, without a vector for every cell."""

from __future__ import annotations

import torch


def cell_scores(
    starts: torch.Tensor, ends: torch.Tensor, folded: torch.Tensor, max_width: int
) -> torch.Tensor:
    """Return (batch, words, width, queries): ``relu(start_i + end_(i + width)) . query``.

    Args:
        starts: (batch, words, inner).
        ends: (batch, words + max_width - 1, inner).
        folded: (batch, inner, queries).
        max_width: number of widths.
    """
    length = starts.shape[1]
    scores = [
        torch.relu(starts + ends[:, width : width + length]) @ folded for width in range(max_width)
    ]
    return torch.stack(scores, dim=2)


class CellScores(torch.autograd.Function):
    """`cell_scores` with a backward pass that recomputes the cells instead of storing them.

    Storing every width and summing gradients of slices moves several times more memory; on a CPU
    that is most of the time of a training step.
    """

    @staticmethod
    def forward(ctx, starts, ends, folded, max_width):  # type: ignore[no-untyped-def]
        ctx.save_for_backward(starts, ends, folded)
        ctx.max_width = max_width
        batch, length, _ = starts.shape
        scores = starts.new_empty(batch, length, max_width, folded.shape[2])
        cells = torch.empty_like(starts)
        for width in range(max_width):
            torch.add(starts, ends[:, width : width + length], out=cells)
            scores[:, :, width] = cells.relu_() @ folded
        return scores

    @staticmethod
    def backward(ctx, grad):  # type: ignore[no-untyped-def]
        starts, ends, folded = ctx.saved_tensors
        length = starts.shape[1]
        d_starts, d_ends = torch.zeros_like(starts), torch.zeros_like(ends)
        d_folded = torch.zeros_like(folded)
        cells = torch.empty_like(starts)
        for width in range(ctx.max_width):
            torch.add(starts, ends[:, width : width + length], out=cells)
            cells.relu_()
            g = grad[:, :, width].contiguous()
            d_folded.add_(torch.bmm(cells.transpose(1, 2), g))  # baddbmm_ is slow in bf16
            d_cells = torch.bmm(g, folded.transpose(1, 2)).mul_(cells > 0)
            d_starts.add_(d_cells)
            d_ends[:, width : width + length].add_(d_cells)
        return d_starts, d_ends, d_folded, None
