"""ONNX Runtime on the CPU: one session a graph, opened when it is first needed."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnxruntime

from onepass.backends.base import Array, Graph
from onepass.errors import BackendError


class OnnxBackend:
    """Runs exported graphs.

    Args:
        directory: holds ``NAME.onnx`` for each graph.
        graphs: of the family.
        precision: of the weights, as it is reported.
        threads: for one run; None means the cores this process may use.

    Raises:
        BackendError: if a file is missing; from `run`, if one cannot be read.

    >>> import numpy as np
    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.gliner2.graphs import GRAPHS
    >>> [directory] = (builtin_checkpoint().directory / "onnx").iterdir()
    >>> backend = OnnxBackend(directory, GRAPHS)
    >>> [logits] = backend.run("classify", {"labels": np.zeros((3, 384), dtype=np.float32)})
    >>> logits.shape
    (3,)
    """

    name = "onnx"

    def __init__(
        self,
        directory: Path,
        graphs: Sequence[Graph],
        *,
        precision: str = "fp32",
        threads: int | None = None,
    ) -> None:
        missing = [g.name for g in graphs if not (directory / f"{g.name}.onnx").is_file()]
        if missing:
            raise BackendError(
                f"{directory} lacks the graphs {', '.join(missing)}; "
                "run  onepass export  on the checkpoint again."
            )
        self.precision = precision
        self._directory = directory
        self._sessions: dict[str, onnxruntime.InferenceSession] = {}
        self._lock = threading.Lock()
        self._options = onnxruntime.SessionOptions()
        self._options.intra_op_num_threads = threads or available_cores()
        self._options.inter_op_num_threads = 1
        self._options.log_severity_level = 3
        # Shapes change from call to call: a pool sized for the longest text would never shrink.
        self._options.enable_cpu_mem_arena = False

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """Return the outputs of a graph; see `onepass.backends.base.Backend`."""
        session = self._session(graph)
        used = {one.name for one in session.get_inputs()}  # the exporter drops unused inputs
        return tuple(session.run(None, {k: v for k, v in inputs.items() if k in used}))

    def _session(self, graph: str) -> onnxruntime.InferenceSession:
        session = self._sessions.get(graph)
        if session is None:
            with self._lock:
                session = self._sessions.get(graph)
                if session is None:
                    path = self._directory / f"{graph}.onnx"
                    try:
                        session = onnxruntime.InferenceSession(
                            str(path), self._options, providers=["CPUExecutionProvider"]
                        )
                    except Exception as error:  # the library raises a dozen kinds of its own
                        raise BackendError(
                            f"{path} cannot be run ({_first_line(error)}); run  onepass export  on "
                            "the checkpoint again."
                        ) from error
                    self._sessions[graph] = session
        return session


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]


def available_cores() -> int:
    """Return how many cores this process may run on.

    >>> available_cores() >= 1
    True
    """
    if hasattr(os, "sched_getaffinity"):  # not on macOS and Windows
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
