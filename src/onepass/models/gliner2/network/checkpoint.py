"""GLiNER2 checkpoints in the published layout, read into a torch network and written from one.

``config.json``, ``encoder_config/config.json``, ``model.safetensors`` and the tokenizer files.
Strict about every key: a weight that is missing or unexpected is an error that lists the names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from onepass.encoding.tokenizer import read_tokenizer
from onepass.errors import CheckpointError
from onepass.hub.base import TOKENIZER
from onepass.hub.files import read_json
from onepass.models.adapters import adapter_configs
from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.nn.adapters import merged
from onepass.nn.published import copy_tokenizer, load_published, published_weights
from onepass.nn.vocabulary import with_vocabulary
from onepass.nn.weights import read_weights, write_weights

_ENCODER = "encoder."  # prefix of its published names


def load_network(directory: Path) -> Gliner2Network:
    """Read a checkpoint directory.

    Raises:
        CheckpointError: if a file is missing, broken or does not fit the others.
    """
    config = Gliner2Config.from_dict(read_json(directory / "config.json"))
    encoder, state, pooler = read_encoder(directory)
    network = Gliner2Network(config, encoder, pooler=pooler)
    load_published(network, state, network.backbone.depth)
    return network.eval()


def read_encoder(directory: Path) -> tuple[Mapping[str, Any], dict[str, torch.Tensor], bool]:
    """Read the configuration of the encoder and all weights of a checkpoint.

    Returns:
        The configuration, with as many pieces as there are vectors; published names to weights,
        with adapters merged; and whether there is a BERT pooler among them.

    Raises:
        CheckpointError: if a file is missing or broken.
    """
    encoder_config = read_json(directory / "encoder_config" / "config.json")
    state = merged(read_weights(directory), adapter_configs(directory))
    encoder = with_vocabulary(encoder_config, state, _ENCODER)
    if encoder != encoder_config:
        _check_pieces(directory / TOKENIZER, encoder["vocab_size"])
    return encoder, state, f"{_ENCODER}pooler.dense.weight" in state


def _check_pieces(path: Path, rows: int) -> None:
    """Refuse a tokenizer that has pieces without a vector."""
    tokenizer = read_tokenizer(path)
    last = max(tokenizer.get_vocab().values(), default=-1)
    if last >= rows:
        raise CheckpointError(
            f"The tokenizer of {path} has the piece id {last}, but the weights hold the vectors of "
            f"{rows} pieces; put the tokenizer.json there that the checkpoint was trained with."
        )


def save_network(
    network: Gliner2Network,
    directory: Path,
    *,
    encoder_config: Mapping[str, Any],
    tokenizer_from: Path,
) -> None:
    """Write a checkpoint that this library and the reference library can load.

    The latter knows nothing of shapes (`Gliner2Config.shapes`): it reads all words as the first.

    Args:
        network: what is saved, in fp32.
        directory: is made if it is not there.
        encoder_config: the content of ``encoder_config/config.json``.
        tokenizer_from: directory whose tokenizer files are copied.
    """
    write_beside(network.config.to_dict(), encoder_config, directory, tokenizer_from)
    write_weights(published_weights(network, network.backbone.depth), directory)


def write_beside(
    config: Mapping[str, Any],
    encoder_config: Mapping[str, Any],
    directory: Path,
    tokenizer_from: Path,
) -> None:
    """Write what stands beside the weights of a checkpoint of either architecture.

    Args:
        config: the content of ``config.json``.
        encoder_config: the content of ``encoder_config/config.json``.
        directory: is made if it is not there.
        tokenizer_from: directory whose tokenizer files are copied.
    """
    (directory / "encoder_config").mkdir(parents=True, exist_ok=True)
    for path, content in (
        (directory / "config.json", config),
        (directory / "encoder_config" / "config.json", encoder_config),
    ):
        path.write_text(json.dumps(dict(content), indent=2) + "\n", encoding="utf-8")
    copy_tokenizer(tokenizer_from, directory)
