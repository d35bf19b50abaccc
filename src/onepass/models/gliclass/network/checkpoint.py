"""GLiClass checkpoints in the published layout, read into a torch network and written from one.

``config.json``, ``model.safetensors`` and the tokenizer files. Strict about every key: a weight
that is missing or unexpected is an error that lists the names. Weights that the reference library
builds and never uses are passed over; it makes new ones when it loads what is saved here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch

from onepass.hub.checkpoint import CONFIG
from onepass.hub.files import read_json
from onepass.models.adapters import adapter_configs
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.decoder_config import MEDIA
from onepass.models.gliclass.network.build import build_network
from onepass.models.gliclass.network.network import ROOT, Encoders, GliclassNetwork
from onepass.nn.adapters import merged
from onepass.nn.published import copy_tokenizer, load_published
from onepass.nn.vocabulary import with_vocabulary
from onepass.nn.weights import read_weights, write_weights

TOKENIZERS = (".", "label_tokenizer")  # directories of a checkpoint
_POOLER = "pooler.dense.weight"


def load_network(directory: Path) -> GliclassNetwork:
    """Read a checkpoint directory.

    Raises:
        CheckpointError: if a file is missing, broken or does not fit the others.
    """
    config = GliclassConfig.from_dict(read_json(directory / CONFIG))
    state = merged(read_weights(directory), adapter_configs(directory))
    if config.decoder is not None and config.decoder.multimodal:
        state = text_weights(state)
    network = build_network(config, encoders_of(config, state))
    table = network.keys()
    known = {name for entry in table for name in _names(entry.theirs)}
    dead = dead_weights(config)
    used = {
        name: tensor
        for name, tensor in state.items()
        if name in known or not any(fnmatchcase(name, pattern) for pattern in dead)
    }
    load_published(network, used)
    return network.eval()


def _names(theirs: str | tuple[str, ...]) -> tuple[str, ...]:
    return (theirs,) if isinstance(theirs, str) else theirs


def encoders_of(config: GliclassConfig, state: Mapping[str, torch.Tensor]) -> Encoders:
    """Return what a network is built of: the configurations, and what only the weights say.

    Args:
        config: of the checkpoint.
        state: published names to tensors.
    """
    text, labels = f"{ROOT}{text_prefix(config)}", f"{ROOT}label_encoder."
    squeezed = state.get(f"{ROOT}layer_wise_attention.W1.weight")  # (layers // 2, layers)
    return Encoders(
        text=with_vocabulary(config.encoder, state, text),
        labels=None
        if config.label_encoder is None
        else with_vocabulary(config.label_encoder, state, labels),
        pooler=text + _POOLER in state,
        label_pooler=labels + _POOLER in state,
        mixed=None if squeezed is None else squeezed.shape[1],
    )


def text_prefix(config: GliclassConfig) -> str:
    """Return the published prefix of what reads the texts, below `ROOT`."""
    if config.decoder is not None:
        return "decoder_model."
    both = config.architecture.startswith("encoder-decoder")
    return "encoder_decoder_model." if both else "encoder_model."


def text_weights(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the weights of a checkpoint of text, for one that reads images or sound, too.

    Args:
        state: published names to tensors.

    >>> names = ("language_model.norm.weight", "visual.patch_embed.proj.weight")
    >>> state = {f"model.decoder_model.{name}": torch.zeros(1) for name in names}
    >>> list(text_weights(state))
    ['model.decoder_model.norm.weight']
    """
    whole, part = f"{ROOT}decoder_model.", f"{ROOT}decoder_model.language_model."
    return {
        name.replace(part, whole, 1): tensor
        for name, tensor in state.items()
        if name.startswith(part) or not name.startswith(tuple(whole + one for one in MEDIA))
    }


def dead_weights(config: GliclassConfig) -> tuple[str, ...]:
    """Return patterns of the names of weights that the reference library keeps but never reads.

    Only names that the network does not have are dead.
    """
    dead = ["*.embeddings.position_ids", "*position_embeddings*"]
    if config.architecture != "uni-encoder" or config.encoder_layer != -1:
        dead.append(f"{ROOT}layer_wise_attention.*")
    if config.architecture not in ("uni-encoder", "encoder-decoder"):
        dead.append(f"{ROOT}lstm.*")
    return tuple(dead)


def save_network(network: GliclassNetwork, directory: Path, *, tokenizer_from: Path) -> None:
    """Write a checkpoint that this library and the reference library can load.

    Args:
        network: what is saved, in fp32.
        directory: is made if it is not there.
        tokenizer_from: directory whose tokenizer files are copied, with those of the label encoder.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = json.dumps(published_config(network), indent=2)
    (directory / CONFIG).write_text(content + "\n", encoding="utf-8")
    write_weights(network.published(), directory)
    for part in TOKENIZERS:
        copy_tokenizer(tokenizer_from / part, directory / part)


def published_config(network: GliclassNetwork) -> dict[str, Any]:
    """Return ``config.json``: as it was read, with what only the weights had said."""
    encoders = network.encoders
    content = {**network.config.raw, "encoder_config": dict(encoders.text)}
    if encoders.labels is not None:
        content["label_model_config"] = dict(encoders.labels)
    if "vocab_size" in content and "vocab_size" in encoders.text:
        content["vocab_size"] = encoders.text["vocab_size"]
    if network.config.decoder is not None and network.config.decoder.multimodal:
        content["multimodal"] = False  # the weights of the other parts were left out
    if content.get("encoder_model_name") is None:  # the reference library takes it for a path
        content["encoder_model_name"] = str(encoders.text.get("model_type"))
    return content
