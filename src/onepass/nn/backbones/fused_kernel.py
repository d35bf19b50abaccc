"""The kernel of `onepass.nn.backbones.fused`, in the language of Triton; imported on a GPU only."""

# ruff: noqa: N803, N806, PLR0913 - constants of a kernel are among its arguments, in capitals.
# mypy: disable-error-code="no-untyped-def, no-untyped-call, untyped-decorator, misc"

from __future__ import annotations

import triton
import triton.language as tl


@triton.jit
def _near(table, rows, first, farthest, head, table_rows, BLOCK: tl.constexpr, SIZE: tl.constexpr):
    """Load the (BLOCK, SIZE) vectors of the distances from ``first`` up."""
    distances = first + tl.arange(0, BLOCK)
    distances = tl.minimum(tl.maximum(distances, -farthest), farthest)
    row = tl.load(rows + farthest + distances).to(tl.int32)
    columns = tl.arange(0, SIZE)
    places = (head * table_rows + row) * SIZE
    return tl.load(table + places[:, None] + columns[None, :])


@triton.jit
def _by_key(
    k, turned, table, rows, first, farthest, head, table_rows,
    BLOCK: tl.constexpr, SIZE: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Return the (query, key) products of keys with the vectors of their distances."""
    i = tl.arange(0, BLOCK)
    near = _near(table, rows, first, farthest, head, table_rows, BLOCK, SIZE)
    upper = tl.dot(near, tl.trans(k), input_precision=PRECISION)  # (distance, key)
    near = _near(table, rows, first - BLOCK, farthest, head, table_rows, BLOCK, SIZE)
    lower = tl.dot(near, tl.trans(k), input_precision=PRECISION)
    return tl.gather(tl.where(i[:, None] + i[None, :] < BLOCK, upper, lower), turned, 0)


@triton.jit(do_not_specialize=["pieces", "farthest", "table_rows"])
def attend_kernel(
    qkv, bias, key_table, query_table, rows, lengths, out, pieces, farthest, table_rows,
    HEADS: tl.constexpr, SIZE: tl.constexpr, BLOCK: tl.constexpr,
    BY_QUERY: tl.constexpr, BY_KEY: tl.constexpr, PRECISION: tl.constexpr,
):  # fmt: skip
    """Attend from BLOCK queries of one head of one row to all its keys.

    qkv (batch, pieces, 3 * HEADS * SIZE), bias (batch, pieces), tables (HEADS, table_rows, SIZE),
    rows (2 * farthest + 1), lengths (batch), out (batch, pieces, HEADS * SIZE).
    """
    HIDDEN: tl.constexpr = HEADS * SIZE
    LOG2E: tl.constexpr = 1.4426950408889634
    LOWEST: tl.constexpr = -30000.0  # no weight; lower, rounding would make much of a tile of it
    first = tl.program_id(0) * BLOCK
    batch = tl.program_id(1).to(tl.int64)
    head = tl.program_id(2)
    length = tl.load(lengths + batch).to(tl.int32)
    i = tl.arange(0, BLOCK)
    columns = tl.arange(0, SIZE)
    queries = first + i
    inside = queries[:, None] < pieces
    out += batch * pieces * HIDDEN + head * SIZE
    place = out + queries[:, None] * HIDDEN + columns[None, :]
    if first >= length:
        tl.store(place, tl.zeros([BLOCK, SIZE], out.dtype.element_ty), mask=inside)
        return
    qkv += batch * pieces * (3 * HIDDEN) + head * SIZE
    bias += batch * pieces
    q = tl.load(qkv + queries[:, None] * (3 * HIDDEN) + columns[None, :], mask=inside, other=0.0)

    if BY_QUERY:
        near = _near(key_table, rows, first, farthest, head, table_rows, BLOCK, SIZE)
        upper = tl.dot(q, tl.trans(near), input_precision=PRECISION)  # (query, distance)

    most = tl.full([BLOCK], -float("inf"), tl.float32)
    total = tl.zeros([BLOCK], tl.float32)
    mixed = tl.zeros([BLOCK, SIZE], tl.float32)
    for start in range(0, length, BLOCK):
        keys = start + i
        real = keys < pieces
        # Element (i, j) of a tile lies at (i - j) modulo BLOCK along the axis of distances.
        turned = (i[:, None] - i[None, :]) & (BLOCK - 1)  # (query, key)
        at = qkv + HIDDEN + keys[:, None] * (3 * HIDDEN) + columns[None, :]
        k = tl.load(at, mask=real[:, None], other=0.0)
        # The product of content comes last and adds to the others: it has the layout that the
        # softmax is best computed in.
        scores = tl.zeros([BLOCK, BLOCK], tl.float32)  # (query, key)
        if BY_KEY:
            scores += _by_key(
                k, turned, query_table, rows, first - start, farthest, head, table_rows,
                BLOCK, SIZE, PRECISION,
            )  # fmt: skip
        if BY_QUERY:
            near = _near(
                key_table, rows, first - start - BLOCK, farthest, head, table_rows, BLOCK, SIZE
            )
            lower = tl.dot(q, tl.trans(near), input_precision=PRECISION)
            scores += tl.gather(tl.where(i[None, :] <= i[:, None], upper, lower), turned, 1)
            upper = lower
        scores = tl.dot(q, tl.trans(k), scores, input_precision=PRECISION)
        hidden = tl.load(bias + keys, mask=real, other=LOWEST).to(tl.float32)
        scores += tl.maximum(hidden, LOWEST)[None, :]
        higher = tl.maximum(most, tl.max(scores, 1) * LOG2E)
        shrink = tl.exp2(most - higher)
        weights = tl.exp2(scores * LOG2E - higher[:, None])
        total = total * shrink + tl.sum(weights, 1)
        v = tl.load(at + HIDDEN, mask=real[:, None], other=0.0)
        mixed = mixed * shrink[:, None]
        mixed = tl.dot(weights.to(v.dtype), v, mixed, input_precision=PRECISION)
        most = higher
    tl.store(place, (mixed / total[:, None]).to(out.dtype.element_ty), mask=inside)
