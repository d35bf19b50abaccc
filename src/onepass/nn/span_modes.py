"""From the published name of a span mode to its layer: the one place that knows the names."""

from __future__ import annotations

from collections.abc import Callable

from onepass.nn import span_grids
from onepass.nn.span_head import SpanHead
from onepass.nn.span_layer import SpanLayer


def build_span_layer(mode: str, hidden: int, max_width: int, dropout: float = 0.0) -> SpanLayer:
    """Return the layer of a span mode, with random weights.

    Args:
        mode: ``span_mode`` of a GLiNER configuration; with "token_level", `SpanLayer.at` alone is
            of use.
        hidden: size of word vectors.
        max_width: longest span, in words.
        dropout: probability, used while training.

    Raises:
        ValueError: for an unknown mode.

    >>> build_span_layer("conv_max", 8, 4).max_width
    4
    """
    if mode in ("markerV0", "token_level"):
        return SpanHead(hidden, max_width, dropout)
    if mode in ("markerV1", "markerV2"):
        context = "mean" if mode == "markerV1" else "last"
        return SpanHead(hidden, max_width, dropout, context=context)
    if mode == "marker":
        return span_grids.MarkerSum(hidden, max_width, dropout)
    if mode in ("conv_max", "conv_mean", "conv_sum"):
        return span_grids.PooledConv(hidden, max_width, mode.removeprefix("conv_"))
    grids: dict[str, Callable[[int, int], SpanLayer]] = {
        "query": span_grids.QueryGrid,
        "mlp": span_grids.LinearGrid,
        "cat": span_grids.JoinedGrid,
        "conv_conv": span_grids.OwnConv,
        "conv_share": span_grids.SharedConv,
    }
    if mode not in grids:
        raise ValueError(f"There is no span mode {mode!r}.")
    return grids[mode](hidden, max_width)
