"""What an NLI checkpoint says of itself: its classes, parts and limits, for people to read."""

from __future__ import annotations

from collections.abc import Mapping

from onepass.hub import Checkpoint
from onepass.hub.base import TOKENIZER
from onepass.models.facts import Facts, absent
from onepass.models.limits import longest_sequence, tokenizer_config
from onepass.models.nli.config import NliConfig
from onepass.models.nli.graphs import graphs

_HEADS = ("classifier", "classification_head", "pooler", "pre_classifier", "head")
_ENCODERS = (
    "albert", "bert", "deberta", "distilbert", "electra", "model", "mpnet", "roberta",
)  # fmt: skip
_PARTS: Mapping[str, str] = {
    **{f"{name}.": "head" for name in _HEADS},
    **{f"{name}.pooler.": "head" for name in _ENCODERS},
    **{f"{name}.": "encoder" for name in _ENCODERS},
}


def nli_facts(checkpoint: Checkpoint) -> Facts:
    """Return what the configuration of an NLI checkpoint says.

    Raises:
        CheckpointError: for an architecture that is not supported, or labels without entailment.
    """
    raw = checkpoint.config
    config = NliConfig.from_dict(raw)
    base = str(raw.get("_name_or_path") or config.model_type)
    return Facts(
        architecture=f"{config.model_type}, {len(config.labels)} classes",
        parts=_PARTS,
        expected=("encoder", "head"),
        encoders={"encoder": (base, raw)},
        pieces=longest_sequence(raw, tokenizer_config(checkpoint.directory)),
        graphs=tuple(graph.name for graph in graphs(typed=config.types > 1)),
        problems=absent(checkpoint.directory, TOKENIZER),
    )
