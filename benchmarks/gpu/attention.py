"""Attention of DeBERTa on a GPU: the kernel against plain products, time and error.

    python benchmarks/gpu/attention.py --output attention.json

Random numbers at the geometry of DeBERTa-v3-base: 12 heads of 64, 256 buckets up to a distance of
512. Rows are full, so padding helps neither. Times are medians of CUDA events around single calls;
errors are the largest difference from fp32 products, over the largest of these. `--sweep` times
other layouts of the kernel at one shape instead.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from onepass.nn.backbones import fused
from onepass.nn.backbones.deberta_layer import distance_rows
from onepass.nn.backbones.disentangled import TableRows, Tables, attend, block_distances
from onepass.nn.backbones.fused import Fused, Tiles, fused_attend

HEADS, SIZE, BUCKETS, FARTHEST = 12, 64, 256, 512
BATCHES, PIECES = (1, 8, 32, 64), (128, 384, 512, 1024)
PRECISIONS = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
SECONDS = 13.0  # what is not measured by then is left out, and said so
LAYOUTS = [
    Tiles(*one)
    for one in (
        (32, 2, 2), (32, 2, 3), (32, 4, 1, 168), (32, 4, 2), (32, 4, 2, 168), (32, 4, 2, 128),
        (32, 4, 3, 168), (32, 8, 1), (32, 8, 1, 128), (64, 4, 1), (64, 4, 2), (64, 8, 1),
        (64, 8, 1, 128), (64, 8, 2), (16, 2, 2), (16, 2, 2, 96), (16, 4, 1),
    )
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Inputs:
    """What attention is given; see `onepass.nn.backbones.disentangled.attend`."""

    qkv: torch.Tensor
    bias: torch.Tensor
    tables: Tables
    shared: Fused
    moved: TableRows

    @classmethod
    def random(cls, batch: int, pieces: int, dtype: torch.dtype) -> Inputs:
        """Return full rows of random pieces."""
        device = torch.device("cuda")
        torch.manual_seed(pieces)
        qkv = torch.randn(batch, pieces, 3 * HEADS * SIZE, device=device)
        key, query = torch.randn(2, HEADS, 2 * BUCKETS, SIZE, device=device)
        scale = (3 * SIZE) ** -0.5
        qkv[..., : HEADS * SIZE] *= scale
        rows = distance_rows(BUCKETS, BUCKETS, FARTHEST).to(device)
        distances = block_distances(pieces, device)
        by_query, by_key = (
            rows[(sign * distances).clamp(-FARTHEST, FARTHEST) + FARTHEST] for sign in (-1, 1)
        )
        return cls(
            qkv=qkv.to(dtype),
            bias=torch.zeros(batch, 1, pieces, device=device, dtype=dtype),
            tables=Tables(key.to(dtype), (query * scale).to(dtype)),
            shared=Fused(rows, torch.full((batch,), pieces, device=device)),
            moved=TableRows(by_query, by_key),
        )

    def plain(self) -> torch.Tensor:
        """Attend with products that torch computes one by one, in the kind of numbers given."""
        return attend(self.qkv, self.bias, self.tables, self.moved, HEADS)

    def fused(self, tiles: Tiles | None = None) -> torch.Tensor:
        """Attend with the kernel."""
        return fused_attend(self.qkv, self.bias, self.tables, self.shared, HEADS, tiles=tiles)

    def exact(self, rows: int) -> torch.Tensor:
        """Attend from some rows with products of fp32."""
        qkv, bias = self.qkv[:rows].float(), self.bias[:rows].float()
        tables = Tables(*(None if one is None else one.float() for one in self.tables))
        return attend(qkv, bias, tables, self.moved, HEADS)


def milliseconds(call: Callable[[], object], *, budget: float = 0.08) -> float:
    """Return the median time of a call on the GPU; between 3 and 30 calls, within some seconds."""
    call()
    torch.cuda.synchronize()
    begun, took = time.perf_counter(), []
    while len(took) < 3 or (len(took) < 30 and time.perf_counter() - begun < budget):
        start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        torch.cuda._sleep(200_000)  # ~0.1 ms of work ahead: launches are not what is measured
        start.record()
        call()
        end.record()
        end.synchronize()
        took.append(start.elapsed_time(end))
    return statistics.median(took)


def measure(batch: int, pieces: int, precision: str) -> dict[str, Any]:
    """Return times and errors at one shape."""
    inputs = Inputs.random(batch, pieces, PRECISIONS[precision])
    some = min(batch, 2)
    exact = inputs.exact(some)
    largest = exact.abs().max()
    error, plain_error = (
        float((one[:some].float() - exact).abs().max() / largest)
        for one in (inputs.fused(), inputs.plain())
    )
    fused_ms, plain_ms = milliseconds(inputs.fused), milliseconds(inputs.plain)
    products = 2 * batch * HEADS * pieces * pieces * SIZE  # of one (pieces, pieces) product
    return {
        "precision": precision,
        "batch": batch,
        "pieces": pieces,
        "fused_ms": fused_ms,
        "plain_ms": plain_ms,
        "ratio": plain_ms / fused_ms,
        # Content and two kinds of position for the scores, and the values.
        "fused_tflops": 4 * products / fused_ms / 1e9,
        "fused_error": error,
        "plain_error": plain_error,
    }


def shapes() -> Iterator[tuple[int, int, str]]:
    """Yield every shape, the most telling first."""
    for precision in ("bf16", "fp16"):
        for batch in reversed(BATCHES):
            for pieces in reversed(PIECES):
                yield batch, pieces, precision
    yield from ((1, 384, "fp32"), (32, 512, "fp32"))


def compare() -> dict[str, Any]:
    """Measure all shapes for which there is time, and print them."""
    begun = time.perf_counter()
    results, left = [], []
    print(f"{'':4} batch pieces  fused ms  plain ms  ratio  TFLOP/s  fused error  plain error")
    for shape in shapes():
        if time.perf_counter() - begun > SECONDS:
            left.append(shape)
            continue
        one = measure(*shape)
        results.append(one)
        print(
            f"{one['precision']:4} {one['batch']:5} {one['pieces']:6} {one['fused_ms']:9.3f} "
            f"{one['plain_ms']:9.3f} {one['ratio']:6.2f} {one['fused_tflops']:8.1f} "
            f"{one['fused_error']:12.2e} {one['plain_error']:12.2e}",
            flush=True,
        )
    if left:
        print(f"No time for {len(left)} shapes: {left}")
    return {"results": results, "left_out": left}


def sweep(batch: int, pieces: int, precision: str) -> dict[str, Any]:
    """Time every layout of the kernel at one shape, and print them."""
    inputs = Inputs.random(batch, pieces, PRECISIONS[precision])
    results = []
    for tiles in LAYOUTS:
        began = time.perf_counter()
        name = str(tiles)
        try:
            took = milliseconds(lambda tiles=tiles: inputs.fused(tiles), budget=0.05)
        except Exception as error:  # noqa: BLE001 - a layout that is too large for this GPU
            print(f"{name}: {type(error).__name__}: {str(error)[:80]}", flush=True)
            continue
        results.append({"tiles": name, "ms": took})
        spent = time.perf_counter() - began
        print(f"{precision} {batch} x {pieces} {name}: {took:.3f} ms ({spent:.1f} s)", flush=True)
    return {"sweep": results, "batch": batch, "pieces": pieces, "precision": precision}


def machine() -> dict[str, Any]:
    """Return what was measured on."""
    import triton

    return {
        "gpu": torch.cuda.get_device_name(),
        "torch": torch.__version__,
        "triton": triton.__version__,
        "tf32": torch.backends.cuda.matmul.allow_tf32,
        "heads": HEADS,
        "size": SIZE,
    }


def main() -> int:
    """Run the benchmark; 2 where there is no GPU."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--output", type=Path, help="JSON file that the results go to")
    parser.add_argument("--sweep", action="store_true", help="time other layouts at one shape")
    parser.add_argument("--shape", type=int, nargs=2, default=(64, 512), help="of the sweep")
    parser.add_argument("--precision", choices=PRECISIONS, default="bf16", help="of the sweep")
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        print("This benchmark needs an NVIDIA GPU and a torch with CUDA.", file=sys.stderr)
        return 2
    table = torch.zeros(HEADS, 2 * BUCKETS, SIZE, device="cuda", dtype=torch.bfloat16)
    if not fused.can_fuse(table):
        print("The attention kernel does not run here; see the warning above.", file=sys.stderr)
        return 2
    with torch.inference_mode():
        found = sweep(*asked.shape, asked.precision) if asked.sweep else compare()
    if asked.output is not None:
        text = json.dumps({"machine": machine(), **found}, indent=2)
        asked.output.write_text(text + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
