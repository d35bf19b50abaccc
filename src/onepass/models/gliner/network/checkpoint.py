"""GLiNER checkpoints in the published layout, read into a torch network and written from one.

``gliner_config.json``, ``model.safetensors`` and the tokenizer files. Strict about every key: a
weight that is missing or unexpected is an error that lists the names. Weights that the reference
library builds and never uses are passed over; it makes new ones when it loads what is saved here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch

from onepass.errors import CheckpointError
from onepass.hub.checkpoint import GLINER_CONFIG
from onepass.hub.files import read_json
from onepass.models.adapters import adapter_configs
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.fixed_labels import WEIGHT, WEIGHT_OF_TYPES
from onepass.models.gliner.network.network import GlinerNetwork
from onepass.models.gliner.streaming import DECODER_KEY
from onepass.nn.adapters import merged
from onepass.nn.published import copy_tokenizer, load_published, published_weights
from onepass.nn.vocabulary import with_vocabulary
from onepass.nn.weights import read_weights, write_weights

DECODER = "token_rep_layer.decoder_layer.model."
TEXT, LABELS = "token_rep_layer.bert_layer.model.", "token_rep_layer.labels_encoder.model."
TOKENIZERS = (".", "labels_tokenizer", "decoder_tokenizer")  # directories of a checkpoint
_KEYS = {
    TEXT: "encoder_config", LABELS: "labels_encoder_config", DECODER: DECODER_KEY,
}  # fmt: skip
_POOLER = "pooler.dense.weight"


def load_network(directory: Path) -> GlinerNetwork:
    """Read a checkpoint directory.

    Raises:
        CheckpointError: if a file is missing, broken or does not fit the others.
    """
    config = GlinerConfig.from_dict(read_json(directory / GLINER_CONFIG))
    state = merged(read_weights(directory), adapter_configs(directory))
    config = with_lstm(config, state)
    text = TEXT if config.streaming is None else DECODER
    network = GlinerNetwork(
        config,
        encoder=encoder_of(config.encoder, state, text),
        label_encoder=encoder_of(config.label_encoder, state, LABELS)
        if config.bi_encoder
        else None,
        pooler=TEXT + _POOLER in state,
        label_pooler=LABELS + _POOLER in state,
    )
    if network.decoder is not None:
        from onepass.models.gliner.network.generate import restore_aliases  # transformers is slow

        state = restore_aliases(state, network.decoder.aliases())
    dead = dead_weights(config)
    used = {
        name: tensor
        for name, tensor in state.items()
        if not any(fnmatchcase(name, pattern) for pattern in dead)
    }
    load_published(network, used)
    return network.eval()


def with_lstm(config: GlinerConfig, state: Mapping[str, torch.Tensor]) -> GlinerConfig:
    """Return the configuration with as many LSTM layers as there are weights of.

    Only where the configuration leaves it open; some old ones say nothing of the LSTM.
    """
    if config.bi_encoder or "num_rnn_layers" in config.raw or config.raw.get("has_rnn") is False:
        return config
    least = 1 if config.raw.get("has_rnn") else 0
    layers = sum(fnmatchcase(name, "rnn.lstm.weight_ih_l?") for name in state)
    return replace(config, rnn_layers=max(layers, least))


def encoder_of(
    encoder: Mapping[str, Any] | None, state: Mapping[str, torch.Tensor], prefix: str
) -> Mapping[str, Any]:
    """Return the configuration of an encoder, with as many pieces as it has vectors.

    Raises:
        CheckpointError: if the checkpoint does not say what its encoder is.
    """
    if encoder is None:
        key = _KEYS[prefix]
        raise CheckpointError(
            f"The {GLINER_CONFIG} does not say what its encoder is ({key} is missing); put the "
            "config.json of the encoder there."
        )
    return with_vocabulary(encoder, state, prefix)


def dead_weights(config: GlinerConfig) -> tuple[str, ...]:
    """Return patterns of the names of weights that the reference library keeps but never reads."""
    dead = ["*.embeddings.position_ids"]
    if config.bi_encoder:
        dead.append("rnn.*")
    else:
        dead.append("cross_fuser.*")
    if config.span_mode == "markerV1":
        dead.append("span_rep_layer.span_rep_layer.project_first.*")
    if config.tokens and config.relations is None:
        dead.append("prompt_rep_layer.*")
    if config.fixed is None:  # labels were compressed into it, and that was switched off
        dead += [WEIGHT, WEIGHT_OF_TYPES]
    return tuple(dead)


def save_network(network: GlinerNetwork, directory: Path, *, tokenizer_from: Path) -> None:
    """Write a checkpoint that this library and the reference library can load.

    Args:
        network: what is saved, in fp32.
        directory: is made if it is not there.
        tokenizer_from: directory whose tokenizer files are copied, with those of the label encoder.
    """
    directory.mkdir(parents=True, exist_ok=True)
    content = json.dumps(published_config(network), indent=2)
    (directory / GLINER_CONFIG).write_text(content + "\n", encoding="utf-8")
    write_weights(published_weights(network), directory)
    for part in TOKENIZERS:
        copy_tokenizer(tokenizer_from / part, directory / part)


def published_config(network: GlinerNetwork) -> dict[str, Any]:
    """Return ``gliner_config.json``: as it was read, with what only the weights had said."""
    config = network.config
    content = {**config.raw, config.encoder_key: dict(network.encoder)}
    if network.label_encoder is not None:
        content["labels_encoder_config"] = dict(network.label_encoder)
    if not config.bi_encoder:
        content["num_rnn_layers"] = config.rnn_layers
    return content
