"""Tiny random boundary checkpoints in the published layout, made in a fraction of a second."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from onepass.models.boundary.config import BoundaryConfig
from onepass.models.boundary.network.checkpoint import save_network
from onepass.models.boundary.network.network import BoundaryNetwork
from tests.tiny import tiny_encoder_config, write_tiny_tokenizer

SMALL: dict[str, Any] = {
    "boundary_dim": 16, "pair_dim": 16, "content_dim": 8, "record_dim": 16,
    "record_instance_queries": 4,
}  # fmt: skip
# As gliner2.5 checkpoints are said to be.
SHARED: dict[str, Any] = SMALL | {
    "candidate_pool": "shared",
    "boundary_attention_layers": 2, "candidate_attention_layers": 0, "query_attention_layers": 0,
    "enable_span_content": True, "enable_rotary_endpoints": True,
    "query_conditioned_inside_weight": True, "endpoint_difference_features": True,
    "directional_relation_states": True, "relation_biaffine_content": True,
    "relation_argument_proposal_threshold": 0.2,
}  # fmt: skip
# All parts of spans of each query.
EACH: dict[str, Any] = SHARED | {"candidate_pool": "per_query", "content_soft_max_pool": True}


def make_boundary(
    directory: Path,
    *,
    backbone: str = "bert",
    seed: int = 0,
    head: dict[str, Any] | None = None,
    learner: bool = False,
) -> Path:
    """Write a random checkpoint (hidden 32, 2 layers) whose scores differ, and return its path.

    Args:
        directory: is made if it is not there.
        backbone: "bert" or "deberta-v2".
        seed: of the weights; the global random state stays as it was.
        head: its ``boundary_head``; `SHARED` if it is not given.
        learner: whether weights are such as training begins with, so that most scores are alike.
    """
    directory.mkdir(parents=True, exist_ok=True)
    pieces = write_tiny_tokenizer(directory)
    encoder_config = tiny_encoder_config(backbone, pieces, 0.1)
    published = {
        "model_type": "extractor", "architecture": "boundary", "config_version": 3,
        "model_name": f"tiny-{backbone}", "boundary_head": head or SHARED,
    }  # fmt: skip
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = BoundaryNetwork(BoundaryConfig.from_dict(published), encoder_config)
        if not learner:
            _spread(network)
    save_network(network, directory, encoder_config=encoder_config, tokenizer_from=directory)
    (directory / "config.json").write_text(json.dumps(published), encoding="utf-8")
    return directory


def _spread(network: BoundaryNetwork) -> None:
    """Draw weights under which scores differ."""
    for parameter in network.parameters():
        if parameter.ndim > 1:
            parameter.data.normal_(0, 0.25)
        else:
            parameter.data += 0.1 * torch.randn_like(parameter)
    if network.nothing is not None:  # else it would say of most labels that there is nothing
        network.nothing.weight.data.mul_(0.1)
        network.nothing.bias.data.fill_(-2)
    for layer in (network.place_scorer.inside_query, network.shared_scorer.length):
        layer.weight.data.mul_(0.1)  # else most spans are long
