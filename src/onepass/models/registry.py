"""The families that onepass can open, and how a directory becomes a model with a backend."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.backends.base import Backend
from onepass.encoding.tokenizer import PieceTokenizer
from onepass.errors import BackendError, CheckpointError, MissingExtra
from onepass.hub import Checkpoint, export_dir
from onepass.hub.checkpoint import WEIGHTS
from onepass.hub.exports import export_problem
from onepass.hub.files import read_json
from onepass.models.family import Family, Model
from onepass.models.gliner2.family import GLINER2
from onepass.models.thresholds import KINDS, SINGLE, Calibration

FAMILIES: Mapping[str, Family] = {"gliner2": GLINER2}

BACKENDS = ("auto", "onnx", "torch")
PRECISIONS = ("auto", "fp32", "int8")
SETTINGS_FILE = "onepass.json"  # what we add to a published layout: calibrated thresholds
LONGEST = 2048  # pieces, for encoders without a limit of their own


def open_model(checkpoint: Checkpoint) -> Model:
    """Read everything of a checkpoint but its weights.

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
    directory = checkpoint.directory
    thresholds, calibration = read_settings(directory)
    return Model(
        family=family,
        name=checkpoint.name,
        directory=directory,
        settings=family.read_config(directory),
        tokenizer=PieceTokenizer(directory / "tokenizer.json"),
        max_pieces=max_pieces(read_json(directory / "encoder_config" / "config.json")),
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
    stray = [kind for kind in (*thresholds, *calibration) if kind not in (*KINDS, SINGLE)]
    if stray:
        raise CheckpointError(
            f"{path} names the kind {stray[0]!r}; the kinds are {', '.join((*KINDS, SINGLE))}."
        )
    return thresholds, calibration


def max_pieces(encoder: Mapping[str, Any]) -> int:
    """Return the longest sequence that an encoder reads.

    Args:
        encoder: the content of ``encoder_config/config.json``.

    >>> max_pieces({"model_type": "bert", "max_position_embeddings": 512})
    512
    """
    positions = int(encoder.get("max_position_embeddings", LONGEST))
    kind = encoder.get("model_type")
    if kind == "deberta-v2" and encoder.get("relative_attention", False):
        return LONGEST if not encoder.get("position_biased_input", True) else positions
    if kind in ("roberta", "xlm-roberta", "camembert"):  # positions start after the padding id
        positions -= int(encoder.get("pad_token_id", 1)) + 1
    return min(positions, LONGEST)


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
    if backend not in BACKENDS:
        raise BackendError(f"backend {backend!r} is not known; {', '.join(BACKENDS)} are.")
    if precision not in PRECISIONS:
        raise BackendError(f"precision {precision!r} is not known; {', '.join(PRECISIONS)} are.")
    if threads is not None and (type(threads) is not int or threads < 1):
        raise BackendError(f"threads must be a whole number from 1 up, but {threads!r} was given.")
    if backend == "torch":
        if precision == "int8":
            raise BackendError("The torch backend runs fp32; ask for backend='onnx' with int8.")
        return _torch_backend(model, threads)
    # Imported here: a process that only reads a schema does not pay for the runtime.
    from onepass.backends.onnx import OnnxBackend

    graphs = model.family.graphs
    for name in ("fp32", "int8") if precision == "auto" else (precision,):
        directory = export_dir(checkpoint, precision=name) / name
        if export_problem(directory, checkpoint) is None:
            return OnnxBackend(directory, graphs, precision=name, threads=threads)
    if precision == "int8":
        raise BackendError(
            f"{model.name} has no int8 graphs; make them with "
            f"onepass export {model.name} --precision int8."
        )
    if not (checkpoint.directory / WEIGHTS).is_file() and (checkpoint.directory / "onnx").is_dir():
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


def _torch_backend(model: Model, threads: int | None) -> Backend:
    try:
        from onepass.backends.torch import TorchBackend
    except ImportError as error:
        raise MissingExtra("The torch backend", "torch") from error

    network = load_network(model.family, model.directory)
    network.backbone.prepare()
    return TorchBackend(network.graphs(), model.family.graphs, threads=threads)


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
