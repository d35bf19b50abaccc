"""``gliner_config.json`` of a GLiNER checkpoint, read strictly: which parts it is made of.

Old and new spellings are brought into one form here, so that nothing else has to know them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import LAYERS, SIZE, WIDTH, Options
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
WHITESPACE = "whitespace"  # the splitter of words

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
        _check_supported(config)
        options = Options(config, "this GLiNER checkpoint")
        mode = options.one_of("span_mode", (*SPAN_MODES, *TOKEN_MODES), "markerV0")
        tokens = mode in TOKEN_MODES
        relations = _relations(options)
        decoder = None if relations else _decoder(options)
        bi = relations is None and decoder is None and config.get("labels_encoder") is not None
        represented = options.flag("represent_spans", False, null=False)
        return cls(
            backbone=options.text("model_name", _BACKBONE, null=_BACKBONE),
            encoder=options.mapping("encoder_config"),
            hidden=options.whole("hidden_size", 512, least=1, most=SIZE),
            tokens=tokens,
            span_mode="token_level" if tokens else mode,
            max_width=options.whole("max_width", 12, least=1, most=WIDTH),
            max_words=options.whole("max_len", 384, least=1),
            pooling=options.one_of("subtoken_pooling", POOLINGS, "first"),
            rnn_layers=0 if bi else _rnn_layers(options),
            dropout=options.share("dropout", 0.4),
            # null is false in GLiNER, of all that is true or false
            embed_token=options.flag("embed_ent_token", True, null=False),
            ent_token=options.text("ent_token", ENT),
            sep_token=options.text("sep_token", SEP),
            token_index=options.whole("class_token_index", -1),
            vocabulary=options.whole("vocab_size", -1, null=-1, least=-1),
            fuse_layers=options.flag("fuse_layers", False, null=False),
            represent_spans=tokens and (decoder is not None or represented),
            fusion=_fusion(options) if bi else (),
            fusion_layers=options.whole("num_post_fusion_layers", 1, null=1, least=0, most=LAYERS),
            label_backbone=options.text("labels_encoder") if bi else None,
            label_encoder=options.mapping("labels_encoder_config") if bi else None,
            relations=relations,
            decoder=decoder,
            raw=dict(config),
        )


def _check_supported(config: Mapping[str, Any]) -> None:
    """Refuse kinds of checkpoints that are not run here."""
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
    splitter = config.get("words_splitter_type", WHITESPACE)
    if splitter != WHITESPACE:
        raise CheckpointError(
            f"This GLiNER checkpoint was trained on the words of the splitter {splitter!r:.80} "
            f"(words_splitter_type), which is not supported; those of {WHITESPACE!r} are."
        )


def _rnn_layers(options: Options) -> int:
    """Return the layers of the LSTM: old configurations say only whether there is one."""
    if options.config.get("num_rnn_layers") is None:
        return 1 if options.flag("has_rnn", True, null=False) else 0
    return options.whole("num_rnn_layers", least=0, most=LAYERS)


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
        encoder=options.mapping("labels_decoder_config"),
    )


def _fusion(options: Options) -> tuple[str, ...]:
    key = "post_fusion_schema"
    steps = [step for step in options.text(key, "", null="").split("-") if step]
    for step in steps:
        if step not in FUSIONS:
            raise CheckpointError(f"{key} {step!r:.80} is not known; {', '.join(FUSIONS)} are.")
    return tuple(steps)
