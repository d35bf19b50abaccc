"""Boundary checkpoints in the published layout, read into a torch network and written from one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from onepass.hub.files import read_json
from onepass.models.boundary.config import BoundaryConfig
from onepass.models.boundary.network.network import BoundaryNetwork
from onepass.models.gliner2.network.checkpoint import read_encoder, write_beside
from onepass.nn.published import load_published, published_weights
from onepass.nn.weights import write_weights


def load_network(directory: Path) -> BoundaryNetwork:
    """Read a checkpoint directory.

    Raises:
        CheckpointError: if a file is missing, broken or does not fit the others.
    """
    config = BoundaryConfig.from_dict(read_json(directory / "config.json"))
    encoder, state, pooler = read_encoder(directory)
    network = BoundaryNetwork(config, encoder, pooler=pooler)
    load_published(network, state, network.backbone.depth)
    return network.eval()


def save_network(
    network: BoundaryNetwork,
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
    write_beside(network.config.to_dict(), encoder_config, directory, tokenizer_from)
    write_weights(published_weights(network, network.backbone.depth), directory)
