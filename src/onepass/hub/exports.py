"""Where the exported graphs of a checkpoint live, and whether those that are there can be used.

Beside the checkpoint (``onnx/``) or in a cache of onepass's own; in both, one directory a
precision, complete once it holds its manifest. Graphs of weights that have changed since are not
used. This module knows files, not graphs.
"""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import (
    ADAPTER,
    ADAPTER_CONFIG,
    CONFIG,
    GLINER_CONFIG,
    INDEX,
    LAYERS,
    MODULES,
    WEIGHTS,
    Checkpoint,
)
from onepass.hub.files import read_json

MANIFEST = "graphs.json"  # written last, so that its presence says that a directory is complete
PLACES = "weights.json"  # where the weights are in the graphs beside it; mostly not there
EXPORT_FORMAT = 2  # raise it when graphs in the cache are not what this version would write

# What an export depends on, beside the files that the index names.
_CONFIGURATION = (
    CONFIG, GLINER_CONFIG, MODULES, f"encoder_config/{CONFIG}", ADAPTER_CONFIG,
    f"{ADAPTER}/{ADAPTER_CONFIG}",
)  # fmt: skip
_SOURCES = (WEIGHTS, INDEX, *_CONFIGURATION)
_WRITTEN_BY = ("_name_or_path", "transformers_version", "torch_dtype", "dtype")
_BLOCK = 4096  # bytes
_BLOCKS = 1024


def cache_root() -> Path:
    """Return the directory that onepass keeps its own cache in; it need not exist.

    ``ONEPASS_CACHE`` if it is set, else ``onepass`` in ``XDG_CACHE_HOME`` or in ``~/.cache``.

    Raises:
        CheckpointError: if neither variable is set and there is no home directory.
    """
    root = find_cache_root()
    if root is None:
        raise CheckpointError(
            "There is no home directory to keep exported graphs in; set ONEPASS_CACHE to one."
        )
    return root


def find_cache_root() -> Path | None:
    """Return the same as `cache_root`, for those who can do without: None for no home directory."""
    if own := os.environ.get("ONEPASS_CACHE"):
        return Path(os.path.expanduser(own)).absolute()
    if (shared := os.environ.get("XDG_CACHE_HOME", "")) and Path(shared).is_absolute():
        return Path(shared) / "onepass"
    try:
        return Path.home() / ".cache" / "onepass"
    except RuntimeError:
        return None


def export_dir(checkpoint: Checkpoint, *, precision: str | None = None) -> Path:
    """Return the directory that holds the graphs of a checkpoint, or where they are to be written.

    Args:
        checkpoint: the checkpoint, whose files are looked at and not loaded.
        precision: the precision that is wanted, such as "int8"; None if any will do.

    Returns:
        ``onnx`` in its directory if the precision is usable there (see `export_problem`); else a
        directory in `cache_root` that belongs to this state of the checkpoint, and need not exist.
        The graphs of a precision are in the directory of that name in it.

    >>> export_dir(Checkpoint(Path("models/mine"), "models/mine", None)).parent.name
    'exports'
    """
    beside = checkpoint.directory / "onnx"
    manifests = beside.glob(f"{precision or '*'}/{MANIFEST}")
    if any(export_problem(path.parent, checkpoint) is None for path in manifests):
        return beside
    digest = hashlib.sha256(f"{EXPORT_FORMAT}\n{checkpoint.directory.resolve()}\n".encode())
    shards = checkpoint.weight_files if checkpoint.has_weights else ()
    sources = [checkpoint.directory / name for name in _SOURCES]
    sources += sorted(checkpoint.directory.glob(f"{LAYERS}/*"))
    for path in dict.fromkeys((*sources, *shards)):
        if path.is_file():
            state = path.stat()
            name = path.relative_to(checkpoint.directory).as_posix()
            digest.update(f"{name} {state.st_size} {state.st_mtime_ns}\n".encode())
    return cache_root() / "exports" / digest.hexdigest()[:32]


def export_problem(directory: Path, checkpoint: Checkpoint) -> str | None:
    """Say why the graphs in a directory cannot be used for a checkpoint.

    Args:
        directory: of one precision.
        checkpoint: what they should have been made from. Without a weights file, or if the manifest
            has no ``weights`` (see `weights_fingerprint`), they are taken as they are; likewise
            without ``configuration`` (see `configuration_fingerprint`).

    Returns:
        One clause for a message, or None if they can be used.
    """
    if not os.path.isfile(directory / MANIFEST):  # nor in a place that may not be looked into
        return f"{directory} holds no finished export"
    try:
        manifest = read_json(directory / MANIFEST)
    except CheckpointError as error:
        return str(error).rstrip(".")
    if not any(directory.glob("*.onnx")):
        return f"{directory} holds no graphs"
    made_from, weights = manifest.get("weights"), weights_fingerprint(checkpoint)
    if made_from is not None and weights is not None and made_from != weights:
        return f"{directory} was exported from other weights than those of {checkpoint.name}"
    configured = manifest.get("configuration")
    if configured is not None and configured != configuration_fingerprint(checkpoint):
        return f"{directory} was exported from another configuration than that of {checkpoint.name}"
    return None


def is_checked(directory: Path) -> bool:
    """Say whether an export computes in int8, and what it loses was measured and found small.

    Args:
        directory: of one precision, in which there is a manifest.

    Returns:
        Whether its manifest has ``checked``, and "int8" as its ``arithmetic``. Weights in eight
        bits alone make nothing faster.
    """
    manifest = read_json(directory / MANIFEST)
    return bool(manifest.get("checked")) and manifest.get("arithmetic") == "int8"


def configuration_fingerprint(checkpoint: Checkpoint) -> str:
    """Return a digest that changes when a value in the configuration of a checkpoint does.

    Layout and order of the files do not count, nor who wrote them.

    Returns:
        Hexadecimal digits for ``configuration`` in a manifest.
    """
    directory = checkpoint.directory
    layers = sorted(directory.glob(f"{LAYERS}/{CONFIG}"))
    digest = hashlib.sha256()
    for path in (*(directory / name for name in _CONFIGURATION), *layers):
        if path.is_file():
            digest.update(f"{path.relative_to(directory).as_posix()}\n".encode())
            digest.update(_values(path.read_bytes()))
    return digest.hexdigest()


def _values(content: bytes) -> bytes:
    """Return the values of a configuration in one layout; what is no JSON stays as it is."""
    try:
        values = json.loads(content)
        if isinstance(values, dict):
            values = {key: value for key, value in values.items() if key not in _WRITTEN_BY}
        return json.dumps(values, sort_keys=True).encode()
    except (ValueError, RecursionError):
        return content


def weights_fingerprint(checkpoint: Checkpoint) -> str | None:
    """Return a digest that changes when the weights of a checkpoint are trained on.

    It covers the size of each file and blocks all over it. Not all of it, which would take a second
    a gigabyte at every start; and not its time, which a copy or a download changes.

    Returns:
        Hexadecimal digits for ``weights`` in a manifest, or None if there are no weights.

    Raises:
        CheckpointError: if weights that are split over several files are not all there.
    """
    if not checkpoint.has_weights:
        return None
    digest = hashlib.sha256()
    layers = sorted(checkpoint.directory.glob(f"{LAYERS}/{WEIGHTS}"))
    for path in (*checkpoint.weight_files, *layers):
        size = path.stat().st_size
        digest.update(str(size).encode())
        with path.open("rb") as file:
            for offset in range(0, size, max(size // _BLOCKS, _BLOCK)):
                file.seek(offset)
                digest.update(file.read(_BLOCK))
    return digest.hexdigest()


def graphs_fingerprint(checkpoint: Checkpoint) -> str | None:
    """Return the digest of the weights that the graphs beside a checkpoint were made from.

    Returns:
        What their manifests have as ``weights`` (see `weights_fingerprint`); None where there are
        no graphs, or they do not say it, or say different things.
    """
    beside = checkpoint.directory / "onnx"
    found = [path.parent for path in beside.glob(f"*/{MANIFEST}")]
    usable = [one for one in found if export_problem(one, checkpoint) is None]
    said = [read_json(one / MANIFEST).get("weights") for one in usable]
    known = said and isinstance(said[0], str) and said.count(said[0]) == len(said)
    return said[0] if known else None
