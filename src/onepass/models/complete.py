"""Checkpoints of any family made whole: what they leave to their base models is taken from there.

They become a directory in onepass's own cache that has everything; it is made once, and nothing is
fetched where nothing is missing. What that is, their family knows.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from onepass.hub import Checkpoint
from onepass.hub.assembled import assembled, link
from onepass.hub.exports import MANIFEST, cache_root
from onepass.hub.options import DEFAULTS, HubOptions
from onepass.models.family import Family
from onepass.models.missing import Missing


def complete(checkpoint: Checkpoint, family: Family, options: HubOptions = DEFAULTS) -> Checkpoint:
    """Return a checkpoint that has everything: the same one, if nothing is missing.

    Args:
        checkpoint: a located checkpoint.
        family: of the checkpoint.
        options: how the hub is asked for a base model.

    Raises:
        CheckpointError: if a base model cannot be had, or does not fit.
        MissingExtra: if its tokenizer has to be converted, and transformers is not installed.

    >>> from onepass.builtin import builtin_checkpoint
    >>> from onepass.models.registry import family_of
    >>> complete(builtin_checkpoint(), family_of(builtin_checkpoint())) == builtin_checkpoint()
    True
    """
    missing = family.missing(checkpoint)
    if missing is None:
        return checkpoint
    if not checkpoint.has_weights and not any(checkpoint.directory.glob(f"onnx/*/{MANIFEST}")):
        _ = checkpoint.weights  # says so before a base model is fetched in vain
    place = assembled(_place(checkpoint, missing), partial(_fill, checkpoint, missing, options))
    return Checkpoint(place, checkpoint.name, checkpoint.revision)


def completed(checkpoint: Checkpoint, family: Family) -> Checkpoint | None:
    """Return what `complete` made of a checkpoint, or the checkpoint if it needs nothing.

    Args:
        checkpoint: a located checkpoint.
        family: of the checkpoint.

    Returns:
        None if it needs something and has not been completed.
    """
    missing = family.missing(checkpoint)
    if missing is None:
        return checkpoint
    place = _place(checkpoint, missing)
    return Checkpoint(place, checkpoint.name, checkpoint.revision) if place.is_dir() else None


def _place(checkpoint: Checkpoint, missing: Missing) -> Path:
    """Return where the completed form of this state of a checkpoint is kept."""
    lines = [missing.form, str(checkpoint.directory.resolve()), *missing.bases]
    for path in missing.states:
        if path.is_file():
            state = path.stat()
            lines.append(f"{path} {state.st_size} {state.st_mtime_ns}")
    digest = hashlib.sha256("".join(f"{line}\n" for line in lines).encode())
    return cache_root() / "completed" / digest.hexdigest()[:32]


def _fill(checkpoint: Checkpoint, missing: Missing, options: HubOptions, target: Path) -> None:
    missing.write(target, options)
    for path in missing.linked:
        place = target / path.relative_to(checkpoint.directory)
        if not place.exists():
            place.parent.mkdir(exist_ok=True)
            link(path, place)
