"""GLiNER2 checkpoints in the published layout, read into a torch network and written from one.

``config.json``, ``encoder_config/config.json``, ``model.safetensors`` and the tokenizer files.
Strict about every key: a weight that is missing or unexpected is an error that lists the names.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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
    encoder_config = read_json(directory / "encoder_config" / "config.json")
    state = merged(read_weights(directory), adapter_configs(directory))
    encoder = with_vocabulary(encoder_config, state, _ENCODER)
    if encoder != encoder_config:
        _check_pieces(directory / TOKENIZER, encoder["vocab_size"])
    network = Gliner2Network(config, encoder, pooler=f"{_ENCODER}pooler.dense.weight" in state)
    load_published(network, state, network.backbone.depth)
    return network.eval()


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
    (directory / "encoder_config").mkdir(parents=True, exist_ok=True)
    config = json.dumps(network.config.to_dict(), indent=2)
    (directory / "config.json").write_text(config + "\n", encoding="utf-8")
    encoder = json.dumps(dict(encoder_config), indent=2)
    (directory / "encoder_config" / "config.json").write_text(encoder + "\n", encoding="utf-8")
    write_weights(published_weights(network, network.backbone.depth), directory)
    copy_tokenizer(tokenizer_from, directory)
