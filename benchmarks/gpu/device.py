"""What a device does: its rate of matrix products, its memory, how long it is busy.

Everything here works on a CPU, too, so that the benchmark can be tried where there is no GPU.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
# Classes of encoders, ours and that of transformers, on DeBERTa checkpoints.
_ENCODERS = ("DebertaBackbone", "DebertaV2Model")
# Rows, inner and columns of products: a square one, and those of an encoder of 768 dimensions.
SHAPES = ((8192, 8192, 8192), (16384, 768, 3072), (16384, 3072, 768), (16384, 768, 768))
SMALL = ((128, 128, 128),)


def wait(device: str) -> None:
    """Return when the device has done all that it was given."""
    if device == "cuda":
        torch.cuda.synchronize()


def allocated(device: str) -> int:
    """Return the bytes of the device's memory that are in use; 0 on a CPU."""
    return torch.cuda.memory_allocated() if device == "cuda" else 0


def peak(device: str, call: Callable[[], object]) -> int:
    """Return how many bytes of the device a call needs at most beyond what is in use before."""
    if device == "cpu":
        call()
        return 0
    wait(device)
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    call()
    wait(device)
    return torch.cuda.max_memory_allocated() - before


def facts(device: str) -> dict[str, Any]:
    """Return what the device is."""
    if device == "cpu":
        return {"device": "cpu"}
    properties = torch.cuda.get_device_properties(0)
    return {
        "device": "cuda",
        "name": properties.name,
        "memory_mib": properties.total_memory // 2**20,
        "multiprocessors": properties.multi_processor_count,
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
        "tf32": torch.backends.cuda.matmul.allow_tf32,
    }


def rates(device: str) -> dict[str, dict[str, float]]:
    """Return 10^12 operations a second of products of random matrices, by precision and shape.

    Each is the median of ten products, each measured alone, after three that warm up.
    """
    found: dict[str, dict[str, float]] = {}
    for precision, dtype in DTYPES.items():
        found[precision] = {}
        for rows, inner, columns in SMALL if device == "cpu" else SHAPES:
            a = torch.randn(rows, inner, device=device, dtype=dtype)
            b = torch.randn(inner, columns, device=device, dtype=dtype)
            out = torch.empty(rows, columns, device=device, dtype=dtype)
            took = []
            for _ in range(13):
                wait(device)
                began = time.perf_counter()
                torch.mm(a, b, out=out)
                wait(device)
                took.append(time.perf_counter() - began)
            rate = 2.0 * rows * inner * columns / statistics.median(took[3:]) / 1e12
            found[precision][f"{rows}x{inner}x{columns}"] = round(rate, 3)
    return found


class EncoderClock:
    """Counts the device's seconds in the encoders of all models while it is entered.

    Args:
        device: "cpu" or "cuda"; there the times are those of events between its kernels, so that
            nothing waits.

    >>> with EncoderClock("cpu") as clock:
    ...     torch.nn.Linear(1, 1)(torch.zeros(1))  # no encoder
    tensor([...
    >>> clock.seconds, clock.runs
    (0.0, 0)
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._marks: list[Any] = []
        self._handles: list[Any] = []
        self.seconds = 0.0
        self.runs = 0

    def __enter__(self) -> EncoderClock:
        module = torch.nn.modules.module
        self._handles = [
            module.register_module_forward_pre_hook(lambda one, _: self._mark(one)),
            module.register_module_forward_hook(lambda one, *_: self._mark(one)),
        ]
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for handle in self._handles:
            handle.remove()
        wait(self._device)
        pairs = list(zip(self._marks[::2], self._marks[1::2], strict=True))
        self.runs = len(pairs)
        self.seconds = float(sum(self._between(*pair) for pair in pairs))

    def _mark(self, module: torch.nn.Module) -> None:
        if type(module).__name__ not in _ENCODERS:
            return
        if self._device == "cpu":
            self._marks.append(time.perf_counter())
            return
        event = torch.cuda.Event(enable_timing=True)
        event.record()
        self._marks.append(event)

    def _between(self, first: Any, second: Any) -> float:
        if self._device == "cpu":
            return float(second - first)
        return float(first.elapsed_time(second)) / 1e3


def busy(device: str, call: Callable[[], object]) -> dict[str, Any]:
    """Return the seconds of all kernels and copies of a call, and the longest of them.

    On a CPU these are torch's operators.
    """
    on_gpu = device == "cuda"
    activity = ProfilerActivity.CUDA if on_gpu else ProfilerActivity.CPU
    wait(device)
    with profile(activities=[activity]) as seen:
        call()
        wait(device)
    wanted = DeviceType.CUDA if on_gpu else DeviceType.CPU
    took = [
        (one.self_device_time_total if on_gpu else one.self_cpu_time_total, one.count, one.key)
        for one in seen.key_averages()
        if one.device_type == wanted
    ]
    took.sort(reverse=True)
    return {
        "seconds": round(sum(one for one, *_ in took) / 1e6, 5),
        "launches": sum(count for _, count, _ in took),
        "longest": {key[:80]: round(micros / 1e6, 5) for micros, _, key in took[:8]},
    }
