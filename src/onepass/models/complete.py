"""Checkpoints of any family made whole: each family knows what its checkpoints leave to others."""

from __future__ import annotations

from onepass.hub import Checkpoint
from onepass.hub.options import DEFAULTS, HubOptions
from onepass.models.gliclass import complete as gliclass
from onepass.models.gliner import complete as gliner


def complete(checkpoint: Checkpoint, options: HubOptions = DEFAULTS) -> Checkpoint:
    """Return a checkpoint that has everything: the same one, if nothing is missing.

    Args:
        checkpoint: of any family.
        options: how the hub is asked for a base model.

    Raises:
        CheckpointError: if a base model cannot be had, or does not fit.
        MissingExtra: if its tokenizer has to be converted, and transformers is not installed.

    >>> from onepass.builtin import builtin_checkpoint
    >>> complete(builtin_checkpoint()) == builtin_checkpoint()
    True
    """
    if checkpoint.kind == "gliclass":
        return gliclass.complete(checkpoint, options)
    return gliner.complete(checkpoint, options)


def completed(checkpoint: Checkpoint) -> Checkpoint | None:
    """Return what `complete` made of a checkpoint, or the checkpoint if it needs nothing."""
    if checkpoint.kind == "gliclass":
        return gliclass.completed(checkpoint)
    return gliner.completed(checkpoint)
