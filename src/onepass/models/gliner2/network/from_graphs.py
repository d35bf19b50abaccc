"""A GLiNER2 checkpoint that came as graphs alone, written as one that can be trained on."""

from __future__ import annotations

from pathlib import Path

import torch

from onepass.errors import CheckpointError
from onepass.hub.files import read_json
from onepass.models.gliner2.config import Gliner2Config
from onepass.models.gliner2.network.checkpoint import save_network
from onepass.models.gliner2.network.network import Gliner2Network
from onepass.nn.graphs.graph_weights import read_weights_of

_POOLER = "backbone.pooler."  # nothing of ours reads it; the reference library asks for it
UNUSED = (_POOLER, "backbone.type_embeddings.")  # of the latter, graphs hold the first row


def write_checkpoint(source: Path, graphs: Path, target: Path) -> None:
    """Write a checkpoint in the published layout from its graphs.

    Args:
        source: directory of the configuration and the tokenizer.
        graphs: directory of the graphs, with the table of `onepass.nn.graphs.graph_weights`.
        target: directory that receives the checkpoint.

    Raises:
        CheckpointError: if the graphs are broken or are not those of the configuration.
    """
    encoder_config = read_json(source / "encoder_config" / "config.json")
    config = Gliner2Config.from_dict(read_json(source / "config.json"))
    network = Gliner2Network(config, encoder_config)
    state = {name: torch.from_numpy(values) for name, values in read_weights_of(graphs).items()}
    own = network.state_dict()
    for name, values in own.items():
        if name.startswith(_POOLER):
            state.setdefault(name, torch.zeros_like(values))
    wrong = [name for name in own if name not in state or state[name].shape != own[name].shape]
    wrong += [name for name in state if name not in own]
    if wrong:
        raise CheckpointError(
            f"The graphs in {graphs} are not those of {source / 'config.json'}: {len(wrong)} "
            f"weights are missing, of another shape or too many, {wrong[0]} among them; install or "
            "export them again."
        )
    network.load_state_dict(state)
    save_network(network, target, encoder_config=encoder_config, tokenizer_from=source)
