"""The kernel for GPUs says what `attend` says, in Triton's interpreter on the CPU.

`test_fused` runs this file in a process of its own: Triton decides when it is imported whether it
interprets. The interpreter knows no bf16.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
import torch
from triton.runtime import interpreter

from onepass.nn.backbones import fused
from onepass.nn.backbones.deberta import DebertaEncoder
from onepass.nn.backbones.deberta_config import DebertaConfig
from onepass.nn.backbones.deberta_layer import distance_rows
from onepass.nn.backbones.disentangled import TableRows, Tables, attend, block_distances
from onepass.nn.backbones.fused import Fused, Tiles, fused_attend, lengths_of

HEADS, SIZE = 2, 16
SMALL = Tiles(block=16, warps=4, stages=1)


@pytest.fixture(autouse=True)
def indices(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the interpreter count loops: numpy 2.4 makes no integer of an array of one element."""
    before = interpreter._patch_lang_tensor

    def patched(tensor: Any, scope: Any) -> None:
        before(tensor, scope)
        scope.set_attr(tensor, "__index__", lambda self: int(self.handle.data.item()))

    monkeypatch.setattr(interpreter, "_patch_lang_tensor", patched)


class Case:
    """Random pieces, and the distances between them.

    Args:
        lengths: real pieces of each row.
        pieces: of all rows.
        buckets: as in `distance_rows`.
        farthest: distance, likewise.
    """

    def __init__(
        self, lengths: list[int], pieces: int, *, buckets: int = 8, farthest: int = 24
    ) -> None:
        torch.manual_seed(3)
        span, self.pieces = buckets or farthest, pieces
        self.mask = (torch.arange(pieces)[None] < torch.tensor(lengths)[:, None]).long()
        self.qkv = torch.randn(len(lengths), pieces, 3 * HEADS * SIZE)
        self.tables = torch.randn(2, HEADS, 2 * span, SIZE) / 2
        self.rows = distance_rows(span, buckets, farthest)
        distances = block_distances(pieces, torch.device("cpu"))
        self.moved = TableRows(
            *(
                self.rows[(sign * distances).clamp(-farthest, farthest) + farthest]
                for sign in (-1, 1)
            )
        )

    def both(
        self, dtype: torch.dtype, tiles: Tiles, *, c2p: bool = True, p2c: bool = True
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return (real pieces, hidden) of the kernel and of `attend` in fp32."""
        bias = (1.0 - self.mask[:, None].to(dtype)) * (torch.finfo(dtype).min / 2)
        qkv, key, query = self.qkv.to(dtype), *self.tables.to(dtype)
        tables = Tables(key if c2p else None, query if p2c else None)
        shared = Fused(self.rows, lengths_of(self.mask))
        got = fused_attend(qkv, bias, tables, shared, HEADS, tiles=tiles)
        assert got.dtype == dtype
        assert got.isfinite().all()
        tables = Tables(*(None if one is None else one.float() for one in tables))
        expected = attend(qkv.float(), bias.float(), tables, self.moved, HEADS)
        real = self.mask.bool()
        return got[real].float(), expected[real]


@pytest.mark.parametrize("c2p", [True, False])
@pytest.mark.parametrize("p2c", [True, False])
def test_both_kinds_of_position(c2p: bool, p2c: bool) -> None:
    got, expected = Case([44, 17], 44).both(torch.float32, SMALL, c2p=c2p, p2c=p2c)
    torch.testing.assert_close(got, expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(
    ("lengths", "pieces", "tiles"),
    [
        ([4], 4, SMALL),
        ([16, 1], 16, SMALL),
        ([1, 52, 33], 52, SMALL),  # rows that end inside a tile, and tiles without a real piece
        ([68, 5], 68, Tiles(block=32, warps=2, stages=2)),
        ([100], 100, Tiles(block=64, warps=4, stages=1)),
    ],
)
def test_lengths(lengths: list[int], pieces: int, tiles: Tiles) -> None:
    got, expected = Case(lengths, pieces).both(torch.float32, tiles)
    torch.testing.assert_close(got, expected, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize(("buckets", "farthest"), [(0, 7), (0, 50), (8, 10), (16, 100)])
def test_distances_within_the_table_and_beyond(buckets: int, farthest: int) -> None:
    case = Case([36, 20], 36, buckets=buckets, farthest=farthest)
    got, expected = case.both(torch.float32, SMALL)
    torch.testing.assert_close(got, expected, atol=2e-6, rtol=1e-5)


def test_half() -> None:
    got, expected = Case([40, 23], 40).both(torch.float16, SMALL)
    assert 1e-6 < (got - expected).abs().max() < 4e-3


def test_a_row_of_padding_and_holes_in_a_mask() -> None:
    case = Case([40, 40], 40)
    case.mask[0], case.mask[1, :19] = 0, 0  # a tile within the length has no real piece
    assert lengths_of(case.mask).tolist() == [0, 40]
    got, expected = case.both(torch.float32, SMALL)
    torch.testing.assert_close(got, expected, atol=2e-6, rtol=1e-5)


def prepared() -> tuple[DebertaEncoder, torch.Tensor, torch.Tensor]:
    torch.manual_seed(5)
    sizes = {
        "hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2, "vocab_size": 9,
        "intermediate_size": 40, "max_position_embeddings": 24, "position_buckets": 8,
        "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "share_att_key": True,
    }  # fmt: skip
    encoder = DebertaEncoder(DebertaConfig.from_dict(sizes))
    encoder.prepare()
    mask = (torch.arange(28)[None] < torch.tensor([[28], [13]])).long()
    return encoder, torch.randn(2, 28, 32) * mask[..., None], mask


@pytest.mark.parametrize("compiled", [False, True])
def test_an_encoder_attends_with_it(monkeypatch: pytest.MonkeyPatch, compiled: bool) -> None:
    """Compiled, it is one operation that is not traced, and a length is not compiled again."""
    monkeypatch.setattr(fused, "FULL", SMALL)
    encoder, x, mask = prepared()
    graphs: list[Any] = []

    def traced(graph: Any, inputs: Any) -> Any:
        graphs.append(graph)
        return graph.forward

    run = partial(torch.compile, backend=traced, dynamic=True)(encoder) if compiled else encoder
    with torch.inference_mode():
        for pieces in (28, 20, 16):
            own, real = x[:, :pieces].clone(), mask[:, :pieces].clone()
            expected = encoder(own, real)[real.bool()]
            with monkeypatch.context() as patch:
                patch.setattr(DebertaEncoder, "_may_fuse", lambda *_: True)
                got = run(own, real)[real.bool()]
            torch.testing.assert_close(got, expected, atol=2e-6, rtol=1e-5)
    assert len(graphs) == compiled
    if compiled:
        assert "disentangled_attention" in str(graphs[0].graph)
