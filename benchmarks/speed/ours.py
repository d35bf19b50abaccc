"""onepass as a system of this benchmark, and a look at what its graphs take."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from benchmarks.common.int8 import write_int8  # noqa: E402
from benchmarks.common.timing import Clock  # noqa: E402
from benchmarks.speed import exact  # noqa: E402
from benchmarks.speed.question import Facts, Question, System  # noqa: E402
from tests.parity.test_gliner2 import our_facts  # noqa: E402

from onepass import Extractor  # noqa: E402
from onepass.arrays import Array  # noqa: E402
from onepass.backends.base import Backend  # noqa: E402
from onepass.errors import OnepassError  # noqa: E402
from onepass.results.types import Extraction  # noqa: E402
from onepass.schema.options import CallOptions  # noqa: E402

# Name to backend and precision.
VARIANTS: Mapping[str, tuple[str, str]] = {
    exact.ONNX: ("onnx", "fp32"),
    exact.OPENVINO: ("openvino", "fp32"),
    "onepass-int8": ("onnx", "int8"),
    "onepass-openvino-int8": ("openvino", "int8"),
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
        write_int8(directory)
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
        self.spent: list[tuple[str, float]] = []  # of several threads: appending is safe
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
        self.spent.append((graph, self._clock() - began))
        self.runs.append((graph, inputs))
        return out

    def forget(self) -> None:
        """Forget what was noted."""
        self.spent.clear()
        self.runs.clear()


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
        self._clock = clock
        self._reader.backend = self._one = Watched(self._reader.backend, clock)
        self._watched = [self._one]
        if self._reader.lanes is not None:  # many runs go side by side
            beside = Watched(self._reader.lanes.backend, clock)
            self._reader.lanes = replace(self._reader.lanes, backend=beside)
            self._watched.append(beside)

    def _read(self, texts: Sequence[str], question: Question) -> None:
        for watched in self._watched:
            watched.forget()
        options = CallOptions(question.thresholds, "label")
        asked = self._reader.ask(question.schema, options)
        self._reader.read(texts, asked)

    def profile(self, texts: Sequence[str], question: Question) -> dict[str, float]:
        """Return the seconds of each graph of a run, and of everything else as "rest".

        Of runs side by side the seconds are those of all lanes.
        """
        began = self._clock()
        self._read(texts, question)
        whole = self._clock() - began
        parts: Counter[str] = Counter()
        for watched in self._watched:
            for graph, seconds in watched.spent:
                parts[graph] += seconds
        lanes = self._reader.lanes
        count = lanes.count if lanes is not None and not self._one.runs else 1
        return dict(parts) | {"rest": whole * count - sum(parts.values())}

    def encodings(
        self, texts: Sequence[str], question: Question
    ) -> tuple[list[tuple[int, int, int]], Callable[[], object]]:
        """Return rows, pieces and pieces that are read of each run of the encoder.

        Beside them, what runs them all again.
        """
        self._read(texts, question)
        lanes = self._reader.lanes
        beside = lanes is not None and not self._one.runs
        watched = self._watched[-1] if beside else self._one
        runs = [inputs for graph, inputs in watched.runs if graph == "encode"]
        shapes = [
            (*inputs["ids"].shape, inputs["words"].shape[1] + inputs["markers"].shape[1])
            for inputs in runs
        ]

        def again() -> None:
            def run(inputs: Mapping[str, Array]) -> None:
                watched.run("encode", inputs)

            if beside:
                lanes.each(run, runs)
            else:
                for inputs in runs:
                    run(inputs)

        return shapes, again

    def pieces(self, texts: Sequence[str], question: Question) -> int:
        """Return how many pieces the encoder reads, padding included."""
        shapes, _ = self.encodings(texts, question)
        return sum(rows * pieces for rows, pieces, _ in shapes)
