"""What is compared: onepass and gliclass on one checkpoint, and two NLI baselines on another.

Each answers the same question: the score of every label for every text, each label by itself. On
the CPU, onepass runs its ONNX graphs; on a GPU, for which it has no backend of its own, its torch
network does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from onepass import Extractor, Schema
from onepass.arrays import Array
from onepass.backends.base import Backend, Graph
from onepass.hub import locate
from onepass.models.reader import Reader
from onepass.models.registry import load_network, read_model
from onepass.schema.options import CallOptions

Scores = np.ndarray[Any, np.dtype[np.float64]]  # (texts, labels)
TASK = "class"


@dataclass(frozen=True)
class System:
    """Something that classifies.

    Attributes:
        name: one of `SYSTEMS`.
        pairs: whether it reads a text once for each label.
        scores: of texts and labels.
    """

    name: str
    pairs: bool
    scores: Callable[[Sequence[str], Sequence[str]], Scores]


class DeviceBackend:
    """Runs the functions of a torch network on any device; a `onepass.backends.base.Backend`."""

    name = "torch"
    precision = "fp32"

    def __init__(
        self, functions: Mapping[str, Callable[..., Any]], graphs: Sequence[Graph], device: str
    ) -> None:
        self._functions = dict(functions)
        self._inputs = {graph.name: tuple(graph.inputs) for graph in graphs}
        self._device = device

    def run(self, graph: str, inputs: Mapping[str, Array]) -> tuple[Array, ...]:
        """Return the outputs of a graph."""
        given = [torch.from_numpy(inputs[name]).to(self._device) for name in self._inputs[graph]]
        with torch.inference_mode():
            out = self._functions[graph](*given)
        return tuple(one.cpu().numpy() for one in (out if isinstance(out, tuple) else (out,)))


def _schema(labels: Sequence[str]) -> Schema:
    return Schema().classification(TASK, list(labels), multi_label=True)


def _onepass_onnx(directory: Path, threads: int) -> Callable[..., Scores]:
    model = Extractor.from_pretrained(directory, backend="onnx", threads=threads)

    def scores(texts: Sequence[str], labels: Sequence[str]) -> Scores:
        docs = model.extract(list(texts), _schema(labels), on_long="error")
        return _table([doc.classifications[TASK].scores for doc in docs], labels)

    return scores


def onepass_torch(directory: Path, device: str) -> Callable[..., Scores]:
    """Return what asks the torch network of a checkpoint on a device."""
    model = read_model(locate(directory))
    network = load_network(model.family, model.directory)
    network.to(device)
    network.prepare()  # what it makes of its weights is where they are
    graphs = model.family.graphs(model.settings)
    backend: Backend = DeviceBackend(network.graphs(), graphs, device)
    reader = Reader(model, backend)

    def scores(texts: Sequence[str], labels: Sequence[str]) -> Scores:
        schema = _schema(labels)
        asked = reader.ask(schema, CallOptions(on_long="error"))
        docs = reader.read(list(texts), asked)
        return _table([doc.classifications[TASK].scores for doc in docs], labels)

    return scores


def _onepass(directory: Path, device: str, threads: int) -> Callable[..., Scores]:
    if device == "cpu":
        return _onepass_onnx(directory, threads)
    return onepass_torch(directory, device)


def _gliclass(directory: Path, device: str, threads: int) -> Callable[..., Scores]:
    from gliclass import GLiClassModel, ZeroShotClassificationPipeline
    from transformers import AutoTokenizer

    torch.set_num_threads(threads)
    pipe = ZeroShotClassificationPipeline(
        GLiClassModel.from_pretrained(str(directory)).eval(),
        AutoTokenizer.from_pretrained(str(directory)),
        classification_type="multi-label",
        device=device,
        progress_bar=False,
    )

    def scores(texts: Sequence[str], labels: Sequence[str]) -> Scores:
        found = pipe(list(texts), list(labels), threshold=0.0, batch_size=len(texts))
        return _table([{one["label"]: one["score"] for one in row} for row in found], labels)

    return scores


def _pipeline(directory: Path, device: str, threads: int) -> Callable[..., Scores]:
    from transformers import pipeline

    torch.set_num_threads(threads)
    pipe = pipeline("zero-shot-classification", model=str(directory), device=device)

    def scores(texts: Sequence[str], labels: Sequence[str]) -> Scores:
        found = [pipe(text, list(labels), multi_label=True, batch_size=1) for text in texts]
        rows = [dict(zip(row["labels"], row["scores"], strict=True)) for row in found]
        return _table(rows, labels)

    return scores


def _table(rows: Sequence[Mapping[str, float]], labels: Sequence[str]) -> Scores:
    return np.array([[row[label] for label in labels] for row in rows])


# Name to what opens it, and whether it reads pairs of a text and a label.
SYSTEMS: Mapping[str, tuple[Callable[[Path, str, int], Callable[..., Scores]], bool]] = {
    "onepass": (_onepass, False),
    "gliclass": (_gliclass, False),
    "onepass-nli": (_onepass, True),
    "transformers-nli": (_pipeline, True),
}


def open_system(
    name: str, checkpoints: Mapping[bool, Path], *, device: str, threads: int
) -> System:
    """Open one of `SYSTEMS`.

    Args:
        name: of it.
        checkpoints: whether it is of pairs, to where it is.
        device: "cpu" or one that torch knows.
        threads: of one run on the CPU.
    """
    opens, pairs = SYSTEMS[name]
    return System(name, pairs, opens(checkpoints[pairs], device, threads))
