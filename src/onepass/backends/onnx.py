"""ONNX Runtime on the CPU: one session a graph, opened when it is first needed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from onepass.arrays import Array
from onepass.backends.base import (
    Graph,
    Input,
    cannot_run,
    check_files,
    integer_form,
    run_failed,
)
from onepass.backends.cpu import available_cores, cpu
from onepass.backends.lazy import OpenOnce
from onepass.backends.onnx_cache import giving_back, open_cached, open_session
from onepass.backends.onnx_runtime import onnxruntime

# Rows of the largest input, batch * pieces, up to which a graph keeps its memory from run to run.
# Asking for it anew, page by page, takes 4 to 6 % of the time of one text of 400 to 650 pieces.
FEW_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class _Opened:
    """A session and the inputs that it takes: the exporter drops those that it does not need."""

    session: onnxruntime.InferenceSession
    inputs: frozenset[str]


class OnnxBackend:
    """Runs exported graphs.

    Args:
        directory: holds ``NAME.onnx`` for each graph.
        graphs: of the family.
        precision: of the weights, as it is reported.
        threads: for one run; None means `onepass.backends.cpu.available_cores`.
        cache: where optimized graphs are kept; None to optimize them at every start.

    Raises:
        BackendError: if a file is missing; from `run`, if one cannot be read.
        RunFailed: from `run`, if a graph fails on what it is given.

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
        cache: Path | None = None,
    ) -> None:
        check_files(directory, graphs)
        self.precision = precision
        self.threads = threads or available_cores()
        self._directory, self._graphs = directory, graphs
        self._cache = cache
        self._giving_back = giving_back()
        self._opened = OpenOnce(self._open)

    def with_threads(self, threads: int) -> OnnxBackend:
        """Return what runs the same graphs on so many threads a run; opens its own sessions."""
        return OnnxBackend(
            self._directory, self._graphs,
            precision=self.precision, threads=threads, cache=self._cache,
        )  # fmt: skip

    def open(self, graph: str) -> None:
        """Open a graph now; else the first `run` does."""
        self._opened[graph]

    def run(self, graph: str, inputs: Mapping[str, Input]) -> tuple[Array, ...]:
        """Return the outputs of a graph; see `onepass.backends.base.Backend`."""
        opened = self._opened[graph]
        used = {name: array for name, array in inputs.items() if name in opened.inputs}
        rows = max((math.prod(array.shape[:2]) for array in used.values()), default=0)
        how = None if rows <= FEW_ROWS else self._giving_back
        try:
            return tuple(opened.session.run(None, used, how))
        except Exception as error:  # of a dozen kinds: a piece that the graph has no row for, ...
            raise run_failed(self._path(graph), error) from error

    def _open(self, graph: str) -> _Opened:
        path = self._path(graph)
        try:
            session = self._cached(path) or open_session(path, self.threads)
        except Exception as error:  # the library raises a dozen kinds of its own
            raise cannot_run(path, error) from error
        return _Opened(session, frozenset(one.name for one in session.get_inputs()))

    def _path(self, graph: str) -> Path:
        """Return the form of a graph that is fast here."""
        plain, form = self._directory / f"{graph}.onnx", integer_form(cpu()[1])
        if form is not None and (fast := plain.with_suffix(form)).is_file():
            return fast
        return plain

    def _cached(self, path: Path) -> onnxruntime.InferenceSession | None:
        return None if self._cache is None else open_cached(path, self.threads, self._cache)
