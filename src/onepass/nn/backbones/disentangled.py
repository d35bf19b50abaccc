"""Attention over content and relative distance, as DeBERTa has it.

To the product of query and key come two more: query times the vector of the distance to the key,
and key times the vector of the distance to the query (https://arxiv.org/abs/2006.03654,
equation 4). Both depend on the distance alone, so each is one product with a table of distances in
order. Row ``i`` of the result is needed from ``i`` places further left: a slice and a reshape
(`_moved`), where the published code gathers element by element. Pieces are taken in four blocks:
a block needs the distances to all pieces from its own rows only, 5 distances for 4 pieces where
all pieces at once need 8.

A graph that is exported has one head after the other, too (`onepass.nn.graphs.by_head`).

It knows no weights, no dropout and no normalizations.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import nn

BLOCKS = 4  # the number of pieces is a multiple
DOMAIN = "onepass"  # of the node that stands for this attention until two orders of work replace it
NODE = "DisentangledAttention"

Dropout = Callable[[torch.Tensor], torch.Tensor]


class Tables(NamedTuple):
    """Vectors of the distances in order, (heads, distances, size) each.

    Attributes:
        key: the vectors that queries are multiplied with; None where there is no such product.
        query: the vectors that keys are multiplied with, likewise.
    """

    key: torch.Tensor | None
    query: torch.Tensor | None


class TableRows(NamedTuple):
    """Where each distance of `block_distances` stands, (BLOCKS, pieces + pieces / BLOCKS) each.

    Attributes:
        by_query: rows of the table that queries are multiplied with.
        by_key: rows of the table that keys are multiplied with.
    """

    by_query: torch.Tensor
    by_key: torch.Tensor


def block_distances(pieces: int, device: torch.device) -> torch.Tensor:
    """Return (BLOCKS, pieces + pieces / BLOCKS) the distances that the rows of a block meet.

    Element ``c`` of a block is the distance from its first row to piece ``c - pieces / BLOCKS``.

    >>> block_distances(4, torch.device("cpu")).tolist()[1]
    [-2, -1, 0, 1, 2]
    """
    rows = pieces // BLOCKS
    columns = torch.arange(pieces + rows, device=device) - rows
    return columns[None] - torch.arange(BLOCKS, device=device)[:, None] * rows


def attend(
    qkv: torch.Tensor,
    bias: torch.Tensor,
    tables: Tables,
    rows: TableRows,
    heads: int,
    drop: Dropout = lambda weights: weights,
) -> torch.Tensor:
    """Attend with all heads at once.

    Args:
        qkv: (batch, pieces, 3 * hidden), the queries scaled; the number of pieces is a multiple of
            `BLOCKS`.
        bias: (batch, 1, pieces), 0 at real pieces and very low at padding.
        tables: vectors of the distances.
        rows: the rows of the tables that the distances of these pieces have.
        heads: their number.
        drop: is given the weights.

    Returns:
        (batch, pieces, hidden).
    """
    batch, pieces, width = qkv.shape
    # Heads first: the tables are per head, so the batch can lie beside the pieces.
    parts = qkv.view(batch, pieces, 3, heads, width // (3 * heads)).permute(2, 3, 0, 1, 4)
    q, k, v = parts.unbind(0)  # (heads, batch, pieces, size)
    scores = k @ q.transpose(2, 3)  # (heads, batch, key, query)
    if tables.query is not None:
        scores = scores + _by_distance(k, tables.query[:, None, rows.by_key], batch, pieces)
    scores = scores.transpose(2, 3)
    if tables.key is not None:
        scores = scores + _by_distance(q, tables.key[:, None, rows.by_query], batch, pieces)
    weights = drop(torch.softmax(scores + bias, dim=-1))
    mixed = (weights @ v).permute(1, 2, 0, 3)  # (batch, pieces, heads, size)
    return mixed.reshape(batch, pieces, width // 3)


class AsNode(torch.autograd.Function):
    """`attend` as one node of a graph that is being exported."""

    @staticmethod
    def forward(
        ctx: Any,
        qkv: torch.Tensor,
        bias: torch.Tensor,
        key_table: torch.Tensor,
        query_table: torch.Tensor,
        by_query: torch.Tensor,
        by_key: torch.Tensor,
    ) -> torch.Tensor:
        tables, rows = Tables(key_table, query_table), TableRows(by_query, by_key)
        return attend(qkv, bias, tables, rows, len(key_table))

    @staticmethod
    def symbolic(graph: Any, *inputs: Any) -> Any:
        heads, distances, size = inputs[2].type().sizes()
        sizes = {"heads_i": heads, "distances_i": distances, "size_i": size}
        node = graph.op(f"{DOMAIN}::{NODE}", *inputs, **sizes)
        node.setType(inputs[0].type().with_sizes([None, None, heads * size]))
        return node


class AllHeads(nn.Module):
    """`attend` as what the exporter takes.

    Args:
        heads: their number.
    """

    def __init__(self, heads: int) -> None:
        super().__init__()
        self.heads = heads

    def forward(
        self,
        qkv: torch.Tensor,
        bias: torch.Tensor,
        key_table: torch.Tensor,
        query_table: torch.Tensor,
        by_query: torch.Tensor,
        by_key: torch.Tensor,
    ) -> torch.Tensor:
        tables, rows = Tables(key_table, query_table), TableRows(by_query, by_key)
        return attend(qkv, bias, tables, rows, self.heads)


def _by_distance(x: torch.Tensor, near: torch.Tensor, batch: int, pieces: int) -> torch.Tensor:
    """Multiply each piece with the vector of its distance to each piece.

    Args:
        x: (..., batch, pieces, size).
        near: (..., BLOCKS, pieces + pieces / BLOCKS, size) vectors of `block_distances`.
        batch: its size.
        pieces: their number.

    Returns:
        (..., batch, pieces, pieces).
    """
    *outer, _, _, size = x.shape
    rows = pieces // BLOCKS
    products = x.reshape(*outer, batch, BLOCKS, rows, size) @ near.transpose(-1, -2)
    return _moved(products.reshape(*outer, batch, BLOCKS, -1), rows, pieces).reshape(
        *outer, batch, pieces, pieces
    )


def _moved(flat: torch.Tensor, rows: int, pieces: int) -> torch.Tensor:
    """Move row ``r`` of each block ``r`` places to the left, and drop what stands out.

    Leaving out the first ``rows`` elements and reading rows one element shorter than they were
    written moves each row one place against the last.

    Args:
        flat: (..., rows * (pieces + rows)).
        rows: of a block.
        pieces: that remain of each row.

    Returns:
        (..., rows, pieces).
    """
    return flat[..., rows:].reshape(*flat.shape[:-1], rows, -1)[..., :pieces]
