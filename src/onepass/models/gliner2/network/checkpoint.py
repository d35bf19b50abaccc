"""GLiNER2 checkpoints in the published layout, read into a torch network and written from one.

``config.json``, ``encoder_config/config.json``, ``model.safetensors`` and the tokenizer files.
Strict about every key: a weight that is missing or unexpected is an error that lists the names.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import WEIGHTS, Checkpoint
from onepass.hub.files import read_json
from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.nn.keymap import to_ours, to_theirs

TOKENIZER_FILES = (
    "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "added_tokens.json",
    "spm.model", "vocab.txt",
)  # fmt: skip


def load_network(directory: Path) -> Gliner2Network:
    """Read a checkpoint directory.

    Raises:
        CheckpointError: if a file is missing, broken or does not fit the others.
    """
    config = Gliner2Config.from_dict(read_json(directory / "config.json"))
    encoder_config = read_json(directory / "encoder_config" / "config.json")
    path = Checkpoint(directory, str(directory), None).weights
    try:
        state = load_file(path)
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{path} is not a readable safetensors file: {error}") from error
    network = Gliner2Network(config, encoder_config, pooler="encoder.pooler.dense.weight" in state)
    load_published(network, state)
    return network.eval()


def load_published(network: Gliner2Network, state: Mapping[str, torch.Tensor]) -> None:
    """Put published weights into a network of the same architecture.

    Raises:
        CheckpointError: listing the names or shapes that do not fit.
    """
    layers = network.backbone.depth
    ours = to_ours(state, network.keys(), layers)
    shapes = {name: tuple(tensor.shape) for name, tensor in network.state_dict().items()}
    wrong = [
        f"{name} has {tuple(tensor.shape)}, expected {shapes[name]}"
        for name, tensor in ours.items()
        if name in shapes and tuple(tensor.shape) != shapes[name]
    ]
    if wrong:
        raise CheckpointError(
            f"{len(wrong)} weights have another shape than the configuration says: "
            + "; ".join([*wrong[:4], *(["..."] if len(wrong) > 4 else [])])
            + "; check that the configuration files and model.safetensors belong together."
        )
    network.load_state_dict({name: tensor.float() for name, tensor in ours.items()})


def save_network(
    network: Gliner2Network,
    directory: Path,
    *,
    encoder_config: Mapping[str, Any],
    tokenizer_from: Path,
) -> None:
    """Write a checkpoint that this library and the reference library can load.

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
    state = {name: tensor.detach().float().cpu() for name, tensor in network.state_dict().items()}
    theirs = to_theirs(state, network.keys(), network.backbone.depth)
    save_file(theirs, directory / WEIGHTS, metadata={"format": "pt"})
    for name in TOKENIZER_FILES:
        source = tokenizer_from / name
        if source.is_file() and source.resolve() != (directory / name).resolve():
            shutil.copyfile(source, directory / name)
