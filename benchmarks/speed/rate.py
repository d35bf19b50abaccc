"""How fast a machine multiplies matrices, and how many products an encoder needs.

The rate is the best of several shapes and three libraries, so that no share of it flatters.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.encoders import BUCKETS, Size  # noqa: E402
from benchmarks.common.timing import CLOCKS, Clock, timed  # noqa: E402

# Rows, inner and columns of the products of an encoder of 768 dimensions, and a square one.
SHAPES = ((256, 768, 3072), (1024, 768, 3072), (1024, 768, 768), (1536, 1536, 1536))
_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_SECONDS = 0.6  # of one shape in one library


def measure_rate(threads: int, clock: str = "wall") -> dict[str, float]:
    """Return the rate of each library in 10^9 operations a second, float32, and the best of them.

    It is measured in a process of its own: NumPy fixes its threads when it starts.
    """
    environment = os.environ | dict.fromkeys(_VARIABLES, str(threads))
    done = subprocess.run(
        [sys.executable, __file__, str(threads), clock],
        check=True, capture_output=True, text=True, env=environment,
    )  # fmt: skip
    rates = {name: float(rate) for name, rate in (line.split() for line in done.stdout.split("\n")
             if line)}  # fmt: skip
    return rates | {"best": max(rates.values())}


def operations(size: Size, rows: int, pieces: int, read: int | None = None) -> float:
    """Return the multiplications and additions that an encoder of the kind of DeBERTa needs.

    Args:
        size: of it.
        rows: sequences.
        pieces: of each, padding included.
        read: pieces of each whose vectors are read; None for all.

    Four projections and two products of the inner layer for each piece; scores of pairs and what
    they weigh; and scores of pieces by distance, of each sort once, for the distances there are.
    What stands behind the attention of the last layer is computed for the pieces that are read.
    """
    distances = min(2 * pieces, 2 * BUCKETS)
    projections = pieces * size.hidden * (4 * size.hidden + 2 * size.inner)
    attention = pieces * size.hidden * (2 * pieces + 2 * distances)
    unread = 0 if read is None else max(pieces - read, 0)
    saved = unread * size.hidden * (size.hidden + 2 * size.inner)
    return 2.0 * rows * (size.layers * (projections + attention) - saved)


def _onnx_product(rows: int, inner: int, columns: int) -> Callable[[], object]:
    """Return a product of fixed matrices as ONNX Runtime runs it, the second one packed before."""
    import numpy as np
    from onnx import TensorProto, helper, numpy_helper

    from onepass.backends.onnx_runtime import onnxruntime

    weights = numpy_helper.from_array(np.ones((inner, columns), dtype=np.float32), "b")
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", TensorProto.FLOAT, [rows, inner])],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [rows, columns])],
        [weights],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = int(os.environ["OMP_NUM_THREADS"])
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    given = {"a": np.ones((rows, inner), dtype=np.float32)}
    return partial(session.run, None, given)


def _main(threads: int, clock: Clock) -> None:
    import numpy as np
    import torch

    torch.set_num_threads(threads)

    def numpy_product(rows: int, inner: int, columns: int) -> Callable[[], object]:
        a, b = np.ones((rows, inner), np.float32), np.ones((inner, columns), np.float32)
        return partial(np.matmul, a, b)

    def torch_product(rows: int, inner: int, columns: int) -> Callable[[], object]:
        return partial(torch.mm, torch.ones(rows, inner), torch.ones(inner, columns))

    libraries = {"numpy": numpy_product, "torch": torch_product, "onnxruntime": _onnx_product}
    for name, make in libraries.items():
        best = 0.0
        for shape in SHAPES:
            product = make(*shape)
            product()
            end = time.perf_counter() + _SECONDS
            while time.perf_counter() < end:
                took = timed(product, clock)
                best = max(best, 2.0 * shape[0] * shape[1] * shape[2] / took / 1e9)
        sys.stdout.write(f"{name} {best:.2f}\n")


if __name__ == "__main__":
    _main(int(sys.argv[1]), CLOCKS[sys.argv[2]])
