"""onepass as a system of this benchmark, and a look at what its graphs take."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.timing import Clock  # noqa: E402
from benchmarks.speed import exact  # noqa: E402
from benchmarks.speed.question import Facts, Question, System  # noqa: E402
from tests.parity.test_gliner2 import our_facts  # noqa: E402

from onepass import Extractor  # noqa: E402
from onepass.backends.base import Array, Backend  # noqa: E402
from onepass.errors import OnepassError  # noqa: E402
from onepass.hub import export_dir, locate  # noqa: E402
from onepass.results.types import Extraction  # noqa: E402

# Name to backend and precision.
VARIANTS: Mapping[str, tuple[str, str]] = {
    exact.ONNX: ("onnx", "fp32"),
    exact.OPENVINO: ("openvino", "fp32"),
    "onepass-int8": ("onnx", "int8"),
    "onepass-bf16": ("openvino", "bf16"),
}
EXACT = exact.ONNX  # always asked; it settles thresholds


def open_variant(name: str, directory: Path, threads: int) -> System:
    """Open a checkpoint with one of `VARIANTS`; its graphs are written if they are not there.

    Raises:
        OnepassError: if this is not to be had here.
    """
    backend, precision = VARIANTS[name]
    if precision == "int8":
        _export(directory, precision)
    model = Extractor.from_pretrained(
        directory, backend=backend, precision=precision, threads=threads
    )
    return System(name, asking(model), facts_of)


def open_variants(
    names: Sequence[str], directory: Path, threads: int
) -> tuple[dict[str, System], dict[str, str]]:
    """Return the variants that are to be had, and why the others are not."""
    opened, skipped = {}, {}
    for name in names:
        try:
            opened[name] = open_variant(name, directory, threads)
        except OnepassError as error:
            if name == EXACT:
                raise
            skipped[name] = str(error)
            sys.stderr.write(f"{name} is left out: {error}\n")
    return opened, skipped


def _export(directory: Path, precision: str) -> None:
    from onepass.hub.exports import export_problem
    from onepass.models.export import export_checkpoint

    checkpoint = locate(directory)
    target = export_dir(checkpoint, precision=precision)
    if export_problem(target / precision, checkpoint) is not None:
        export_checkpoint(checkpoint, target, precision=precision)


def asking(model: Extractor) -> Any:
    """Return what a model is asked with, as `System` takes it."""

    def answer(texts: Sequence[str], question: Question, batch: int) -> list[Extraction]:
        overlap = "label" if model.family == "gliner2" else "flat"
        options: Any = {"threshold": question.thresholds, "overlap": overlap}
        if len(texts) == 1:
            return [model.extract(texts[0], question.schema, **options)]
        return model.extract(list(texts), question.schema, **options)

    return answer


def facts_of(doc: Extraction, question: Question) -> Facts:
    """Return what an extraction says; of classes every score."""
    if question.task == "classes":
        ((task, one),) = doc.classifications.items()
        return {("class", task, label): score for label, score in one.scores.items()}
    return our_facts(doc, question.schema)


class Watched:
    """A backend that notes what its graphs take; a `onepass.backends.base.Backend`."""

    def __init__(self, inner: Backend, clock: Clock) -> None:
        self._inner = inner
        self._clock = clock
        self.seconds: dict[str, float] = {}
        self.runs: list[tuple[str, Mapping[str, Array]]] = []

    @property
    def name(self) -> str:
        """Return that of the backend."""
        return self._inner.name

    @property
    def precision(self) -> str:
        """Return the number format of the backend."""
        return self._inner.precision

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """Return the outputs of a graph."""
        began = self._clock()
        out = self._inner.run(graph, inputs)
        self.seconds[graph] = self.seconds.get(graph, 0.0) + self._clock() - began
        self.runs.append((graph, inputs))
        return out


class Inside:
    """onepass on a GLiNER2 checkpoint, run so that its graphs can be told apart.

    Args:
        directory: of the checkpoint.
        threads: of a run.
        clock: of all times.
    """

    def __init__(self, directory: Path, threads: int, clock: Clock) -> None:
        backend, precision = VARIANTS[EXACT]
        model = Extractor.from_pretrained(
            directory, backend=backend, precision=precision, threads=threads
        )
        self._reader = model._reader
        self._watched = Watched(self._reader.backend, clock)
        self._clock = clock
        self._reader.backend = self._watched

    def _read(self, texts: Sequence[str], question: Question) -> None:
        self._watched.seconds.clear()
        self._watched.runs.clear()
        asked = self._reader.ask(
            question.schema, threshold=question.thresholds, overlap="label", on_long="window"
        )
        self._reader.read(texts, asked)

    def profile(self, texts: Sequence[str], question: Question) -> dict[str, float]:
        """Return the seconds of each graph of a run, and of everything else as "rest"."""
        began = self._clock()
        self._read(texts, question)
        whole = self._clock() - began
        parts = dict(self._watched.seconds)
        return parts | {"rest": whole - sum(parts.values())}

    def encodings(
        self, texts: Sequence[str], question: Question
    ) -> list[tuple[int, int, Callable[[], object]]]:
        """Return for each run of the encoder its rows, their pieces, and what runs it again."""
        self._read(texts, question)
        return [
            (*inputs["ids"].shape, partial(self._watched.run, graph, inputs))
            for graph, inputs in list(self._watched.runs)
            if graph == "encode"
        ]

    def pieces(self, texts: Sequence[str], question: Question) -> int:
        """Return how many pieces the encoder reads, padding included."""
        return sum(rows * pieces for rows, pieces, _ in self.encodings(texts, question))
