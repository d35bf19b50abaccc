"""What an embedding checkpoint says of itself: its modules and limits, for people to read."""

from __future__ import annotations

from onepass.hub import Checkpoint
from onepass.hub.base import TOKENIZER
from onepass.models.embedding.config import EmbeddingConfig
from onepass.models.embedding.graphs import GRAPHS
from onepass.models.facts import Facts, absent
from onepass.models.limits import tokenizer_config


def embedding_facts(checkpoint: Checkpoint) -> Facts:
    """Return what the configuration files of an embedding checkpoint say.

    Raises:
        CheckpointError: for modules that are not supported.
    """
    config = EmbeddingConfig.read(checkpoint.directory)
    limit = config.longest(tokenizer_config(checkpoint.directory))
    steps = [f"pooling {' + '.join(config.poolings)}"]
    steps += ["normalized" if one is None else f"dense {one.outputs}" for one in config.behind]
    dense = {one.folder: f"dense layer {one.folder}" for one in config.dense}
    kind = str(config.encoder.get("model_type"))
    return Facts(
        architecture=", ".join(steps),
        parts={f"{folder}/": name for folder, name in dense.items()} | {"": "encoder"},
        expected=("encoder", *dense.values()),
        encoders={"encoder": (str(config.encoder.get("_name_or_path") or kind), config.encoder)},
        pieces=limit,
        graphs=tuple(graph.name for graph in GRAPHS),
        problems=absent(checkpoint.directory, TOKENIZER),
    )
