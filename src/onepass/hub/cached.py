"""Lists the checkpoints in the cache of huggingface_hub that onepass knows how to name.

It looks at configuration files only, and changes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import Checkpoint
from onepass.hub.exports import MANIFEST


@dataclass(frozen=True, slots=True)
class CachedModel:
    """A downloaded checkpoint.

    Attributes:
        name: hub id.
        revision: commit.
        size_bytes: size of its files; two revisions of a name may share some of them.
        path: its directory.
        kind: its family, a key of `onepass.hub.checkpoint.KINDS`.
    """

    name: str
    revision: str
    size_bytes: int
    path: Path
    kind: str


def cached_models(cache_dir: str | Path | None = None) -> list[CachedModel]:
    """Return the downloaded checkpoints of known kinds, ordered by name and revision.

    Args:
        cache_dir: the cache; None for that of huggingface_hub.

    Returns:
        One entry a revision. A revision without weights or graphs (an interrupted or refused
        download) is left out, and so is what has no readable configuration. A cache that may not be
        read holds nothing.

    >>> cached_models("no/such/cache")
    []
    """
    from onepass.hub.library import constants  # takes 0.3 s

    cache = Path(os.path.expanduser(constants.HF_HUB_CACHE if cache_dir is None else cache_dir))
    if not (os.path.isdir(cache) and os.access(cache, os.R_OK | os.X_OK)):
        return []
    models = []
    # Not scan_cache_dir: it leaves out all revisions of a model where one is damaged.
    for place in cache.resolve().glob("models--*/snapshots/*"):
        name = place.parts[-3].removeprefix("models--").replace("--", "/")
        kind = _kind(Checkpoint(place, name, place.name))
        if kind is not None:
            models.append(CachedModel(name, place.name, _size(place), place, kind))
    return sorted(models, key=lambda model: (model.name, model.revision))


def _size(directory: Path) -> int:
    """Return the bytes of the files of a revision, each of several names once."""
    found = (path.resolve() for path in directory.rglob("*"))
    return sum(path.stat().st_size for path in set(found) if os.path.isfile(path))


def _kind(checkpoint: Checkpoint) -> str | None:
    """Return the kind of a checkpoint, None for anything else: a cache holds other models too."""
    try:
        if checkpoint.has_weights or any(checkpoint.directory.glob(f"onnx/*/{MANIFEST}")):
            return checkpoint.kind
    except (CheckpointError, OSError):  # damaged, or of another user
        pass
    return None
