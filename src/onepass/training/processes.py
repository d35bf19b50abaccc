"""The processes of a run that was started several times over: who is who, and what they share.

accelerate (or torchrun) starts them, each with its number in the environment. They speak through
gloo on CPUs and NCCL on GPUs. It knows neither the model nor the loop.
"""

from __future__ import annotations

import atexit
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch

from onepass.errors import MissingExtra

_PATIENCE = timedelta(hours=2)  # the others wait while the main process scores and saves
_BUCKET = 1 << 24  # numbers that are sent at once


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes of a run; one that is alone shares nothing.

    What is shared is asked for by all of them, in the same order.

    Attributes:
        index: of this process; the main one, which writes and scores, is 0.
        count: of all.
        device: of this process.

    >>> ALONE.total([1.0, 2.0]), ALONE.gather("x"), ALONE.is_main
    ([1.0, 2.0], ['x'], True)
    """

    index: int = 0
    count: int = 1
    device: str = "cpu"

    @property
    def is_main(self) -> bool:
        """Return whether this process writes checkpoints, scores and tells."""
        return self.index == 0

    def telling(self, report: Callable[[str], None]) -> Callable[[str], None]:
        """Return what receives lines of progress: of the main process only."""
        return report if self.is_main else _silent

    @contextmanager
    def main_first(self) -> Iterator[None]:
        """Let the main process through first, and the others when it is done, well or not."""
        if not self.is_main:
            self._wait()
        try:
            yield
        finally:
            if self.is_main:
                self._wait()

    def total(self, values: Sequence[float]) -> list[float]:
        """Return the sums of some numbers over all processes."""
        if self.count == 1:
            return list(values)
        own = torch.tensor(values, dtype=torch.float64, device=self.device)
        return [float(value) for value in _reduce(own, "sum").tolist()]

    def from_main(self, value: float) -> float:
        """Return the number that the main process gives."""
        return self.total([value if self.is_main else 0.0])[0]

    def gather(self, value: Any) -> list[Any]:
        """Return what every process gives, in their order."""
        if self.count == 1:
            return [value]
        from accelerate.utils import gather_object

        gathered: list[Any] = gather_object([value])
        return gathered

    def average_gradients(self, network: torch.nn.Module) -> None:
        """Put the mean over all processes in place of each gradient.

        A parameter without one in some of the processes counts as zero there; one without any
        stays without.
        """
        if self.count == 1:
            return
        trained = [p for p in network.parameters() if p.requires_grad]
        there = self.total([float(p.grad is not None) for p in trained])
        gradients = []
        for parameter, anywhere in zip(trained, there, strict=True):
            if anywhere:
                if parameter.grad is None:
                    parameter.grad = torch.zeros_like(parameter)
                gradients.append(parameter.grad)
        self.average(gradients)

    def average(self, tensors: Sequence[torch.Tensor]) -> None:
        """Put the mean over all processes in place of tensors."""
        if self.count == 1:
            return
        for bucket in _buckets(tensors):
            flat = torch.cat([tensor.detach().flatten().float() for tensor in bucket])
            mean = _reduce(flat, "mean")
            parts = mean.split([tensor.numel() for tensor in bucket])
            for tensor, part in zip(bucket, parts, strict=True):
                tensor.detach().copy_(part.view_as(tensor))

    def _wait(self) -> None:
        self.total([0.0])


ALONE = Processes()


def open_processes(device: str) -> Processes:
    """Return the processes of this run, as its starter left them in the environment.

    Args:
        device: "cpu" or "cuda"; of several GPUs, each process of a machine gets its own.

    Raises:
        MissingExtra: if there are several, and accelerate is not installed.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) <= 1:
        return Processes(device=device)
    try:
        from accelerate import PartialState
    except ImportError as error:
        raise MissingExtra("Training in several processes", "train") from error
    state = PartialState(cpu=device == "cpu", timeout=_PATIENCE)
    atexit.register(_close)
    return Processes(state.process_index, state.num_processes, str(state.device))


def _close() -> None:
    """End what the processes speak through: a thread of it that outlives Python aborts one."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def _reduce(tensor: torch.Tensor, how: str) -> torch.Tensor:
    from accelerate.utils import reduce

    reduced: torch.Tensor = reduce(tensor, how)
    return reduced


def _buckets(tensors: Sequence[torch.Tensor]) -> Iterator[list[torch.Tensor]]:
    """Yield the tensors in groups of about equal size."""
    bucket: list[torch.Tensor] = []
    held = 0
    for tensor in tensors:
        bucket.append(tensor)
        held += tensor.numel()
        if held >= _BUCKET:
            yield bucket
            bucket, held = [], 0
    if bucket:
        yield bucket


def _silent(line: str) -> None:
    """Tell nobody."""
