"""Checkpoints that came as graphs alone, made such as a network can be built from.

The built-in model ships as int8 graphs. Its weights are read back from them, as they were rounded,
into a directory of onepass's own cache: to train on, to run in torch, to write in the published
layout.
"""

from __future__ import annotations

import hashlib
import shutil
from functools import partial
from pathlib import Path

from onepass.errors import MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.assembled import assembled
from onepass.hub.exports import MANIFEST, cache_root
from onepass.models.registry import SETTINGS_FILE

PLACES = "weights.json"  # what `onepass.nn.weight_places` writes beside graphs
RESTORED_FORMAT = 1  # raise it when directories in the cache can no longer be read by this version


def with_weights(checkpoint: Checkpoint) -> Checkpoint:
    """Return a checkpoint that has weights, if its graphs say where they are; else the same one.

    Args:
        checkpoint: of any family.

    Raises:
        CheckpointError: if its graphs are broken, or the cache cannot be written.
        MissingExtra: if torch is not installed.

    >>> from onepass.builtin import builtin_checkpoint
    >>> with_weights(builtin_checkpoint()).has_weights
    True
    """
    graphs = None if checkpoint.has_weights else _graphs(checkpoint)
    if graphs is None:
        return checkpoint
    digest = hashlib.sha256(f"{RESTORED_FORMAT}\n{graphs.resolve()}\n".encode())
    for path in sorted(graphs.iterdir()):
        state = path.stat()
        digest.update(f"{path.name} {state.st_size} {state.st_mtime_ns}\n".encode())
    place = cache_root() / "restored" / digest.hexdigest()[:32]
    made = assembled(place, partial(_restore, checkpoint.directory, graphs))
    return Checkpoint(made, checkpoint.name, checkpoint.revision)


def _graphs(checkpoint: Checkpoint) -> Path | None:
    """Return the graphs that weights can be read from; those in fp32 where there are both."""
    if checkpoint.kind != "gliner2":
        return None
    directories = (checkpoint.directory / "onnx" / precision for precision in ("fp32", "int8"))
    names = (MANIFEST, PLACES)
    return next((d for d in directories if all((d / name).is_file() for name in names)), None)


def _restore(source: Path, graphs: Path, target: Path) -> None:
    try:
        from onepass.models.gliner2.network.from_graphs import write_checkpoint
    except ImportError as error:
        raise MissingExtra("Reading weights back from graphs", "torch") from error
    write_checkpoint(source, graphs, target)
    if (source / SETTINGS_FILE).is_file():
        shutil.copyfile(source / SETTINGS_FILE, target / SETTINGS_FILE)
