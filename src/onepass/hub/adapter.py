"""A folder that holds an adapter alone, put together with the checkpoint that it changes.

peft saves no more than the changes, and names the checkpoint that they are of. Both come into one
directory of onepass's own cache, as links; the changes are added when the weights are read.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub.assembled import assembled, link
from onepass.hub.base import base_directory
from onepass.hub.checkpoint import (
    ADAPTER,
    ADAPTER_CONFIG,
    ADAPTER_WEIGHTS,
    SETTINGS_FILE,
    Checkpoint,
)
from onepass.hub.exports import cache_root
from onepass.hub.files import read_json

BASE = "base_model_name_or_path"
_FORMAT = 1  # raise it when directories in the cache can no longer be read by this version
_MERGE = "or merge it (merge_and_unload of peft), save the model and open that"

Find = Callable[[str, str | None], Checkpoint]


def with_base(adapter: Checkpoint, find: Find) -> Checkpoint:
    """Return the checkpoint that an adapter changes, with the adapter beside its weights.

    Args:
        adapter: where `Checkpoint.is_adapter` holds.
        find: returns a checkpoint by its name, or its hub id and revision.

    Raises:
        CheckpointError: if the adapter does not say what it changes, that cannot be had, or one of
            the two has no weights in safetensors.
    """
    base = _base_of(adapter, find)
    _ = base.weights  # says so before anything is written
    if (base.directory / ADAPTER).is_dir():
        raise CheckpointError(
            f"{adapter.name} is an adapter of {base.name}, which is an adapter itself; merge that "
            "one (merge_and_unload of peft), save the model and name it in "
            f"{BASE} of {ADAPTER_CONFIG}."
        )
    files = dict(_files(adapter, base))
    digest = hashlib.sha256(f"adapter {_FORMAT}\n{adapter.directory.resolve()}\n".encode())
    for name, path in sorted(files.items()):
        state = path.stat()
        digest.update(f"{name} {path} {state.st_size} {state.st_mtime_ns}\n".encode())
    place = cache_root() / "completed" / digest.hexdigest()[:32]
    assembled(place, partial(_link, files))
    return Checkpoint(place, adapter.name, adapter.revision)


def _base_of(adapter: Checkpoint, find: Find) -> Checkpoint:
    if not (adapter.directory / ADAPTER_WEIGHTS).is_file():
        raise CheckpointError(
            f"{adapter.name} is an adapter ({ADAPTER_CONFIG}) without {ADAPTER_WEIGHTS}; copy the "
            f"file there, {_MERGE}."
        )
    config = read_json(adapter.directory / ADAPTER_CONFIG)
    name, revision = config.get(BASE), config.get("revision")
    if not isinstance(name, str) or not name.strip():
        raise CheckpointError(
            f"{adapter.name} is an adapter, and {BASE} in its {ADAPTER_CONFIG} does not say of "
            f"which checkpoint; put its directory or hub id there, {_MERGE}."
        )
    beside = base_directory(name, adapter)
    try:
        if beside is not None:
            return find(str(beside), None)
        return find(name, revision if isinstance(revision, str) else None)
    except CheckpointError as error:
        raise CheckpointError(
            f"{adapter.name} is an adapter of {name} ({BASE} in its {ADAPTER_CONFIG}), which is "
            f"needed to open it: {error}"
        ) from error


def _files(adapter: Checkpoint, base: Checkpoint) -> Iterator[tuple[str, Path]]:
    """Yield the files of the directory that is made: place in it, and where they are."""
    for path in (*base.directory.iterdir(), *base.directory.glob("*/*")):
        place = path.relative_to(base.directory)
        if path.is_file() and place.parts[0] != "onnx" and not place.parts[0].startswith("."):
            yield place.as_posix(), path
    for name in (ADAPTER_CONFIG, ADAPTER_WEIGHTS):
        yield f"{ADAPTER}/{name}", adapter.directory / name
    if (adapter.directory / SETTINGS_FILE).is_file():
        yield SETTINGS_FILE, adapter.directory / SETTINGS_FILE


def _link(files: dict[str, Path], target: Path) -> None:
    for name, path in files.items():
        (target / name).parent.mkdir(exist_ok=True)
        link(path, target / name)
