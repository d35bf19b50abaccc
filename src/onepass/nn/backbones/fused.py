"""Attention over content and relative distance as one kernel of a GPU, for inference.

It computes what `onepass.nn.backbones.disentangled.attend` does, tile by tile, with the softmax of
FlashAttention (https://arxiv.org/abs/2205.14135): no score ever reaches the memory of the device.

A tile of 64 queries and 64 keys meets 127 distances: those from 0 up ("upper", where the query
stands behind the key) and those below ("lower"). Products of the queries with the vectors of both
halves hold all that the tile needs; element ``(i, m)`` of it belongs to key ``i - m`` modulo 64, so
one choice between the halves and one rotation of each row put every element in its place. The next
64 keys are 64 places farther: their upper half is the lower half of these, and is kept. The same
is done for the keys and the second table, by columns.

Triton (https://triton-lang.org) comes with torch for CUDA; nothing here imports it before a GPU is
there to run on. The kernel is in `fused_kernel`. It knows no weights, no dropout and no training.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec

import torch

from onepass.nn.backbones.disentangled import Tables

ENABLED = True  # if False when a network is prepared, `attend` runs on GPUs as well
SIZES = (16, 32, 64, 128)  # of a head
OLDEST = (8, 0)  # compute capability: Ampere, the first with bf16


@dataclass(frozen=True, slots=True)
class Tiles:
    """How the kernel is laid out on a GPU.

    Attributes:
        block: queries and keys of a tile, a power of 2 from 16 up.
        warps: that share a tile.
        stages: of loads that are under way while a tile is computed.
        registers: of a thread at most, so that more tiles are computed at a time; None leaves it
            to the compiler.
    """

    block: int
    warps: int
    stages: int
    registers: int | None = None


HALF = Tiles(block=64, warps=4, stages=2)
WIDE = Tiles(block=32, warps=4, stages=2)  # heads of 128
FULL = Tiles(block=32, warps=4, stages=2)  # fp32: everything takes twice the room


@dataclass(frozen=True, slots=True)
class Fused:
    """What all layers of one run share when they attend with the kernel.

    Attributes:
        rows: (distances,) integers, the table row of each distance, from the farthest before to the
            farthest behind.
        lengths: (batch,) integers, the place behind the last real piece of each row.
    """

    rows: torch.Tensor
    lengths: torch.Tensor

    def attend(
        self,
        qkv: torch.Tensor,
        bias: torch.Tensor,
        tables: Tables,
        heads: int,
    ) -> torch.Tensor:
        """Return (batch, pieces, hidden); see `fused_attend`."""
        key, query = (None if one is None else one.to(qkv.dtype) for one in tables)
        if torch.compiler.is_compiling():  # an operation of its own: nothing in it is traced
            return _attend_op(qkv, bias, key, query, self.rows, self.lengths, heads)
        return fused_attend(qkv, bias, Tables(key, query), self, heads)


def lengths_of(mask: torch.Tensor) -> torch.Tensor:
    """Return (batch,) the place behind the last real piece of each row.

    >>> lengths_of(torch.tensor([[1, 1, 0], [0, 0, 0]])).tolist()
    [2, 0]
    """
    places = torch.arange(1, mask.shape[1] + 1, device=mask.device)
    return (mask * places).amax(1)


def fused_attend(
    qkv: torch.Tensor,
    bias: torch.Tensor,
    tables: Tables,
    shared: Fused,
    heads: int,
    *,
    tiles: Tiles | None = None,
) -> torch.Tensor:
    """Attend with all heads at once, in one kernel.

    Args:
        qkv: (batch, pieces, 3 * hidden), contiguous, the queries scaled; fp16, bf16 or fp32.
        bias: (batch, 1, pieces), 0 at real pieces and very low at padding.
        tables: vectors of the distances, of the kind of numbers of ``qkv``.
        shared: what all layers share.
        heads: their number.
        tiles: the layout; None for the one that suits the numbers.

    Returns:
        (batch, pieces, hidden); what stands at padding is finite and means nothing.
    """
    from onepass.nn.backbones.fused_kernel import attend_kernel

    batch, pieces, width = qkv.shape
    size = width // (3 * heads)
    key, query = tables
    rows, lengths = shared.rows, shared.lengths
    qkv, bias = qkv.contiguous(), bias.contiguous()
    out = qkv.new_empty(batch, pieces, heads * size)
    tiles = tiles or _tiles(qkv.dtype, size)
    grid = (-(-pieces // tiles.block), batch, heads)  # heads last: those that run share tables
    some = key if key is not None else query
    attend_kernel[grid](
        qkv, bias, qkv if key is None else key, qkv if query is None else query, rows, lengths, out,
        pieces, rows.shape[0] // 2, 0 if some is None else some.shape[1],
        HEADS=heads, SIZE=size, BLOCK=tiles.block,
        BY_QUERY=key is not None, BY_KEY=query is not None,
        PRECISION="tf32x3" if qkv.dtype is torch.float32 else "ieee",
        num_warps=tiles.warps, num_stages=tiles.stages, maxnreg=tiles.registers,
    )  # fmt: skip
    return out


def can_fuse(table: torch.Tensor) -> bool:
    """Return whether the kernel runs here; says why, once, where it should and does not.

    Args:
        table: (heads, distances, size) of a layer, on the device of the network.

    >>> can_fuse(torch.zeros(12, 512, 64))
    False
    """
    heads, _, size = table.shape
    if not ENABLED or table.device.type != "cuda" or size not in SIZES:
        return False
    if find_spec("triton") is None or torch.cuda.get_device_capability(table.device) < OLDEST:
        return False
    return _runs(table.device, table.dtype, heads, size)


@cache
def _runs(device: torch.device, dtype: torch.dtype, heads: int, size: int) -> bool:
    """Try the kernel, which also compiles it: seconds once, kept on disk by Triton."""
    qkv = torch.zeros(1, 4, 3 * heads * size, device=device, dtype=dtype)
    bias = torch.zeros(1, 1, 4, device=device, dtype=dtype)
    table = torch.zeros(heads, 2, size, device=device, dtype=dtype)
    rows = torch.zeros(3, device=device, dtype=torch.int64)
    lengths = torch.full((1,), 4, device=device, dtype=torch.int64)
    try:
        fused_attend(qkv, bias, Tables(table, table), Fused(rows, lengths), heads)
        torch.cuda.synchronize(device)
    # No C compiler, an old driver: Triton has many ways to fail, and the warning names the one.
    except Exception as error:  # noqa: BLE001
        first = str(error).strip().partition("\n")[0]
        warnings.warn(
            f"The attention kernel does not run on this GPU ({type(error).__name__}: {first}); "
            "attention runs without it, slower.",
            RuntimeWarning,
            stacklevel=2,
        )
        return False
    return True


def _tiles(dtype: torch.dtype, size: int) -> Tiles:
    if dtype is torch.float32:
        return FULL
    return HALF if size <= 64 else WIDE


@torch.library.custom_op("onepass::disentangled_attention", mutates_args=())
def _attend_op(
    qkv: torch.Tensor,
    bias: torch.Tensor,
    key_table: torch.Tensor | None,
    query_table: torch.Tensor | None,
    rows: torch.Tensor,
    lengths: torch.Tensor,
    heads: int,
) -> torch.Tensor:
    return fused_attend(qkv, bias, Tables(key_table, query_table), Fused(rows, lengths), heads)


@_attend_op.register_fake
def _(
    qkv: torch.Tensor,
    bias: torch.Tensor,
    key_table: torch.Tensor | None,
    query_table: torch.Tensor | None,
    rows: torch.Tensor,
    lengths: torch.Tensor,
    heads: int,
) -> torch.Tensor:
    batch, pieces, width = qkv.shape
    return qkv.new_empty(batch, pieces, width // 3)
