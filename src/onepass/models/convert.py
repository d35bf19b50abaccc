"""A checkpoint written as a directory that needs nothing else, with its weights in safetensors.

This is the one way in for weights that come in a pickle. What a checkpoint leaves to its base
models is written too.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from onepass.errors import CheckpointError, InputError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.atomic import put_files, staged
from onepass.hub.base import TOKENIZER_FILES
from onepass.hub.checkpoint import CONFIG, GLINER_CONFIG, INDEX, SETTINGS_FILE, WEIGHTS
from onepass.hub.options import HubOptions
from onepass.models.adapters import adapter_configs
from onepass.models.registry import family_of
from onepass.models.restored_weights import with_weights

_FILES = (GLINER_CONFIG, CONFIG, SETTINGS_FILE, *TOKENIZER_FILES)


def convert_checkpoint(checkpoint: Checkpoint, output: Path) -> Path:
    """Write a checkpoint with its weights in one ``model.safetensors``.

    Args:
        checkpoint: of any family, with weights in safetensors or in ``pytorch_model.bin``, or in
            its graphs, as the built-in model has them. Of a pickle only tensors are read, and none
            of its code is run.
        output: directory; is made if it is not there. It may be that of the checkpoint, which then
            gets what it lacks.

    Returns:
        ``output``.

    Raises:
        InputError: if there are weights in ``output`` already.
        CheckpointError: if the weights are missing, broken or more than tensors, if a base model
            cannot be had, or if the directory cannot be written.
        MissingExtra: if torch is not installed.
    """
    if any((output / name).is_file() for name in (WEIGHTS, INDEX)):
        raise InputError(f"{output} holds weights already; give another directory.")
    checkpoint = with_weights(checkpoint)
    if not checkpoint.has_weights and not checkpoint.pickles:
        raise CheckpointError(
            f"The {checkpoint.kind} checkpoint {checkpoint.name} has neither {WEIGHTS} nor "
            "pytorch_model.bin; there is nothing to convert."
        )
    try:
        from onepass.nn.adapters import merged
        from onepass.nn.pickles import read_pickles
        from onepass.nn.weights import read_weights, write_weights
    except ModuleNotFoundError as error:
        raise MissingExtra("Writing safetensors", "torch") from error
    if checkpoint.has_weights:
        state = merged(read_weights(checkpoint.directory), adapter_configs(checkpoint.directory))
    else:
        state = read_pickles(checkpoint.pickles)
    try:
        with staged(output, inside=output.is_dir()) as new:  # which may be a disk of its own
            write_weights(state, new)
            _write_more(checkpoint, new)
            put_files(new, output, last=WEIGHTS)
    except OSError as error:
        raise CheckpointError(
            f"{output} cannot be written ({error.strerror or error}); choose another directory."
        ) from error
    return output


def _write_more(checkpoint: Checkpoint, target: Path) -> None:
    """Write what a checkpoint needs beside its weights, which are there already."""
    family, source = family_of(checkpoint), checkpoint.directory
    for name in _FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    for folder in family.folders:
        for name in (CONFIG, *TOKENIZER_FILES):
            if (source / folder / name).is_file():
                (target / folder).mkdir(exist_ok=True)
                shutil.copyfile(source / folder / name, target / folder / name)
    family.convert_more(source, target)
    missing = family.missing(checkpoint)
    if missing is not None:
        missing.write(target, HubOptions())
