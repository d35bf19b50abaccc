"""``gliner_config.json`` of a GLiNER checkpoint, read strictly: which parts it is made of.

Old and new spellings are brought into one form here, so that nothing else has to know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError

SPAN_MODES = (
    "markerV0", "marker", "markerV1", "markerV2", "query", "mlp", "cat",
    "conv_conv", "conv_max", "conv_mean", "conv_sum", "conv_share",
)  # fmt: skip
TOKEN_MODES = ("token_level", "token-level")
POOLINGS = ("first", "last", "mean", "max")
ADJACENCIES = ("none", "dot", "mlp", "attention", "bilinear", "gcn", "gat")
TRIPLES = (
    "UM", "SE", "TransE", "TransH", "TransF", "PairRE", "TripleRE", "DistMult", "SimplE", "DistMA",
    "ComplEx", "QuatE", "HolE", "TuckER", "ERMLP", "ConvKB",
)  # fmt: skip
FUSIONS = ("l2l", "t2t", "l2t", "t2l")
DECODER_MODES = ("span", "prompt")

ENT, SEP, REL, FLERT = "<<ENT>>", "<<SEP>>", "<<REL>>", "[FLERT]"


@dataclass(frozen=True, slots=True)
class RelationConfig:
    """The relation part of a checkpoint.

    Attributes:
        adjacency: how pairs are proposed, one of `ADJACENCIES`.
        triples: how a (head, relation, tail) is scored, one of `TRIPLES`; None for a pair
            perceptron whose output meets the relation in a dot product.
        token: stands in front of every relation type in the prompt.
        token_index: its piece id; -1 where the configuration does not say.
        embed_token: whether a type's vector is that of its marker, not of the piece behind it.
    """

    adjacency: str
    triples: str | None = None
    token: str = REL
    token_index: int = -1
    embed_token: bool = True


@dataclass(frozen=True, slots=True)
class DecoderConfig:
    """The part that generates labels.

    Attributes:
        name: of the language model that it came from.
        mode: "span" adds generated labels to spans; "prompt" lets them stand for the labels asked.
        full_context: whether the words of the span are given to the decoder as well.
        encoder: its transformers configuration, None if the checkpoint does not carry it.
    """

    name: str
    mode: str = "span"
    full_context: bool = True
    encoder: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GlinerConfig:
    """What a checkpoint says about itself.

    Attributes:
        backbone: name of the model that the text encoder came from.
        encoder: its transformers configuration, None if the checkpoint does not carry it.
        hidden: size of word and label vectors behind the projection.
        tokens: whether spans are proposed from token scores, instead of being enumerated.
        span_mode: one of `SPAN_MODES`; how enumerated spans become vectors.
        max_width: longest enumerated span, in words.
        max_words: words of one window.
        pooling: how the pieces of a word become its vector, one of `POOLINGS`.
        rnn_layers: of the bidirectional LSTM over words; 0 for none.
        dropout: while training.
        embed_token: whether a label's vector is that of its marker, not of the piece behind it.
        ent_token: stands in front of every label in the prompt.
        sep_token: stands behind the labels.
        token_index: piece id of ``ent_token``; -1 where the configuration does not say.
        vocabulary: rows of the piece embeddings; -1 where the configuration does not say.
        fuse_layers: whether all layers of the encoder are mixed.
        represent_spans: whether spans proposed from tokens are scored again as spans.
        fusion: steps of attention between text and labels of a poly-encoder; empty for none.
        fusion_layers: how often they are repeated.
        label_backbone: name of the separate label encoder, None if labels stand in the prompt.
        label_encoder: its transformers configuration, None if the checkpoint does not carry it.
        relations: None if the checkpoint has no relation part.
        decoder: None if the checkpoint does not generate labels.
        raw: the file as it was read; unknown keys are kept when the checkpoint is saved.

    >>> GlinerConfig.from_dict({"span_mode": "token-level", "has_rnn": False}).architecture
    'UniEncoderToken'
    """

    backbone: str
    encoder: Mapping[str, Any] | None
    hidden: int
    tokens: bool
    span_mode: str
    max_width: int
    max_words: int
    pooling: str
    rnn_layers: int
    dropout: float
    embed_token: bool
    ent_token: str
    sep_token: str
    token_index: int
    vocabulary: int
    fuse_layers: bool
    represent_spans: bool
    fusion: tuple[str, ...]
    fusion_layers: int
    label_backbone: str | None
    label_encoder: Mapping[str, Any] | None
    relations: RelationConfig | None
    decoder: DecoderConfig | None
    raw: Mapping[str, Any]

    @property
    def bi_encoder(self) -> bool:
        """Return whether labels have an encoder of their own."""
        return self.label_backbone is not None

    @property
    def bare_prompt(self) -> bool:
        """Return whether the prompt holds no label but its marker, which the decoder names."""
        return self.decoder is not None and self.decoder.mode == "prompt"

    @property
    def architecture(self) -> str:
        """Return the name of the architecture in the documentation of GLiNER."""
        spans = "Token" if self.tokens else "Span"
        if self.relations is not None:
            return f"UniEncoder{spans}Relex"
        if self.decoder is not None:
            return f"UniEncoder{spans}Decoder"
        return f"{'Bi' if self.bi_encoder else 'Uni'}Encoder{spans}"

    @property
    def special_tokens(self) -> tuple[str, ...]:
        """Return what is added to the base vocabulary, in the order of the ids."""
        if self.relations is not None:
            return (self.ent_token, self.sep_token, self.relations.token)
        return (FLERT, self.ent_token, self.sep_token)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> GlinerConfig:
        """Read a published configuration, of any version.

        Raises:
            CheckpointError: for a kind that is not supported, or an unknown value.
        """
        if config.get("model_type") == "gliner_streaming_span":
            raise CheckpointError(
                "This is a streaming GLiNER checkpoint, which is not supported; those that read "
                "a text at once are."
            )
        if config.get("precomputed_prompts_mode"):
            raise CheckpointError(
                "This GLiNER checkpoint has its labels compressed into it, which is not "
                "supported; use the checkpoint that it was made from."
            )
        if config.get("span_encoder_config") is not None:
            raise CheckpointError(
                "This GLiNER checkpoint has a context encoder in front of its span layer "
                "(span_encoder_config), which is not supported; those without one are."
            )
        mode = str(config.get("span_mode", "markerV0"))
        tokens = mode in TOKEN_MODES
        relations = _relations(config)
        decoder = None if relations else _decoder(config)
        bi = relations is None and decoder is None and config.get("labels_encoder") is not None
        return cls(
            backbone=str(config.get("model_name", "microsoft/deberta-v3-small")),
            encoder=_encoder(config, "encoder_config"),
            hidden=int(config.get("hidden_size", 512)),
            tokens=tokens,
            span_mode="token_level" if tokens else _one_of(mode, "span_mode", SPAN_MODES),
            max_width=int(config.get("max_width", 12)),
            max_words=int(config.get("max_len", 384)),
            pooling=_one_of(config.get("subtoken_pooling", "first"), "subtoken_pooling", POOLINGS),
            rnn_layers=0 if bi else _rnn_layers(config),
            dropout=float(config.get("dropout", 0.4)),
            embed_token=bool(config.get("embed_ent_token", True)),
            ent_token=str(config.get("ent_token", ENT)),
            sep_token=str(config.get("sep_token", SEP)),
            token_index=int(config.get("class_token_index", -1)),
            vocabulary=int(config.get("vocab_size", -1)),
            fuse_layers=bool(config.get("fuse_layers", False)),
            represent_spans=tokens
            and (decoder is not None or bool(config.get("represent_spans", False))),
            fusion=_fusion(config) if bi else (),
            fusion_layers=int(config.get("num_post_fusion_layers", 1)),
            label_backbone=str(config["labels_encoder"]) if bi else None,
            label_encoder=_encoder(config, "labels_encoder_config") if bi else None,
            relations=relations,
            decoder=decoder,
            raw=dict(config),
        )


def _rnn_layers(config: Mapping[str, Any]) -> int:
    """Return the layers of the LSTM: old configurations say only whether there is one."""
    layers = config.get("num_rnn_layers")
    if layers is None:
        return 1 if config.get("has_rnn", True) else 0
    return int(layers)


def _relations(config: Mapping[str, Any]) -> RelationConfig | None:
    layer = config.get("relations_layer")
    if layer is None:
        return None
    triples = config.get("triples_layer")
    return RelationConfig(
        adjacency=_one_of(layer, "relations_layer", ADJACENCIES),
        triples=None if triples is None else _one_of(triples, "triples_layer", TRIPLES),
        token=str(config.get("rel_token", REL)),
        token_index=int(config.get("rel_token_index", -1)),
        embed_token=bool(config.get("embed_rel_token", True)),
    )


def _decoder(config: Mapping[str, Any]) -> DecoderConfig | None:
    name = config.get("labels_decoder")
    if name is None:
        return None
    mode = config.get("decoder_mode") or "span"
    return DecoderConfig(
        name=str(name),
        mode=_one_of(mode, "decoder_mode", DECODER_MODES),
        full_context=bool(config.get("full_decoder_context", True)),
        encoder=_encoder(config, "labels_decoder_config"),
    )


def _fusion(config: Mapping[str, Any]) -> tuple[str, ...]:
    steps = str(config.get("post_fusion_schema") or "")
    return tuple(_one_of(step, "post_fusion_schema", FUSIONS) for step in steps.split("-") if step)


def _encoder(config: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    found = config.get(key)
    if found is not None and not isinstance(found, Mapping):
        raise CheckpointError(f"{key} must be an object, but {found!r:.60} was found.")
    return found


def _one_of(value: object, key: str, known: tuple[str, ...]) -> str:
    if value not in known:
        raise CheckpointError(f"{key} {value!r} is not known; {', '.join(known)} are.")
    return str(value)
