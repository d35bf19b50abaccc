"""Where the kernel for GPUs runs, and that it says there what `attend` says."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch

from onepass.nn.backbones import fused
from onepass.nn.backbones.deberta import DebertaEncoder
from onepass.nn.backbones.deberta_config import DebertaConfig
from onepass.nn.backbones.deberta_layer import distance_rows
from onepass.nn.backbones.disentangled import TableRows, Tables, attend, block_distances

CASES = Path(__file__).with_name("fused_cases.py")
TINY = {
    "hidden_size": 32, "num_attention_heads": 2, "num_hidden_layers": 2, "vocab_size": 9,
    "intermediate_size": 40, "max_position_embeddings": 64, "position_buckets": 16,
    "relative_attention": True, "pos_att_type": ["c2p", "p2c"], "share_att_key": True,
}  # fmt: skip


triton = pytest.mark.skipif(
    find_spec("triton") is None, reason="Triton, which comes with torch for CUDA, is not there"
)


@triton
def test_in_the_interpreter() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(CASES)],
        env={**os.environ, "TRITON_INTERPRET": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr


@triton
@pytest.mark.skipif(os.environ.get("TRITON_INTERPRET") == "1", reason="nothing is compiled then")
@pytest.mark.parametrize("capability", [80, 90])
@pytest.mark.parametrize("numbers", ["bf16", "fp32"])
def test_it_compiles_for_gpus_that_are_not_here(capability: int, numbers: str) -> None:
    from triton import compile as compiled
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from onepass.nn.backbones.fused_kernel import attend_kernel

    tiles = fused.HALF if numbers == "bf16" else fused.FULL
    constants = {"HEADS": 12, "SIZE": 64, "BLOCK": tiles.block, "BY_QUERY": True, "BY_KEY": True}
    constants["PRECISION"] = "ieee" if numbers == "bf16" else "tf32x3"
    types = dict.fromkeys(("rows", "lengths"), "*i64") | dict.fromkeys(constants, "constexpr")
    types |= dict.fromkeys(("pieces", "farthest", "table_rows"), "i32")
    names = attend_kernel.arg_names
    source = ASTSource(
        attend_kernel,
        {name: types.get(name, f"*{numbers}") for name in names},
        {(names.index(name),): value for name, value in constants.items()},
    )
    options = {"num_warps": tiles.warps, "num_stages": tiles.stages, "maxnreg": tiles.registers}
    made = compiled(source, target=GPUTarget("cuda", capability, 32), options=options)
    assert made.metadata.shared <= 99 * 1024  # what every GPU from Ampere on has for a tile


def test_a_cpu_has_no_use_for_it() -> None:
    encoder = DebertaEncoder(DebertaConfig.from_dict(TINY))
    encoder.prepare()
    assert not encoder.fuses
    encoder.fuses = True  # as of a network that was prepared on a GPU, and went back
    with torch.inference_mode():
        assert encoder._frame(torch.ones(1, 8), torch.float32).fused is None


gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
DTYPES = [(torch.float32, 1e-4), (torch.float16, 1e-2), (torch.bfloat16, 8e-2)]


@gpu
@pytest.mark.parametrize(("dtype", "atol"), DTYPES)
@pytest.mark.parametrize("size", [16, 32, 64, 128])
def test_the_kernel_on_a_gpu(dtype: torch.dtype, atol: float, size: int) -> None:
    torch.manual_seed(3)
    device, heads, pieces, farthest = torch.device("cuda"), 4, 204, 100
    lengths = torch.tensor([204, 77, 1, 0], device=device)
    mask = (torch.arange(pieces, device=device)[None] < lengths[:, None]).long()
    qkv = torch.randn(4, pieces, 3 * heads * size, device=device)
    qkv[..., : heads * size] *= (3 * size) ** -0.5
    tables = torch.randn(2, heads, 32, size, device=device)
    tables[1] *= (3 * size) ** -0.5
    qkv, tables = qkv.to(dtype), tables.to(dtype)
    bias = (1.0 - mask[:, None].float()) * (torch.finfo(torch.float32).min / 2)
    rows = distance_rows(16, 16, farthest).to(device)
    distances = block_distances(pieces, device)
    moved = TableRows(
        *(rows[(sign * distances).clamp(-farthest, farthest) + farthest] for sign in (-1, 1))
    )
    assert fused.can_fuse(tables[0])
    got = fused.fused_attend(qkv, bias, Tables(*tables), fused.Fused(rows, lengths), heads)
    expected = attend(qkv.float(), bias, Tables(*tables.float()), moved, heads)
    assert got.isfinite().all()
    real = mask.bool()
    torch.testing.assert_close(got[real].float(), expected[real], atol=atol, rtol=0)


@gpu
@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize(("dtype", "atol"), DTYPES)
def test_an_encoder_on_a_gpu(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, atol: float, compiled: bool
) -> None:
    torch.manual_seed(5)
    encoder = DebertaEncoder(DebertaConfig.from_dict(TINY))
    for weights in encoder.parameters():
        torch.nn.init.normal_(weights, std=0.1)
    encoder = encoder.to("cuda", dtype)
    mask = (torch.arange(70) < torch.tensor([[70], [13]])).long().cuda()
    x = torch.randn(2, 70, 32, device="cuda", dtype=dtype) * mask[..., None]
    monkeypatch.setattr(fused, "ENABLED", False)
    encoder.prepare()
    assert not encoder.fuses
    with torch.inference_mode():
        expected = encoder(x, mask)
        monkeypatch.setattr(fused, "ENABLED", True)
        encoder.prepare()
        assert encoder.fuses
        run = torch.compile(encoder, dynamic=True) if compiled else encoder
        for pieces in (70, 40) if compiled else (70,):
            got = run(x[:, :pieces], mask[:, :pieces])
            if pieces == 70:
                real = mask.bool()
                torch.testing.assert_close(got[real], expected[real], atol=atol, rtol=0)
