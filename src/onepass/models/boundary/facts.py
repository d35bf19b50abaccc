"""What a boundary checkpoint says of itself: its parts, tokens and limits, for people to read."""

from __future__ import annotations

from collections.abc import Mapping

from onepass.encoding.sequences import encoder_limit
from onepass.hub import Checkpoint, read_json
from onepass.hub.base import TOKENIZER
from onepass.hub.checkpoint import CONFIG
from onepass.models.boundary.config import BoundaryConfig
from onepass.models.boundary.graphs import graphs
from onepass.models.facts import Facts, absent
from onepass.models.gliner2.facts import ENCODER
from onepass.models.gliner2.prompt import SPECIAL_TOKENS

_PARTS: Mapping[str, str] = {
    "encoder.": "encoder",
    "classifier.": "classifier",
    "boundary_head.": "boundary head",
    "record_decoder.": "record head",
    "relation_scorer.": "relation head",
}


def boundary_facts(checkpoint: Checkpoint) -> Facts:
    """Return what the configuration of a boundary checkpoint says.

    Raises:
        CheckpointError: for an unknown value.
    """
    config = BoundaryConfig.from_dict(checkpoint.config)
    path = checkpoint.directory / ENCODER / CONFIG
    encoder = read_json(path) if path.is_file() else {}
    expected = ["encoder", "classifier", "boundary head"]
    expected += ["record head"] if config.records else []
    expected += ["relation head"] if config.relations else []
    return Facts(
        architecture=f"boundary, {config.proposals.pool.replace('_', ' ')} spans",
        parts=_PARTS,
        expected=tuple(expected),
        encoders={"encoder": (config.backbone, encoder)},
        tokens=SPECIAL_TOKENS,
        pieces=encoder_limit(encoder) if encoder else None,
        graphs=tuple(graph.name for graph in graphs(config)),
        problems=absent(checkpoint.directory, f"{ENCODER}/{CONFIG}", TOKENIZER),
    )
