"""OpenVINO on the CPU: the graphs of ONNX Runtime, compiled for this machine.

One compiled model a graph, for every shape, made when it is first needed. The runtime has switches
that change numbers behind one's back; here all of them are set.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from onepass.arrays import Array
from onepass.backends.base import (
    PRODUCTS,
    Graph,
    Input,
    cannot_run,
    check_files,
    run_failed,
)
from onepass.backends.cache_pruning import prune_files
from onepass.backends.cpu import available_cores, cpu, has_int8_products
from onepass.backends.lazy import OpenOnce
from onepass.backends.openvino_branches import take_short_branches
from onepass.backends.openvino_products import GROUP, multiply_integers
from onepass.backends.openvino_runtime import openvino
from onepass.backends.openvino_tables import halve_tables
from onepass.errors import BackendError
from onepass.hub.owner import OWNER, is_ours
from onepass.hub.sharing import one_at_a_time

# One for the process, which stays: each gives its thread a stack for signals and takes it back when
# it goes. Of two that overlap, the one made first would leave the thread a stack that is gone, and
# the next signal that Python handles would end the process (OpenVINO 2026.4).
_CORE = openvino.Core()
MOST = 2 << 30  # bytes of all compiled models; those that were not used for longest go

log = logging.getLogger("onepass.backends")


@dataclass(frozen=True, slots=True, eq=False)
class _Compiled:
    """A compiled graph, the inputs that it takes, and requests that are not running now."""

    model: Any
    inputs: frozenset[str]
    idle: list[Any]


class OpenvinoBackend:
    """Runs exported graphs.

    Args:
        directory: holds ``NAME.onnx`` for each graph.
        graphs: of the family.
        precision: "fp32", "bf16" (computed from the fp32 graphs) or "int8" (of the weights, and of
            the products of graphs that have a form for that, where the CPU has such products; the
            rest of those graphs is computed in bf16 where the CPU has that, all else in fp32).
        threads: for one run; None means `onepass.backends.cpu.available_cores`.
        cache: where compiled models are kept, those that were used last; None, or a place that
            cannot be written, to compile at every start.

    Raises:
        BackendError: if a file is missing, or for bf16 on a CPU without it; from `run`, if a graph
            cannot be compiled.
        RunFailed: from `run`, if a graph fails on what it is given.
    """

    name = "openvino"

    def __init__(
        self,
        directory: Path,
        graphs: Sequence[Graph],
        *,
        precision: str = "fp32",
        threads: int | None = None,
        cache: Path | None = None,
    ) -> None:
        check_files(directory, graphs)
        self.precision = precision
        self._directory = directory
        able = _CORE.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
        if precision == "bf16" and "BF16" not in able:
            raise BackendError(
                "This CPU has no bf16 products (it would need AVX512-BF16, AMX or the like); "
                "leave precision at 'auto'."
            )
        self._has_bf16 = "BF16" in able
        self._config = {
            "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0,  # else inputs of all int8 weights are rounded
            "INFERENCE_NUM_THREADS": threads or available_cores(),
            "NUM_STREAMS": 1,  # one run has all threads, and others wait for it
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,  # two processes would sit on the same core
        }
        self._cache = cache if cache is not None and _writable(cache) else None
        if self._cache is not None:
            self._config["CACHE_DIR"] = str(self._cache)
        self._compiled = OpenOnce(self._compile)

    def open(self, graph: str) -> None:
        """Open a graph now; else the first `run` does."""
        self._compiled[graph]

    def run(self, graph: str, inputs: Mapping[str, Input]) -> tuple[Array, ...]:
        """Return the outputs of a graph; see `onepass.backends.base.Backend`."""
        compiled = self._compiled[graph]
        used = {name: array for name, array in inputs.items() if name in compiled.inputs}
        try:
            request = compiled.idle.pop()  # a request serves one run at a time
        except IndexError:
            request = compiled.model.create_infer_request()
        try:
            results = request.infer(used)  # copies: the request goes to another thread
        except RuntimeError as error:  # some graphs compile, and fail when they meet real shapes
            raise run_failed(self._path(graph), error) from error
        finally:
            compiled.idle.append(request)
        return tuple(results[output] for output in compiled.model.outputs)

    def _path(self, graph: str) -> Path:
        return self._directory / f"{graph}.onnx"

    def _alone(self) -> AbstractContextManager[bool | None]:
        """Compile while no other process does: a blob is mapped by those who find it half written.

        Ten processes that started on an empty cache died of it (SIGBUS), three or four at a time.
        """
        return nullcontext() if self._cache is None else one_at_a_time(self._cache / ".lock")

    def _compile(self, graph: str) -> _Compiled:
        path, config = self._path(graph), dict(self._config)
        try:
            read = _CORE.read_model(str(path))
            take_short_branches(read)
            in_integers = path.with_suffix(PRODUCTS).is_file() and has_int8_products(cpu()[1])
            if in_integers:
                multiply_integers(read)
                config["DYNAMIC_QUANTIZATION_GROUP_SIZE"] = GROUP
            in_bf16 = self.precision == "bf16" or (in_integers and self._has_bf16)
            if in_bf16:
                halve_tables(read)
            config["INFERENCE_PRECISION_HINT"] = "bf16" if in_bf16 else "f32"  # one must be said
            with self._alone():
                model = _CORE.compile_model(read, "CPU", config)
        except Exception as error:  # RuntimeError, and others of the frontends
            raise cannot_run(path, error) from error
        if self._cache is not None:  # one may have been added
            prune_files(self._cache, "*.blob", MOST)
        names = frozenset(name for one in model.inputs for name in one.names)
        return _Compiled(model, names, [])


def _writable(cache: Path) -> bool:
    """Make a directory and say whether it can be written, and by nobody else."""
    try:
        cache.mkdir(OWNER, parents=True, exist_ok=True)
        ours = is_ours(cache)
    except OSError:
        return False
    if not ours:
        log.debug(
            "Nothing is kept in %s, which is another user's, or which others may write.", cache
        )
    return ours and os.access(cache, os.W_OK)
