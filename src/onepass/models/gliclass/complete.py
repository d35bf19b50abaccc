"""What GLiClass checkpoints leave to a base model: the label tokenizer of a bi-encoder.

gliclass fetches it by the name of the label encoder whenever a pipeline is made. Here it is fetched
once, and only where the checkpoint does not carry it.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.hub.base import TOKENIZER, base_directory, base_files
from onepass.hub.options import HubOptions
from onepass.models.base_tokenizer import open_tokenizer, own_tokenizer, write_tokenizer
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.missing import Lack, Missing

LABEL_TOKENIZER = "label_tokenizer"
COMPLETE_FORMAT = 1  # raise it when directories in the cache can no longer be read by this version


def lacks_labels(checkpoint: Checkpoint) -> Lack | None:
    """Return the label tokenizer if a checkpoint leaves it to a base model, None if it does not.

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
    return Lack(f"{LABEL_TOKENIZER}/{TOKENIZER}", config.label_backbone)


def missing(checkpoint: Checkpoint) -> Missing | None:
    """Return what a GLiClass checkpoint leaves to a base model; None if it is whole.

    Raises:
        CheckpointError: if its configuration cannot be read, or names no base model.
    """
    labels = lacks_labels(checkpoint)
    if labels is None:
        return None
    states = _files(checkpoint.directory)
    directory = base_directory(labels.base, checkpoint)
    if directory is not None:
        states += _files(directory)
    linked = tuple(p for p in checkpoint.directory.iterdir() if p.name != LABEL_TOKENIZER)
    write = partial(_write_labels, checkpoint, labels.base)
    return Missing((labels,), f"gliclass {COMPLETE_FORMAT}", tuple(states), linked, write)


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.iterdir() if path.is_file())


def _write_labels(checkpoint: Checkpoint, base: str, target: Path, options: HubOptions) -> None:
    """Write the tokenizer of labels into a directory.

    Args:
        checkpoint: that lacks it.
        base: model that it is taken from.
        target: directory of a checkpoint.
        options: how the hub is asked for the base model.

    Raises:
        CheckpointError: if the base model cannot be had.
        MissingExtra: if its tokenizer has to be converted, and transformers is not installed.
    """
    source = own_tokenizer(checkpoint.directory / LABEL_TOKENIZER)
    source = source or base_files(base, checkpoint, options)
    write_tokenizer(open_tokenizer(source, checkpoint.name), source, target / LABEL_TOKENIZER)
