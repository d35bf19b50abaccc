"""Checkpoints of sentence-transformers, read into a torch network and written from one.

The encoder's weights lie beside ``modules.json``, those of a dense layer in its folder. Strict
about every key. What is left over of another head of the encoder is dropped, and so is a pooler.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch

from onepass.errors import CheckpointError
from onepass.hub import Checkpoint
from onepass.models.adapters import adapter_configs
from onepass.models.embedding.config import EmbeddingConfig
from onepass.models.embedding.modules import copy_modules
from onepass.models.embedding.network.network import EmbeddingNetwork
from onepass.nn.adapters import merged
from onepass.nn.keymap import Entry, Rename
from onepass.nn.published import copy_tokenizer, load_published, published_weights
from onepass.nn.weights import read_weights, write_weights

_POOLER = "pooler.dense.weight"
_UNUSED = "pooler."  # transformers builds it, and nothing reads it here
_PLACES = "position_ids"  # old versions of transformers saved them


def load_network(directory: Path) -> EmbeddingNetwork:
    """Read a checkpoint directory.

    Raises:
        CheckpointError: if a file is missing, broken or does not fit the others.
    """
    config = EmbeddingConfig.read(directory)
    state = merged(read_weights(directory), adapter_configs(directory))
    network = EmbeddingNetwork(config, pooler=any(name.endswith(_POOLER) for name in state))
    needed = [name for entry in network.encoder_keys() for name in _theirs(entry)]
    found = of_encoder(state, needed)
    own = network.backbone.state_dict()
    for entry in network.encoder_keys():
        if isinstance(entry, Rename) and entry.theirs.startswith(_UNUSED):
            found.setdefault(entry.theirs, own[entry.ours.removeprefix("backbone.")])
    for one in config.dense:
        layer = _dense_weights(directory, one.folder)
        found |= {f"{one.folder}/{name}": tensor for name, tensor in layer.items()}
    load_published(network, found)
    return network.eval()


def _dense_weights(directory: Path, folder: str) -> dict[str, torch.Tensor]:
    if not Checkpoint(directory / folder, folder, None).has_weights:
        raise CheckpointError(
            f"The dense layer {folder} of {directory} has no model.safetensors; where you trust "
            f"its pickle, run  onepass export --safetensors {directory} -o DIR  and open DIR."
        )
    return read_weights(directory / folder)


def of_encoder(state: Mapping[str, torch.Tensor], needed: list[str]) -> dict[str, torch.Tensor]:
    """Return the weights of an encoder by the names that it has for itself.

    A checkpoint that was saved with another head has them below the name of the encoder ("bert."),
    and those of the head beside it.

    Args:
        state: published names to tensors.
        needed: names that the encoder has; those of its pooler may be missing.

    >>> part = torch.zeros(1)
    >>> list(of_encoder({"bert.a.w": part, "cls.w": part}, ["a.w"]))
    ['a.w']
    """
    whole = [name for name in needed if not name.startswith(_UNUSED)]
    prefixes = {name.removesuffix(one) for one in whole[:1] for name in state if name.endswith(one)}
    for prefix in sorted(prefixes, key=len):
        if prefix and prefix.endswith(".") and all(prefix + name in state for name in whole):
            state = {
                name.removeprefix(prefix): tensor
                for name, tensor in state.items()
                if name.startswith(prefix)
            }
            break
    dead = [name for name in state if name not in needed and name.endswith(_PLACES)]
    return {name: tensor for name, tensor in state.items() if name not in dead}


def _theirs(entry: Entry) -> tuple[str, ...]:
    return (entry.theirs,) if isinstance(entry, Rename) else entry.theirs


def save_network(network: EmbeddingNetwork, directory: Path, *, source: Path) -> None:
    """Write a checkpoint that this library and sentence-transformers can load.

    Args:
        network: what is saved, in fp32.
        directory: is made if it is not there.
        source: directory whose configuration and tokenizer files are copied.
    """
    directory.mkdir(parents=True, exist_ok=True)
    every = published_weights(network)
    for one in network.config.dense:
        start = f"{one.folder}/"
        own = {
            name.removeprefix(start): every.pop(name)
            for name in list(every)
            if name.startswith(start)
        }
        (directory / one.folder).mkdir(exist_ok=True)
        write_weights(own, directory / one.folder)
    write_weights(every, directory)
    copy_modules(source, directory)
    copy_tokenizer(source, directory)
