"""A GLiNER2 checkpoint that came as graphs alone, written as one that can be trained on."""

from __future__ import annotations

from pathlib import Path

import torch

from onepass.errors import CheckpointError
from onepass.hub.files import read_json
from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.checkpoint import save_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.nn.weight_places import read_weights_of

_POOLER = "backbone.pooler."  # no graph of ours computes with it; the reference library asks for it


def write_checkpoint(source: Path, graphs: Path, target: Path) -> None:
    """Write a checkpoint in the published layout from its graphs.

    Args:
        source: directory of the configuration and the tokenizer.
        graphs: directory of the graphs, with the table of `onepass.nn.weight_places`.
        target: directory that receives the checkpoint.

    Raises:
        CheckpointError: if the graphs are broken or are not those of the configuration.
    """
    encoder_config = read_json(source / "encoder_config" / "config.json")
    config = Gliner2Config.from_dict(read_json(source / "config.json"))
    state = {name: torch.from_numpy(values) for name, values in read_weights_of(graphs).items()}
    network = Gliner2Network(config, encoder_config)
    for name, values in network.state_dict().items():
        if name.startswith(_POOLER):
            state.setdefault(name, torch.zeros_like(values))
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise CheckpointError(
            f"The graphs in {graphs} are not those of {source / 'config.json'}: {error}"
        ) from error
    save_network(network, target, encoder_config=encoder_config, tokenizer_from=source)
