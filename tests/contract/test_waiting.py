"""No graph makes the CPU wait for a GPU: the next graph is sent while this one runs.

Without a GPU nothing waits, so the operations that would are looked for while torch runs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from onepass.backends.base import Graph
from onepass.backends.torch import TorchBackend
from tests.contract.checkpoints import Opened, everything

# Their result, or its shape, depends on values that are on the device.
WAITING = (
    "_local_scalar_dense", "item", "is_nonzero", "nonzero", "argwhere", "masked_select", "unique",
    "bincount", "equal",
)  # fmt: skip

# transformers looks once a run whether a row holds several texts, before there is work to wait for.
ALLOWED = {"gliner-streaming": {"aten.is_nonzero.default"}}


class Watch(TorchDispatchMode):
    """Notes the operations that wait."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0
        self.waiting: set[str] = set()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = func.overloadpacket.__name__
        self.count += 1
        masked = name in ("index", "index_put", "index_put_") and any(
            one is not None and one.dtype is torch.bool for one in args[1]
        )
        repeats = name == "repeat_interleave" and isinstance(args[0], torch.Tensor)
        if masked or repeats or name.startswith(WAITING):
            self.waiting.add(str(func))
        return func(*args, **kwargs or {})


def test_no_graph_waits(exported: str, opened: Opened) -> None:
    model = opened[exported]["torch"]
    with Watch() as watch:
        model.extract(["Tim Cook runs Apple in Paris and Rome.", "it is bad"], everything(model))
    assert watch.count > 50
    assert watch.waiting == ALLOWED.get(exported, set())


def test_waiting_would_be_seen() -> None:
    def function(x: torch.Tensor) -> torch.Tensor:
        return x[x > 0] * (2 if x.sum() > 1 else 3)

    graph = Graph("f", {"x": ("batch",)}, {"y": ("batch",)})
    backend = TorchBackend({"f": function}, [graph])
    with Watch() as watch:
        (out,) = backend.run("f", {"x": np.array([1.0, -1.0, 2.0], dtype=np.float32)})
    assert out.tolist() == [2.0, 4.0]
    assert watch.waiting == {"aten.index.Tensor", "aten.is_nonzero.default"}
