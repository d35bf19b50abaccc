"""The files of a sentence encoder beside its encoder: copied, and converted from pickles.

This module knows no network.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.hub.checkpoint import CONFIG, MODULES
from onepass.models.embedding.config import read_modules


def copy_modules(source: Path, target: Path) -> None:
    """Copy the configuration of all modules into another directory.

    Args:
        source: of a checkpoint.
        target: exists.
    """
    names = [MODULES, CONFIG, "config_sentence_transformers.json"]
    names += [path.name for path in source.glob("sentence_*_config.json")]
    names += [f"{folder}/{CONFIG}" for _, folder in read_modules(source) if folder]
    for name in names:
        if (source / name).is_file() and source.resolve() != target.resolve():
            (target / name).parent.mkdir(exist_ok=True)
            shutil.copyfile(source / name, target / name)


def convert_modules(source: Path, target: Path) -> None:
    """Write all modules but the encoder into another directory, with weights in safetensors.

    Args:
        source: of a checkpoint. Of a pickle only tensors are read, and none of its code is run.
        target: exists.

    Raises:
        CheckpointError: if the weights of a dense layer are missing or broken.
    """
    from onepass.nn.pickles import read_pickles  # torch takes seconds to import
    from onepass.nn.weights import read_weights, write_weights

    copy_modules(source, target)
    for kind, folder in read_modules(source):
        if kind != "Dense":
            continue
        layer = Checkpoint(source / folder, str(source / folder), None)
        if not layer.has_weights and not layer.pickles:
            raise CheckpointError(
                f"The dense layer {folder} of {source} has no weights; download it again."
            )
        state = read_weights(layer.directory) if layer.has_weights else read_pickles(layer.pickles)
        (target / folder).mkdir(exist_ok=True)
        write_weights(state, target / folder)
