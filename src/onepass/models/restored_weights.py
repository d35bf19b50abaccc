"""Checkpoints that came as graphs alone, made such as a network can be built from.

The built-in model ships as int8 graphs. Its weights are read back from them, as they were rounded,
into a directory of onepass's own cache: to train on, to run in torch, to write in the published
layout.
"""

from __future__ import annotations

import hashlib
import importlib
import shutil
from functools import partial
from pathlib import Path

from onepass.errors import CheckpointError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.assembled import assembled
from onepass.hub.checkpoint import SETTINGS_FILE
from onepass.hub.exports import MANIFEST, PLACES, cache_root
from onepass.hub.headers import read_headers
from onepass.models.registry import FAMILIES

RESTORED_FORMAT = 1  # raise it when directories in the cache can no longer be read by this version


def with_weights(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint that has weights, if its graphs say where they are; else the same one.

    Args:
        checkpoint: of any family.

    Raises:
        CheckpointError: if its graphs are broken, or the cache cannot be written.
        MissingExtra: if torch is not installed.
    """
    graphs = graphs_with_weights(checkpoint)
    if graphs is None:
        return checkpoint
    place = cache_root() / "restored" / _digest(checkpoint.directory, graphs)
    write = partial(_restore, checkpoint, graphs)
    restored = Checkpoint(assembled(place, write), checkpoint.name, checkpoint.revision)
    try:
        read_headers(restored)
    except CheckpointError:  # damaged since: nobody but us can make it again
        shutil.rmtree(place, ignore_errors=True)
        assembled(place, write)
    return restored


def graphs_with_weights(checkpoint: Checkpoint) -> Path | None:
    """Return the graphs that the weights of a checkpoint can be read from.

    Args:
        checkpoint: of any family.

    Returns:
        Those in fp32 where there are both; None if it has weights, or no graphs that say where.

    >>> from onepass.builtin import builtin_checkpoint
    >>> graphs_with_weights(builtin_checkpoint()).name
    'int8'
    """
    if checkpoint.has_weights or checkpoint.kind not in FAMILIES:
        return None
    if FAMILIES[checkpoint.kind].from_graphs is None:
        return None
    directories = (checkpoint.directory / "onnx" / precision for precision in ("fp32", "int8"))
    names = (MANIFEST, PLACES)
    return next((d for d in directories if all((d / name).is_file() for name in names)), None)


def _digest(directory: Path, graphs: Path) -> str:
    """Return what tells a state of a checkpoint: its small files whole, its large ones by size.

    The manifest is among them, and has a digest of the weights that the graphs were made from.
    """
    digest = hashlib.sha256(f"{RESTORED_FORMAT}\n".encode())
    small = [path for path in directory.rglob("*.json") if graphs not in path.parents]
    for path in sorted((*small, *graphs.iterdir())):
        digest.update(f"{path.relative_to(directory).as_posix()} {path.stat().st_size}\n".encode())
        if path.suffix == ".json":
            digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


def _restore(checkpoint: Checkpoint, graphs: Path, target: Path) -> None:
    module = FAMILIES[checkpoint.kind].from_graphs
    assert module is not None  # `graphs_with_weights` has looked
    try:
        write = importlib.import_module(module).write_checkpoint
    except ModuleNotFoundError as error:
        if error.name and error.name.split(".")[0] in ("torch", "transformers", "onnx"):
            raise MissingExtra("Reading weights back from graphs", "torch") from error
        raise
    source = checkpoint.directory
    write(source, graphs, target)
    if (source / SETTINGS_FILE).is_file():
        shutil.copyfile(source / SETTINGS_FILE, target / SETTINGS_FILE)
