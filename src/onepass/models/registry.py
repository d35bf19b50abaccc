"""The families that onepass can open, and how a directory becomes a model with a backend."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.backends.base import Backend
from onepass.errors import BackendError, CheckpointError, MissingExtra
from onepass.hub import Checkpoint, export_dir
from onepass.hub.base import HubOptions
from onepass.hub.exports import export_problem
from onepass.hub.files import read_json
from onepass.models.complete import complete
from onepass.models.embedding.family import EMBEDDING
from onepass.models.family import Family, Model
from onepass.models.gliclass.family import GLICLASS
from onepass.models.gliner.family import GLINER
from onepass.models.gliner2.family import GLINER2
from onepass.models.nli.family import NLI
from onepass.models.thresholds import ABSTAIN, KINDS, SINGLE, Calibration

FAMILIES: Mapping[str, Family] = {
    "gliner2": GLINER2,
    "gliner": GLINER,
    "gliclass": GLICLASS,
    "nli": NLI,
    "embedding": EMBEDDING,
}

TORCH_ONLY = (
    "{name} generates labels, which runs in torch and fp32 only: there are no ONNX graphs of it; "
    "open it with backend='torch'."
)

BACKENDS = ("auto", "onnx", "torch")
PRECISIONS = ("auto", "fp32", "int8")
_HUB = HubOptions()
SETTINGS_FILE = "onepass.json"  # what we add to a published layout: calibrated thresholds


def open_model(checkpoint: Checkpoint, options: HubOptions = _HUB) -> Model:
    """Read everything of a checkpoint but its weights.

    Args:
        checkpoint: a located checkpoint.
        options: how the hub is asked for what an old checkpoint leaves to its base model.

    Raises:
        CheckpointError: if a file is missing or broken, or the family is not supported yet.

    >>> from onepass.builtin import builtin_checkpoint
    >>> open_model(builtin_checkpoint()).family.name
    'gliner2'
    """
    family = FAMILIES.get(checkpoint.kind)
    if family is None:
        raise CheckpointError(
            f"{checkpoint.name} is a {checkpoint.kind} checkpoint, which this version cannot run; "
            f"it runs: {', '.join(FAMILIES)}."
        )
    directory = complete(checkpoint, options).directory
    thresholds, calibration = read_settings(directory)
    settings = family.read_config(directory)
    return Model(
        family=family,
        name=checkpoint.name,
        directory=directory,
        settings=settings,
        tokenizer=family.open_tokenizer(directory, settings),
        limits=family.limits(settings),
        thresholds=thresholds,
        calibration=calibration,
    )


def read_settings(directory: Path) -> tuple[dict[str, float], dict[str, Calibration]]:
    """Return the thresholds and the calibration that a checkpoint carries, both by kind of task.

    Raises:
        CheckpointError: if ``onepass.json`` is not what it should be.

    >>> read_settings(Path("models/without/settings"))
    ({}, {})
    """
    path = directory / SETTINGS_FILE
    if not path.is_file():
        return {}, {}
    own = read_json(path)
    try:
        thresholds = {kind: float(value) for kind, value in own.get("thresholds", {}).items()}
        calibration = {
            kind: Calibration(float(value["scale"]), float(value.get("shift", 0.0)))
            for kind, value in own.get("calibration", {}).items()
        }
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"{path} must hold 'thresholds' and 'calibration' as numbers by kind of task: {error}"
        ) from error
    kinds = (*KINDS, SINGLE, ABSTAIN)
    stray = [kind for kind in (*thresholds, *calibration) if kind not in kinds]
    if stray:
        raise CheckpointError(
            f"{path} names the kind {stray[0]!r}; the kinds are {', '.join(kinds)}."
        )
    return thresholds, calibration


def open_backend(
    model: Model,
    checkpoint: Checkpoint,
    *,
    backend: str = "auto",
    precision: str = "auto",
    threads: int | None = None,
) -> Backend:
    """Return what runs a model's graphs.

    Exported graphs beside the checkpoint or in the cache are used; where there are none, they are
    exported once into the cache if torch is installed.

    Raises:
        BackendError: for an unknown backend or precision, or one that is not to be had here, or a
            wrong number of threads.
        MissingExtra: if torch is needed and not installed.

    >>> from onepass.builtin import builtin_checkpoint
    >>> checkpoint = builtin_checkpoint()
    >>> open_backend(open_model(checkpoint), checkpoint).name
    'onnx'
    """
    _check_options(backend, precision, threads)
    if not all(graph.exportable for graph in model.family.graphs(model.settings)):
        if backend == "onnx" or precision == "int8":
            raise BackendError(TORCH_ONLY.format(name=model.name))
        backend = "torch"
    if backend == "torch":
        if precision == "int8":
            raise BackendError("The torch backend runs fp32; ask for backend='onnx' with int8.")
        return _torch_backend(model, threads)
    # Imported here: a process that only reads a schema does not pay for the runtime.
    from onepass.backends.onnx import OnnxBackend

    graphs = model.family.graphs(model.settings)
    for name in ("fp32", "int8") if precision == "auto" else (precision,):
        directory = export_dir(checkpoint, precision=name) / name
        if export_problem(directory, checkpoint) is None:
            return OnnxBackend(directory, graphs, precision=name, threads=threads)
    if precision == "int8":
        raise BackendError(
            f"{model.name} has no int8 graphs; make them with "
            f"onepass export {model.name} --precision int8."
        )
    if not checkpoint.has_weights and (checkpoint.directory / "onnx").is_dir():
        raise BackendError(
            f"{model.name} comes without its fp32 weights, so precision={precision!r} is not to be "
            "had; leave precision at 'auto'."
        )
    from onepass.models.export import export_checkpoint

    try:
        directory = export_checkpoint(checkpoint, export_dir(checkpoint, precision="fp32"))
    except MissingExtra:
        raise MissingExtra(
            f"Running {model.name}, which has no ONNX graphs yet,", "torch"
        ) from None
    return OnnxBackend(directory, graphs, threads=threads)


def _check_options(backend: str, precision: str, threads: int | None) -> None:
    if backend not in BACKENDS:
        raise BackendError(f"backend {backend!r} is not known; {', '.join(BACKENDS)} are.")
    if precision not in PRECISIONS:
        raise BackendError(f"precision {precision!r} is not known; {', '.join(PRECISIONS)} are.")
    if threads is not None and (type(threads) is not int or threads < 1):
        raise BackendError(f"threads must be a whole number from 1 up, but {threads!r} was given.")


def _torch_backend(model: Model, threads: int | None) -> Backend:
    try:
        from onepass.backends.torch import TorchBackend
    except ImportError as error:
        raise MissingExtra("The torch backend", "torch") from error

    network = load_network(model.family, model.directory)
    network.prepare()
    return TorchBackend(network.graphs(), model.family.graphs(model.settings), threads=threads)


def load_network(family: Family, directory: Path) -> Any:
    """Return the torch network of a checkpoint directory, in inference mode.

    Raises:
        MissingExtra: if torch is not installed.
    """
    module, _, function = family.network.partition(":")
    try:
        load = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("torch", "transformers"):
            raise MissingExtra("The torch network", "torch") from error
        raise
    return load(directory)
