"""GLiClass checkpoints made whole: a bi-encoder's label tokenizer is that of its base model.

gliclass fetches it by the name of the label encoder whenever a pipeline is made. Here it is fetched
once, into onepass's own cache, and only where the checkpoint does not carry it.
"""

from __future__ import annotations

import hashlib
from functools import partial
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.hub.assembled import assembled, link
from onepass.hub.base import TOKENIZER, base_directory, base_files
from onepass.hub.exports import cache_root
from onepass.hub.options import HubOptions
from onepass.models.base_tokenizer import open_tokenizer, own_tokenizer, write_tokenizer
from onepass.models.gliclass.config import GliclassConfig

LABEL_TOKENIZER = "label_tokenizer"
COMPLETE_FORMAT = 1  # raise it when directories in the cache can no longer be read by this version


def lacks_labels(checkpoint: Checkpoint) -> str | None:
    """Return the base model that a checkpoint leaves its label tokenizer to, None if it does not.

    Raises:
        CheckpointError: if its configuration cannot be read, or names no base model.
    """
    config = GliclassConfig.from_dict(checkpoint.config)
    if config.label_encoder is None:
        return None
    if (checkpoint.directory / LABEL_TOKENIZER / TOKENIZER).is_file():
        return None
    if config.label_backbone is None:
        raise CheckpointError(
            f"{checkpoint.name} has no {LABEL_TOKENIZER}/{TOKENIZER}, and its label_model_name "
            "does not say which model its label encoder came from; put the file there."
        )
    return config.label_backbone


def complete(checkpoint: Checkpoint, options: HubOptions) -> Checkpoint:
    """Return a checkpoint that has everything.

    Args:
        checkpoint: of this family.
        options: how the hub is asked for a base model.

    Raises:
        CheckpointError: if the base model cannot be had.
        MissingExtra: if its tokenizer has to be converted, and transformers is not installed.
    """
    base = lacks_labels(checkpoint)
    if base is None:
        return checkpoint
    place = assembled(_place(checkpoint, base), partial(_assemble, checkpoint, base, options))
    return Checkpoint(place, checkpoint.name, checkpoint.revision)


def completed(checkpoint: Checkpoint) -> Checkpoint | None:
    """Return what `complete` made of a checkpoint, or the checkpoint if it needs nothing."""
    base = lacks_labels(checkpoint)
    if base is None:
        return checkpoint
    place = _place(checkpoint, base)
    return Checkpoint(place, checkpoint.name, checkpoint.revision) if place.is_dir() else None


def _place(checkpoint: Checkpoint, base: str) -> Path:
    """Return where the completed form of this state of a checkpoint is kept."""
    digest = hashlib.sha256(
        f"gliclass {COMPLETE_FORMAT}\n{checkpoint.directory.resolve()}\n{base}\n".encode()
    )
    files = sorted(path for path in checkpoint.directory.iterdir() if path.is_file())
    directory = base_directory(base, checkpoint)
    if directory is not None:
        files += sorted(path for path in directory.iterdir() if path.is_file())
    for path in files:
        state = path.stat()
        digest.update(f"{path} {state.st_size} {state.st_mtime_ns}\n".encode())
    return cache_root() / "completed" / digest.hexdigest()[:32]


def write_labels(checkpoint: Checkpoint, base: str, target: Path, options: HubOptions) -> None:
    """Write the tokenizer of labels into a directory.

    Args:
        checkpoint: that lacks it.
        base: what `lacks_labels` returned.
        target: directory of a checkpoint.
        options: how the hub is asked for the base model.

    Raises:
        CheckpointError: if the base model cannot be had.
        MissingExtra: if its tokenizer has to be converted, and transformers is not installed.
    """
    source = own_tokenizer(checkpoint.directory / LABEL_TOKENIZER)
    source = source or base_files(base, checkpoint, options)
    write_tokenizer(open_tokenizer(source, checkpoint.name), source, target / LABEL_TOKENIZER)


def _assemble(checkpoint: Checkpoint, base: str, options: HubOptions, target: Path) -> None:
    write_labels(checkpoint, base, target, options)
    for path in checkpoint.directory.iterdir():
        if path.name != LABEL_TOKENIZER:
            link(path, target / path.name)
