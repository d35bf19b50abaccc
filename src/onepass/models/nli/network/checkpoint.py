"""Sequence classifiers in the published layout, read into a torch network and written from one.

``config.json``, ``model.safetensors`` and the tokenizer files. Strict about every key: a weight
that is missing or unexpected is an error that lists the names. Weights that transformers passes
over as well are dropped.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path

import torch

from onepass.hub.checkpoint import CONFIG
from onepass.hub.files import read_json
from onepass.models.adapters import adapter_configs
from onepass.models.nli.config import NliConfig
from onepass.models.nli.network.network import NliNetwork, build_network
from onepass.nn.adapters import merged
from onepass.nn.keymap import Rename, expand
from onepass.nn.published import copy_tokenizer, load_published, published_weights
from onepass.nn.weights import read_weights, write_weights

# What older versions of transformers saved and later ones do not read.
_DEAD = (
    "*.position_ids", "*.pooler.dense.*", "*.position_embeddings.weight", "*.version",
    "lm_predictions.*", "mask_predictions.*",
)  # fmt: skip


def load_network(directory: Path) -> NliNetwork:
    """Read a checkpoint directory.

    Raises:
        CheckpointError: if a file is missing, broken or does not fit the others.
    """
    network = build_network(NliConfig.from_dict(read_json(directory / CONFIG)))
    entries = expand(network.keys(), network.depth)
    needed = [name for e in entries for name in ([e.theirs] if isinstance(e, Rename) else e.theirs)]
    state = merged(read_weights(directory), adapter_configs(directory))
    load_published(network, without_dead(state, needed), network.depth)
    return network.eval()


def without_dead(
    state: Mapping[str, torch.Tensor], needed: Iterable[str]
) -> dict[str, torch.Tensor]:
    """Return weights without those that are known to be left over.

    Args:
        state: published names to tensors.
        needed: names that the network has.
    """
    kept = set(needed)
    return {
        name: tensor
        for name, tensor in state.items()
        if name in kept or not any(fnmatchcase(name, pattern) for pattern in _DEAD)
    }


def save_network(network: NliNetwork, directory: Path, *, tokenizer_from: Path) -> None:
    """Write a checkpoint that this library and transformers can load.

    Args:
        network: what is saved, in fp32.
        directory: is made if it is not there.
        tokenizer_from: directory whose tokenizer files are copied.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = json.dumps(dict(network.config.raw), indent=2)
    (directory / CONFIG).write_text(content + "\n", encoding="utf-8")
    write_weights(published_weights(network, network.depth), directory)
    copy_tokenizer(tokenizer_from, directory)
