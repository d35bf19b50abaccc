"""What a GLiNER2 checkpoint says of itself: its parts, tokens and limits, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepass.encoding.options import Options
from onepass.encoding.sequences import encoder_limit
from onepass.hub import Checkpoint, read_json
from onepass.hub.base import TOKENIZER
from onepass.hub.checkpoint import CONFIG
from onepass.models.facts import Facts, absent
from onepass.models.gliner2.config import Gliner2Config, types_problem
from onepass.models.gliner2.graphs import graphs
from onepass.models.gliner2.prompt import SPECIAL_TOKENS

_PARTS: Mapping[str, str] = {
    "encoder.": "encoder",
    "span_rep.": "span head",
    "classifier.": "classifier",
    "count_pred.": "count head",
    "count_embed.": "counting layer",
    "boundary_head.": "boundary head",
    "record_decoder.": "record decoder",
    "relation_scorer.": "relation scorer",
    "onepass.reranker.": "reranker",
}
_EXPECTED = ("encoder", "span head", "classifier", "count head", "counting layer")
ENCODER = "encoder_config"  # folder of its configuration
_ENCODER = f"{ENCODER}/{CONFIG}"
# Encoders that can be told types of pieces, and how many they have if their config.json is silent.
TYPED = {"bert": 2, "camembert": 2, "roberta": 2, "xlm-roberta": 2, "deberta-v2": 0}


def gliner2_facts(checkpoint: Checkpoint) -> Facts:
    """Return what the configuration of a GLiNER2 checkpoint says.

    Raises:
        CheckpointError: for an architecture that is not supported, or an unknown value.
    """
    config = Gliner2Config.from_dict(checkpoint.config)
    path = checkpoint.directory / _ENCODER
    encoder = read_json(path) if path.is_file() else {}
    problems = _problems(encoder) if config.shapes and encoder else ()
    return Facts(
        architecture=", ".join(_said(config)),
        parts=_PARTS,
        expected=(*_EXPECTED, "reranker") if config.reranker else _EXPECTED,
        encoders={"encoder": (config.backbone, encoder)},
        tokens=SPECIAL_TOKENS,
        pieces=encoder_limit(encoder) if encoder else None,
        width=config.max_width,
        graphs=tuple(
            graph.name for graph in graphs(shapes=config.shapes, reranker=config.reranker)
        ),
        problems=(*absent(checkpoint.directory, _ENCODER, TOKENIZER), *problems),
    )


def _said(config: Gliner2Config) -> list[str]:
    """Return what a checkpoint is, in words."""
    own = {"word shapes": config.shapes, "reranker": config.reranker}
    return ["span", config.counting_layer, *(name for name, told in own.items() if told)]


def _problems(encoder: Mapping[str, Any]) -> tuple[str, ...]:
    """Return why an encoder cannot be told the shapes of words, as its network says it."""
    kind = encoder.get("model_type")
    options = Options(encoder, f"this {kind} encoder")
    types = options.whole("type_vocab_size", TYPED[kind], least=0) if kind in TYPED else 0
    problem = types_problem(types)
    return () if problem is None else (problem,)
