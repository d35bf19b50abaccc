"""What a GLiNER checkpoint says of itself: its parts, tokens and limits, for people to read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from onepass.encoding.sequences import encoder_limit
from onepass.hub import Checkpoint
from onepass.hub.base import TOKENIZER
from onepass.models.facts import Facts
from onepass.models.gliner.complete import DECODER, LABELS, lacks
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.fixed_labels import WEIGHT
from onepass.models.gliner.graphs import graphs
from onepass.models.gliner.markers import markers

_TEXT, _LABELS, _DECODER = "text encoder", "label encoder", "label decoder"
_CONTEXT, _PROMPT, _FIXED = "context encoder", "prompt encoder", "labels"
_PARTS: Mapping[str, str] = {
    "token_rep_layer.bert_layer.layers_fuser.": "layer fuser",
    "token_rep_layer.bert_layer.": _TEXT,
    "token_rep_layer.decoder_layer.": _TEXT,
    "token_rep_layer.projection.": "projection",
    "token_projection.": "projection",
    "labels_encoder.": _PROMPT,
    "token_rep_layer.labels_encoder.layers_fuser.": "layer fuser of labels",
    "token_rep_layer.labels_encoder.": _LABELS,
    "token_rep_layer.labels_projection.": "projection of labels",
    "rnn.": "LSTM",
    "cross_fuser.": "fusion",
    "span_rep_layer.context_encoder.": _CONTEXT,
    "span_rep_layer.": "span layer",
    "prompt_rep_layer.": "label layer",
    WEIGHT: _FIXED,
    "scorer.": "token scorer",
    "relations_rep_layer.": "adjacency",
    "pair_rep_layer.": "pair scorer",
    "triples_score_layer.": "triple scorer",
    "decoder.": _DECODER,
    "_enc2dec_proj.": "projection of spans",
}


def gliner_facts(checkpoint: Checkpoint) -> Facts:
    """Return what the configuration of a GLiNER checkpoint says.

    Raises:
        CheckpointError: for a kind that is not supported, or an unknown value.
    """
    config = GlinerConfig.from_dict(checkpoint.config)
    encoders: dict[str, tuple[str, Mapping[str, Any]]] = {
        _TEXT: (config.backbone, config.encoder or {})
    }
    if config.label_backbone is not None:
        encoders[_LABELS] = (config.label_backbone, config.label_encoder or {})
    if config.streaming is not None:
        encoders[_PROMPT] = ("", config.streaming.labels)
    if config.context is not None:
        encoders[_CONTEXT] = ("", config.context)
    if config.decoder is not None:
        encoders[_DECODER] = (config.decoder.name, config.decoder.encoder or {})
    ids = {config.ent_token: config.token_index}
    if config.relations is not None:
        ids[config.relations.token] = config.relations.token_index
    return Facts(
        architecture=config.architecture,
        parts=_PARTS,
        expected=_expected(config),
        encoders=encoders,
        tokenizers=(TOKENIZER, *(f"{name}/{TOKENIZER}" for name in (LABELS, DECODER))),
        tokens=markers(config),
        token_ids={token: index for token, index in ids.items() if index >= 0},
        pieces=None if config.encoder is None else encoder_limit(config.encoder),
        words=config.max_words,
        width=None if config.tokens else config.max_width,
        graphs=tuple(graph.name for graph in graphs(config)),
        lacks=tuple(lack.clause for lack in lacks(checkpoint)),
    )


def _expected(config: GlinerConfig) -> tuple[str, ...]:
    """Return the parts without which a checkpoint of this configuration cannot be run."""
    relations, decoder = config.relations, config.decoder
    represented = config.represent_spans or relations is not None or decoder is not None
    wanted = {
        _TEXT: True,
        _LABELS: config.bi_encoder,
        "layer fuser": config.fuse_layers,
        "LSTM": config.rnn_layers > 0 and "num_rnn_layers" in config.raw,
        "fusion": bool(config.fusion),
        _PROMPT: config.streaming is not None,
        _CONTEXT: config.context is not None,
        _FIXED: config.fixed is not None,
        "span layer": not config.tokens or represented,
        "label layer": not config.tokens or relations is not None,
        "token scorer": config.tokens,
        "adjacency": relations is not None and relations.adjacency not in ("none", "dot"),
        "pair scorer": relations is not None and relations.triples is None,
        _DECODER: decoder is not None,
    }
    return tuple(part for part, needed in wanted.items() if needed)
