"""The checkpoints that every family is tested with, and how their answers are compared.

A new family adds its lines to `CHECKPOINTS`; everything else here knows the facade only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from onepass import Extractor, Schema
from onepass.hub.checkpoint import WEIGHTS
from onepass.hub.files import read_json
from onepass.models.boundary.network.checkpoint import load_network as load_boundary
from onepass.models.boundary.network.checkpoint import save_network as save_boundary
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.network.checkpoint import load_network as load_gliner
from onepass.models.gliner.network.checkpoint import save_network as save_gliner
from onepass.models.gliner2.network.checkpoint import load_network, save_network
from onepass.results.types import Extraction, Value
from tests.boundary_checkpoints import EACH, SHARED, make_boundary
from tests.gliner_checkpoints import KINDS, NAMERS, RELATED, make_reference
from tests.tiny import make_tiny_checkpoint

BACKENDS = ("torch", "onnx")


@dataclass(frozen=True)
class Kind:
    """A kind of checkpoint.

    Attributes:
        family: as `Extractor.family` has it.
        make: writes one into a directory.
        resave: loads one with our code and saves it into a second directory.
        reference: loads one with the reference library, strictly; None where there is none.
        records: whether it finds records; a family that does not is not asked for them.
        architecture: as the documentation of the reference library calls it.
        unused: what the names of weights begin with that the reference library makes and never
            runs; they are not saved again.
        backends: those that run it.
    """

    family: str
    make: Callable[[Path], None]
    resave: Callable[[Path, Path], None]
    reference: Callable[[Path], Any] | None = None
    records: bool = True
    architecture: str = "span"
    unused: tuple[str, ...] = ()
    backends: tuple[str, ...] = BACKENDS


def gliner2(backbone: str, counting_layer: str, *, seed: int, absent: bool = False) -> Kind:
    """Return a GLiNER2 span checkpoint whose scores differ and whose structures are found.

    Args:
        backbone: "bert" or "deberta-v2".
        counting_layer: of the checkpoint.
        seed: of the weights, one under which this checkpoint finds something.
        absent: whether the count head may say that there is no instance.
    """

    def make(directory: Path) -> None:
        make_tiny_checkpoint(directory, backbone=backbone, counting_layer=counting_layer)
        network = load_network(directory)
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for parameter in network.parameters():
                if parameter.ndim > 1:
                    parameter.normal_(0, 0.3, generator=generator)
            network.count_head.last.bias += torch.linspace(6, -24, 20)
            if not absent:
                network.count_head.last.bias[0] = -100
        save_gliner2(network, directory, directory)
        spread_scores(directory)

    def spread_scores(directory: Path) -> None:
        """Make the logits of spans and classes differ by about 2, so that sigmoids tell them."""
        network = load_network(directory)
        generator = torch.Generator().manual_seed(seed)
        words, markers = network.encode(
            torch.randint(20, 90, (4, 40), generator=generator),
            torch.ones(4, 40, dtype=torch.int64),
            torch.arange(12, 40)[None, :, None].expand(4, -1, -1),
            torch.arange(0, 12).expand(4, -1),
        )
        mask = torch.ones(4, 12, dtype=torch.int64)
        queries = network.occurrences(markers, mask, torch.arange(1))[:, 0]
        with torch.no_grad():
            spans = network.span_head(words, queries)[:, :, :-4]
            classes = network.classify(markers)
            for layer, logits in (
                (network.span_head.out.last, spans), (network.classifier.last, classes),
            ):  # fmt: skip
                layer.weight.mul_(2.0 / logits.std())
                layer.bias.mul_(2.0 / logits.std())
            network.classifier.last.bias -= 2.0 * classes.mean() / classes.std()
        save_gliner2(network, directory, directory)

    return Kind("gliner2", make, resave_gliner2, load_gliner2_reference)


def save_gliner2(network: Any, directory: Path, source: Path) -> None:
    encoder_config = read_json(source / "encoder_config" / "config.json")
    save_network(network, directory, encoder_config=encoder_config, tokenizer_from=source)


def resave_gliner2(source: Path, directory: Path) -> None:
    save_gliner2(load_network(source), directory, source)


def load_gliner2_reference(directory: Path) -> Any:
    from gliner2 import GLiNER2

    return GLiNER2.from_pretrained(str(directory))


def boundary(head: dict[str, Any], *, backbone: str = "bert", seed: int = 0) -> Kind:
    """Return a GLiNER2 boundary checkpoint.

    Args:
        head: its parts.
        backbone: "bert" or "deberta-v2".
        seed: of the weights, one under which this checkpoint finds something.
    """

    def make(directory: Path) -> None:
        make_boundary(directory, backbone=backbone, seed=seed, head=head)

    def resave(source: Path, directory: Path) -> None:
        encoder_config = read_json(source / "encoder_config" / "config.json")
        network = load_boundary(source)
        save_boundary(network, directory, encoder_config=encoder_config, tokenizer_from=source)

    return Kind("gliner2-boundary", make, resave, load_boundary_reference, architecture="boundary")


def load_boundary_reference(directory: Path) -> Any:
    from gliner2 import BoundaryExtractor

    return BoundaryExtractor.from_pretrained(str(directory))


def gliner(name: str, seed: int = 0, **changes: Any) -> Kind:
    """Return a GLiNER checkpoint that the reference library makes.

    Args:
        name: one of its `KINDS`, `RELATED` or `NAMERS`.
        seed: of the weights, one under which this checkpoint finds something of all that is asked.
        changes: to what it is made of.
    """
    options = {**KINDS, **RELATED, **NAMERS}[name] | changes

    def make(directory: Path) -> None:
        make_reference(directory, seed=seed, **options)

    def resave(source: Path, directory: Path) -> None:
        save_gliner(load_gliner(source), directory, tokenizer_from=source)

    config = GlinerConfig.from_dict(options)
    architecture = config.architecture + (" (poly-encoder)" if config.fusion else "")
    kind = Kind("gliner", make, resave, load_gliner_reference, False, architecture)
    if config.bi_encoder:
        return replace(kind, unused=("rnn.",))
    if config.decoder is not None:  # which generates, and that cannot be exported
        unused = ("prompt_rep_layer.",) if config.tokens else ()
        return replace(kind, unused=unused, backends=("torch",))
    return kind


def load_gliner_reference(directory: Path) -> Any:
    from gliner import GLiNER

    return GLiNER.from_pretrained(str(directory)).model


# A random checkpoint of spans of tokens relates or names almost everything in a window. Its windows
# are short, so that there is less of it; there are more of them to be put together.
SHORT = {"encoder": "bert", "max_len": 96}
CHECKPOINTS: Mapping[str, Kind] = {
    "gliner2-bert-v2": gliner2("bert", "count_lstm_v2", seed=3),
    "gliner2-deberta-lstm": gliner2("deberta-v2", "count_lstm", seed=5, absent=True),
    "gliner2-bert-moe": gliner2("bert", "count_lstm_moe", seed=3),
    "boundary-shared": boundary(SHARED, seed=21),
    "boundary-each": boundary(EACH, backbone="deberta-v2", seed=8),
    "gliner-span": gliner("span"),
    "gliner-context": gliner("span-context-deberta-v2", encoder="bert"),
    "gliner-token": gliner("token", seed=2, encoder="bert"),
    "gliner-bi-span": gliner("bi-span", encoder="bert"),
    "gliner-bi-token": gliner("bi-token", seed=4, encoder="bert"),
    "gliner-poly": gliner("poly-span-l2l-l2t-t2t", encoder="bert"),
    "gliner-poly-token": gliner("poly-token"),
    "gliner-streaming": gliner("streaming-llama"),
    "gliner-relex": gliner("relex-span", **SHORT),
    "gliner-token-relex": gliner("relex-token", seed=4, **SHORT),
    "gliner-names": gliner("names-span", seed=1, **SHORT),
    "gliner-token-names": gliner("names-token", seed=4, **SHORT),
}
MODELS = [(name, backend) for name, kind in CHECKPOINTS.items() for backend in kind.backends]
EXPORTED = [name for name, kind in CHECKPOINTS.items() if len(kind.backends) > 1]
# OpenVINO reads the graphs of ONNX Runtime: what holds for every backend is tested with a few.
OPENVINO = ("gliner2-deberta-lstm", "gliner-poly")
MODELS += [(name, "openvino") for name in OPENVINO]


def turn(name: str, number: int = 0) -> str:
    """Return the backend of a checkpoint whose turn it is.

    What is done to texts, labels and answers is the same code for all backends, and `test_family`
    shows that they compute the same. So not every text is read under each of them: they take turns.

    Args:
        name: of the checkpoint.
        number: of what is asked of it.
    """
    backends = [backend for one, backend in MODELS if one == name]
    return backends[(list(CHECKPOINTS).index(name) + number) % len(backends)]


def in_turn(asked: Iterable[str]) -> list[pytest.ParameterSet]:
    """Return values of `model` and of what is asked: all of it of every checkpoint (see `turn`)."""
    return [
        pytest.param((name, turn(name, number)), one, id=f"{name}-{turn(name, number)}-{one}")
        for name in CHECKPOINTS
        for number, one in enumerate(asked)
    ]


def damage(directory: Path) -> None:
    """Write weights that are no numbers, as a training that has gone wrong does."""
    weights = load_file(directory / WEIGHTS)
    for name, values in weights.items():
        # Tables of a network that shares them must be equal, which nan never is.
        table = "embed" in name or "shared" in name
        if np.issubdtype(values.dtype, np.floating) and not table:
            values[...] = np.nan
    save_file(weights, directory / WEIGHTS)


def skip_without(backend: str) -> None:
    """Skip a test of a backend that is not installed."""
    if backend == "openvino" and find_spec("openvino") is None:
        pytest.skip("the extra openvino is not installed")


def everything(model: Extractor) -> Schema:
    """Return a schema with all that a family answers: both kinds of classification, choices, lists.

    >>> from onepass import Extractor
    >>> list(everything(Extractor()).to_dict())
    ['entities', 'classifications', 'structures', 'relations', 'questions']
    """
    schema = (
        Schema()
        .entities({"person": "by name", "company": None, "place": None})
        .classification("tone", ["calm", "angry"])
        .classification("color", ["red", "green", "blue"], multi_label=True)
        .ask(["Who runs Apple?"])
    )
    if relates(model):
        # Random checkpoints of GLiNER relate every two entities of a hundred.
        threshold = None if model.family.startswith("gliner2") else 0.97
        schema.relations(["works for", "in"], threshold=threshold)
    if finds_records(model):
        fields = ["name::str", "price", "size::[great|bad]", "color::[red|blue]::str"]
        schema.structure("product", fields)
    if writes_names(model):
        choices = ["person", "place to be", "great"] if "token" in Path(model.name).name else None
        schema.name_entities(choices, count=2)
    return schema


def writes_names(model: Extractor) -> bool:
    """Say whether a checkpoint has a decoder that names what it finds."""
    return "names" in Path(model.name).name


def relates(model: Extractor) -> bool:
    """Say whether a checkpoint has a part for relations; one without asks entity by entity."""
    return model.family.startswith("gliner2") or "relex" in Path(model.name).name


def finds_records(model: Extractor) -> bool:
    """Say whether a model's family finds records."""
    return any(kind.records for kind in CHECKPOINTS.values() if kind.family == model.family)


Facts = dict[tuple[object, ...], float]


def facts(doc: Extraction) -> Facts:
    """Return everything that an extraction says, with its score."""
    found: Facts = {("entity", e.label, e.start, e.end): e.score for e in doc.entities}
    assert len(found) == len(doc.entities)  # nothing is said twice
    for e in doc.entities:
        found |= {("name", e.start, e.end, e.label, name.label): name.score for name in e.names}
    for name, records in doc.records.items():
        for number, record in enumerate(records):
            for field, held in record.items():
                for value in held if isinstance(held, tuple) else (held,):
                    if isinstance(value, Value):
                        key = (name, number, field, value.text, value.start, value.end)
                        found[key] = value.score
    for r in doc.relations:
        found[r.type, r.head.start, r.head.end, r.tail.start, r.tail.end] = r.score
    for task, answer in doc.classifications.items():
        found |= {(task, label): score for label, score in answer.scores.items()}
        found |= {(task, "chosen", one.label): one.score for one in answer.labels}
    return found


def assert_same(got: Extraction, expected: Extraction, tolerance: float = 1e-5) -> None:
    """Check that two extractions say the same with the same scores."""
    ours, theirs = facts(got), facts(expected)
    assert set(ours) == set(theirs)
    for key, score in theirs.items():
        assert abs(ours[key] - score) <= tolerance, (key, ours[key], score)
    assert got.text == expected.text
    assert got.coverage == expected.coverage


class Opened(Mapping[str, Mapping[str, Extractor]]):
    """Every checkpoint under every backend that runs it, made when it is asked for.

    Args:
        root: receives the checkpoints.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._opened: dict[str, dict[str, Extractor]] = {}
        self._openvino: dict[str, Extractor] = {}

    def __getitem__(self, name: str) -> Mapping[str, Extractor]:
        if name not in self._opened:
            kind, directory = CHECKPOINTS[name], self._root / name
            kind.make(directory)
            self._opened[name] = {
                backend: Extractor.from_pretrained(directory, backend=backend)
                for backend in kind.backends
            }
        return self._opened[name]

    def model(self, name: str, backend: str) -> Extractor:
        return self.openvino(name) if backend == "openvino" else self[name][backend]

    def openvino(self, name: str) -> Extractor:
        """Return a checkpoint under OpenVINO, which not every test of backends needs."""
        skip_without("openvino")
        if name not in self._openvino:
            directory = self[name]["onnx"].name  # its graphs are there
            self._openvino[name] = Extractor.from_pretrained(directory, backend="openvino")
        return self._openvino[name]

    def __iter__(self) -> Iterator[str]:
        return iter(CHECKPOINTS)

    def __len__(self) -> int:
        return len(CHECKPOINTS)


def saved_weights(directory: Path) -> dict[str, np.ndarray]:
    """Return the weights of a checkpoint under all their names; tied ones are saved under one."""
    weights = load_file(directory / WEIGHTS)
    with safe_open(directory / WEIGHTS, framework="numpy") as file:
        named = file.metadata() or {}
    return weights | {name: weights[kept] for name, kept in named.items() if kept in weights}
