"""The files of a base model that a checkpoint was made from: its configuration and its tokenizer.

A base model is named in a checkpoint's configuration, by a directory or a hub id. Its weights are
never fetched. This module does not know what is in the files.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import CONFIG, Checkpoint
from onepass.hub.find import is_hub_id
from onepass.hub.options import HubOptions

TOKENIZER = "tokenizer.json"
SENTENCE_PIECES = (
    "spm.model", "spiece.model", "sentencepiece.bpe.model", "sentencepiece.model",
    "tokenizer.model",
)  # fmt: skip
VOCABULARIES = (*SENTENCE_PIECES, "vocab.txt", "vocab.json")  # each can become a tokenizer.json
TOKENIZER_FILES = (
    TOKENIZER, "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    *VOCABULARIES, "merges.txt",
)  # fmt: skip
_OLD_ID = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]*[A-Za-z0-9_])?")  # "roberta-base"


def base_directory(name: str, checkpoint: Checkpoint) -> Path | None:
    """Return the directory that a base model's name means, None if it can only be a hub id.

    Args:
        name: as the configuration has it: a path, relative to the checkpoint or absolute, or an id.
        checkpoint: that names it.

    >>> base_directory("microsoft/deberta-v3-base", Checkpoint(Path("mine"), "mine", None))
    """
    path = checkpoint.directory / os.path.expanduser(name)  # of two absolute paths the second stays
    return path if name.strip() and path.is_dir() else None


def base_files(
    name: str,
    checkpoint: Checkpoint,
    options: HubOptions,
    *,
    files: Sequence[str] = (CONFIG, *TOKENIZER_FILES),
) -> Path:
    """Return a directory with files of a base model.

    Args:
        name: as the checkpoint's configuration has it.
        checkpoint: that names it.
        options: how the hub is asked, where it has to be.
        files: that are fetched from there; a directory is not looked through.

    Raises:
        CheckpointError: if there is no such model, or it has no configuration.
    """
    found = base_directory(name, checkpoint)
    if found is None:
        found = _fetched(name, checkpoint, options, files)
    if not (found / CONFIG).is_file():
        raise CheckpointError(
            f"The base model {name} of {checkpoint.name} has no {CONFIG} (looked in {found}); copy "
            "it there."
        )
    return found


def has_tokenizer(directory: Path) -> bool:
    """Say whether a directory holds a tokenizer, in any of the formats."""
    return any((directory / name).is_file() for name in (TOKENIZER, *VOCABULARIES))


def _fetched(name: str, checkpoint: Checkpoint, options: HubOptions, files: Sequence[str]) -> Path:
    if not (is_hub_id(name) or _OLD_ID.fullmatch(name)):
        raise CheckpointError(
            f"{checkpoint.name} was made from the base model {name!r}, which is neither a "
            "directory here nor a hub id; put its config.json and tokenizer files there."
        )
    from onepass.hub.download import fetch_files  # huggingface_hub takes 0.3 s to import

    try:
        return fetch_files(name, files, hub=options)
    except CheckpointError as error:
        raise CheckpointError(
            f"{checkpoint.name} needs files of its base model: {error}"
        ) from error
