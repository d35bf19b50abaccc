"""Tokenizers that checkpoints leave to their base models: found, converted, written.

It knows no family.
"""

from __future__ import annotations

import json
from pathlib import Path

from tokenizers import Tokenizer

from onepass.encoding.tokenizer import read_tokenizer
from onepass.errors import CheckpointError, MissingExtra
from onepass.hub.base import TOKENIZER, VOCABULARIES, has_tokenizer
from onepass.models.tokenizer_config import tokenizer_config


def own_tokenizer(directory: Path) -> Path | None:
    """Return a directory of a checkpoint if the tokenizer can be taken from it."""
    if (directory / TOKENIZER).is_file():
        return directory
    old = any((directory / name).is_file() for name in VOCABULARIES)
    return directory if old and (directory / "tokenizer_config.json").is_file() else None


def open_tokenizer(directory: Path, name: str) -> Tokenizer:
    """Return the tokenizer of a base model, converted where it is of an old kind.

    Args:
        directory: of the base model.
        name: of the checkpoint, for messages.

    Raises:
        CheckpointError: if there is none.
        MissingExtra: if it has to be converted, and transformers is not installed.
    """
    if (directory / TOKENIZER).is_file():
        return plain_tokenizer(directory / TOKENIZER)
    if not has_tokenizer(directory):
        raise CheckpointError(
            f"{name} has no tokenizer of its own, and its base model in {directory} has none "
            f"either; put a {TOKENIZER} into one of the directories."
        )
    try:
        from onepass.nn.convert_tokenizer import convert_tokenizer
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"Opening {name}, whose tokenizer has to be converted,", "torch"
        ) from error
    return convert_tokenizer(directory)


def plain_tokenizer(path: Path) -> Tokenizer:
    """Return the tokenizer of a file, without padding and truncation of its own."""
    tokenizer = read_tokenizer(path)
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, source: Path, target: Path) -> None:
    """Write a tokenizer with its configuration.

    Args:
        tokenizer: is written.
        source: directory of the base model, which names special tokens.
        target: directory, made if it is not there.
    """
    target.mkdir(exist_ok=True)
    # Its own save() says of a full disk what no handler of OSError hears.
    (target / TOKENIZER).write_text(tokenizer.to_str(pretty=True), encoding="utf-8")
    content = json.dumps(tokenizer_config(tokenizer, source), indent=2)
    (target / "tokenizer_config.json").write_text(content + "\n", encoding="utf-8")
