"""``gliner_config.json`` of a GLiNER checkpoint, read strictly: which parts it is made of.

Old and new spellings are brought into one form here, so that nothing else has to know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import LAYERS, SIZE, WIDTH, Options
from onepass.errors import CheckpointError
from onepass.models.gliner.context import context_config
from onepass.models.gliner.fixed_labels import check_holder, fixed_labels
from onepass.models.gliner.streaming import (
    DECODER_KEY,
    LABEL,
    StreamingConfig,
    as_others,
    streaming_config,
)

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
TRAINING_NUMBERS = (  # what the loss takes of the configuration, where it is given none
    "token_loss_coef", "span_loss_coef", "adjacency_loss_coef", "relation_loss_coef",
    "decoder_loss_coef", "neg_spans_ratio",
)  # fmt: skip

ENT, SEP, REL, FLERT = "<<ENT>>", "<<SEP>>", "<<REL>>", "[FLERT]"
_BACKBONE = "microsoft/deberta-v3-small"


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
        blank: share of the texts that training asks for entities of any kind.
        encoder: its transformers configuration, None if the checkpoint does not carry it.
    """

    name: str
    mode: str = "span"
    full_context: bool = True
    blank: float = 0.1
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
        ent_token: stands in front of every label in the prompt; of a streaming checkpoint, behind.
        sep_token: stands behind the labels.
        token_index: piece id of ``ent_token``; -1 where the configuration does not say.
        vocabulary: rows of the piece embeddings; -1 where the configuration does not say.
        fuse_layers: whether all layers of the encoder are mixed.
        represent_spans: whether spans proposed from tokens are scored again as spans.
        context: configuration of what reads the words in front of the span layer; None for nothing.
        fusion: steps of attention between text and labels of a poly-encoder; empty for none.
        fusion_layers: how often they are repeated.
        label_backbone: name of the separate label encoder, None if labels stand in the prompt.
        label_encoder: its transformers configuration, None if the checkpoint does not carry it.
        relations: None if the checkpoint has no relation part.
        decoder: None if the checkpoint does not generate labels.
        fixed: labels whose vectors are weights, in their order; None if labels are read.
        streaming: None if an encoder reads the text, which sees all of it at once.
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
    context: Mapping[str, Any] | None
    fusion: tuple[str, ...]
    fusion_layers: int
    label_backbone: str | None
    label_encoder: Mapping[str, Any] | None
    relations: RelationConfig | None
    decoder: DecoderConfig | None
    fixed: tuple[str, ...] | None
    streaming: StreamingConfig | None
    raw: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_holder(self.fixed, self.architecture)

    @property
    def bi_encoder(self) -> bool:
        """Return whether labels have an encoder of their own."""
        return self.label_backbone is not None

    @property
    def labels_apart(self) -> bool:
        """Return whether label vectors are the same in front of every text."""
        return self.without_labels or self.streaming is not None

    @property
    def without_labels(self) -> bool:
        """Return whether no label stands in front of a text."""
        return self.bi_encoder or self.fixed is not None

    @property
    def encoder_key(self) -> str:
        """Return where ``gliner_config.json`` says what reads the text."""
        return "encoder_config" if self.streaming is None else DECODER_KEY

    @property
    def bare_prompt(self) -> bool:
        """Return whether the prompt holds no label but its marker, which the decoder names."""
        return self.decoder is not None and self.decoder.mode == "prompt"

    @property
    def architecture(self) -> str:
        """Return the name of the architecture in the documentation of GLiNER."""
        spans = "Token" if self.tokens else "Span"
        if self.streaming is not None:
            return f"Streaming{spans}"
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
        if self.streaming is not None:
            return (self.ent_token, self.sep_token)
        return (FLERT, self.ent_token, self.sep_token)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> GlinerConfig:
        """Read a published configuration, of any version.

        Raises:
            CheckpointError: for a kind that is not supported, or an unknown value.
        """
        said = as_others(config)
        options = Options(said, "this GLiNER checkpoint")
        causal = said is not config
        reader = (DECODER_KEY, "gpt2") if causal else ("encoder_config", "deberta-v2")
        marker = ("label_token", LABEL) if causal else ("ent_token", ENT)
        modes = SPAN_MODES if causal else (*SPAN_MODES, *TOKEN_MODES)
        mode = options.one_of("span_mode", modes, "markerV0")
        tokens = mode in TOKEN_MODES
        _check_training(options)
        relations = _relations(options)
        decoder = None if relations else _decoder(options)
        bi = relations is None and decoder is None and said.get("labels_encoder") is not None
        # Those that relate are not asked again, and those that write labels always are.
        represented = options.flag("represent_spans", False, null=False) and relations is None
        represented = tokens and (decoder is not None or represented)
        hidden = options.whole("hidden_size", 512, least=1, most=SIZE)
        dropout = options.share("dropout", 0.4)
        context = context_config(options, "span_encoder_config", hidden=hidden, dropout=dropout)
        # A checkpoint that makes no vectors of spans has no part that it would stand in front of.
        spans = not tokens or represented or relations is not None
        return cls(
            backbone=options.text("model_name", _BACKBONE, null=_BACKBONE),
            encoder=_encoder(options, *reader),
            hidden=hidden,
            tokens=tokens,
            span_mode="token_level" if tokens else mode,
            max_width=options.whole("max_width", 12, least=1, most=WIDTH),
            max_words=options.whole("max_len", 384, least=1),
            pooling=options.one_of("subtoken_pooling", POOLINGS, "first"),
            rnn_layers=0 if bi else _rnn_layers(options),
            dropout=dropout,
            # null is false in GLiNER, of all that is true or false
            embed_token=options.flag("embed_ent_token", True, null=False),
            ent_token=options.text(*marker),
            sep_token=options.text("sep_token", SEP),
            token_index=options.whole("class_token_index", -1, null=-1),
            vocabulary=options.whole("vocab_size", -1, null=-1, least=-1),
            fuse_layers=options.flag("fuse_layers", False, null=False),
            represent_spans=represented,
            context=context if spans else None,
            fusion=_fusion(options) if bi else (),
            fusion_layers=options.whole("num_post_fusion_layers", 1, null=1, least=0, most=LAYERS),
            label_backbone=options.text("labels_encoder") if bi else None,
            label_encoder=_encoder(options, "labels_encoder_config") if bi else None,
            relations=relations,
            decoder=decoder,
            fixed=fixed_labels(options),
            streaming=streaming_config(config, hidden=hidden, dropout=dropout),
            raw=dict(config),
        )


def _check_training(options: Options) -> None:
    """Refuse weights of the loss that training could not take."""
    for key in TRAINING_NUMBERS:
        options.number(key, 1.0, null=1.0, least=0)


def _encoder(options: Options, key: str, kind: str = "deberta-v2") -> Mapping[str, Any] | None:
    """Return a transformers configuration, which is of one kind if it does not say which."""
    found = options.mapping(key)
    return found if found is None or "model_type" in found else {**found, "model_type": kind}


def _rnn_layers(options: Options) -> int:
    """Return the layers of the LSTM: old configurations say only whether there is one."""
    if options.config.get("num_rnn_layers") is None:
        return 1 if options.flag("has_rnn", True, null=False) else 0
    return max(0, options.whole("num_rnn_layers", most=LAYERS))  # less than 1 is none in GLiNER


def _relations(options: Options) -> RelationConfig | None:
    if options.config.get("relations_layer") is None:
        return None
    plain = options.config.get("triples_layer") is None
    return RelationConfig(
        adjacency=options.one_of("relations_layer", ADJACENCIES),
        triples=None if plain else options.one_of("triples_layer", TRIPLES),
        token=options.text("rel_token", REL),
        token_index=options.whole("rel_token_index", -1),
        embed_token=options.flag("embed_rel_token", True, null=False),
    )


def _decoder(options: Options) -> DecoderConfig | None:
    if options.config.get("labels_decoder") is None:
        return None
    return DecoderConfig(
        name=options.text("labels_decoder"),
        mode=options.one_of("decoder_mode", DECODER_MODES, "span", null="span"),
        full_context=options.flag("full_decoder_context", True, null=False),
        blank=options.share("blank_entity_prob", 0.1),
        encoder=_encoder(options, "labels_decoder_config", "gpt2"),
    )


def _fusion(options: Options) -> tuple[str, ...]:
    key = "post_fusion_schema"
    steps = [step for step in options.text(key, "", null="").split("-") if step]
    for step in steps:
        if step not in FUSIONS:
            raise CheckpointError(f"{key} {step!r:.80} is not known; {', '.join(FUSIONS)} are.")
    return tuple(steps)
