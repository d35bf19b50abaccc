"""A checkpoint written as a directory that needs nothing else, with its weights in safetensors.

This is the one way in for weights that come in a pickle. What an old GLiNER checkpoint leaves to
its base models is written too.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from uuid import uuid4

from onepass.errors import CheckpointError, InputError, MissingExtra
from onepass.hub import Checkpoint
from onepass.hub.base import TOKENIZER_FILES
from onepass.hub.checkpoint import CONFIG, GLINER_CONFIG, INDEX, SETTINGS_FILE, WEIGHTS
from onepass.hub.headers import read_headers
from onepass.hub.options import HubOptions
from onepass.hub.sharing import remove_left
from onepass.models.adapters import adapter_configs
from onepass.models.embedding.modules import convert_modules
from onepass.models.gliclass.complete import LABEL_TOKENIZER, lacks_labels, write_labels
from onepass.models.gliner.complete import DECODER, LABELS, lacks, write_missing
from onepass.models.restored_weights import with_weights

_FOLDERS = ("encoder_config", LABELS, DECODER, LABEL_TOKENIZER)
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
    unique = uuid4().hex
    if output.is_dir():  # which may be a disk of its own
        staged = output / f".onepass-{unique}"
    else:
        staged = output.absolute().with_name(f".{output.absolute().name}-{unique}")
    try:
        remove_left(staged.parent, staged.name.removesuffix(unique))
        staged.mkdir(parents=True)
        write_weights(state, staged)
        _copy(checkpoint.directory, staged)
        if checkpoint.kind == "embedding":
            convert_modules(checkpoint.directory, staged)
        if checkpoint.kind == "gliner" and lacks(checkpoint):
            weights = read_headers(Checkpoint(staged, checkpoint.name, None))
            write_missing(checkpoint, staged, weights, HubOptions())
        if checkpoint.kind == "gliclass" and (base := lacks_labels(checkpoint)) is not None:
            write_labels(checkpoint, base, staged, HubOptions())
        _move(staged, output)
    except OSError as error:
        raise CheckpointError(
            f"{output} cannot be written ({error.strerror or error}); choose another directory."
        ) from error
    finally:
        shutil.rmtree(staged, ignore_errors=True)
    return output


def _copy(source: Path, target: Path) -> None:
    """Copy what a checkpoint needs beside its weights."""
    for name in _FILES:
        if (source / name).is_file():
            shutil.copyfile(source / name, target / name)
    for folder in _FOLDERS:
        for name in (CONFIG, *TOKENIZER_FILES):
            if (source / folder / name).is_file():
                (target / folder).mkdir(exist_ok=True)
                shutil.copyfile(source / folder / name, target / folder / name)


def _move(staged: Path, output: Path) -> None:
    """Move files into a directory, the weights last: it is a checkpoint once they are there."""
    files = [path for path in staged.rglob("*") if path.is_file()]
    for path in sorted(files, key=lambda path: path.name == WEIGHTS):
        place = output / path.relative_to(staged)
        place.parent.mkdir(parents=True, exist_ok=True)
        os.replace(path, place)
