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
    from onepass.hub.library import constants, huggingface_hub  # takes 0.3 s

    cache = Path(os.path.expanduser(constants.HF_HUB_CACHE if cache_dir is None else cache_dir))
    if not (os.path.isdir(cache) and os.access(cache, os.R_OK | os.X_OK)):
        return []
    models = []
    for repo in huggingface_hub.scan_cache_dir(cache).repos:
        for revision in repo.revisions if repo.repo_type == "model" else ():
            kind = _kind(Checkpoint(revision.snapshot_path, repo.repo_id, revision.commit_hash))
            if kind is not None:
                models.append(
                    CachedModel(
                        repo.repo_id,
                        revision.commit_hash,
                        revision.size_on_disk,
                        revision.snapshot_path,
                        kind,
                    )
                )
    return sorted(models, key=lambda model: (model.name, model.revision))


def _kind(checkpoint: Checkpoint) -> str | None:
    """Return the kind of a checkpoint, None for anything else: a cache holds other models too."""
    if not checkpoint.has_weights and not any(checkpoint.directory.glob(f"onnx/*/{MANIFEST}")):
        return None
    try:
        return checkpoint.kind
    except CheckpointError:
        return None
