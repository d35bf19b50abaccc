"""``config.json`` of a GLiClass checkpoint, read strictly: which parts it is made of.

Keys that say nothing about inference (losses, reinforcement, notes) are passed over here and kept
in ``raw``, which is what a saved checkpoint says again. Null is false, as gliclass reads it, also
where an absent key means true.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import LAYERS, SIZE, Options
from onepass.errors import CheckpointError
from onepass.models.gliclass.decoder_config import DecoderConfig

UNI, BI, FUSED = "uni-encoder", "bi-encoder", "bi-encoder-fused"
TEXT_ENCODER, LABEL_ENCODER = "encoder-decoder", "encoder-decoder-cls"  # what the encoder reads
DECODER = "decoder-kv"
ARCHITECTURES = (UNI, BI, FUSED, TEXT_ENCODER, LABEL_ENCODER, DECODER)
SCORERS = ("simple", "weighted-dot", "mlp", "hopfield", "cross-attn")
POOLINGS = ("first", "last", "max", "avg", "sum", "rms", "abs_max", "abs_avg", "pass")
LABEL, SEP, EXAMPLE = "<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"

_OWNER = "this GLiClass checkpoint"
_DEFAULT_ENCODER = "deberta-v2"
_TEMPERATURE = 1_000  # far above the default of 3; with much more logits are no numbers
_HIDDEN = {  # where transformers' is not 768
    "deberta-v2": 1536, "t5": 512, "mt5": 512, "umt5": 512, "qwen2": 4096, "qwen3": 4096,
    "qwen3_5_text": 4096, "llama": 4096, "mistral": 4096,
}  # fmt: skip

# The first that is there counts: T5, GPT-2, XLM and DistilBERT have names of their own for it.
_SIZE_NAMES = ("hidden_size", "d_model", "n_embd", "emb_dim", "dim")


@dataclass(frozen=True, slots=True)
class CalibratorConfig:
    """The part that scales logits.

    Attributes:
        inner: size of its layers.
        most: largest temperature.
        dropout: while training.
        biased: whether it adds something, too.
    """

    inner: int
    most: float
    dropout: float
    biased: bool

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> CalibratorConfig | None:
        """Read it from a published configuration; None if there is none."""
        options = Options(raw, _OWNER)
        if not options.flag("use_calibrator", False, null=False):
            return None
        return cls(
            inner=options.whole("calibrator_hidden_size", 256, least=1, most=SIZE),
            most=options.number("calibrator_beta_max", 3.0, least=0, most=_TEMPERATURE),
            dropout=options.share("calibrator_dropout", 0.1),
            biased=options.flag("calibrator_use_bias", False, null=False),
        )


@dataclass(frozen=True, slots=True)
class GliclassConfig:
    """What a checkpoint says about itself.

    Attributes:
        architecture: one of `ARCHITECTURES`.
        encoder: transformers configuration of what reads texts.
        label_encoder: likewise, of the separate label encoder; None where labels stand in a prompt.
        label_backbone: name of the model that the label encoder came from.
        hidden: size between the layers of the projections, and of scorers.
        activation: of the projections.
        scorer: one of `SCORERS`; with a decoder, of which there is one alone, "decoder-kv".
        scorer_heads: of the scorer "cross-attn".
        scorer_width: likewise, size of its perceptron; or of the one behind a decoder.
        scorer_dropout: likewise, while training.
        pooling: how the pieces of a text become its vector, one of `POOLINGS`; "pass" leaves them.
        class_pooling: how the pieces of a label become its vector, "first" or "average".
        embed_class_token: whether a label's vector begins at its marker, not at the piece behind.
        text_features: whether the text's vector is of the pieces from ``<<SEP>>`` on, not of all;
            never so with a separate label encoder, whatever the checkpoint says.
        normalize: whether vectors have length 1 before they are scored.
        logit_scale: what the learned factor of logits starts from.
        prompt_first: whether labels stand before the text.
        squeeze_layers: whether all layers of the encoder are mixed.
        encoder_layer: which layer's states are read; -1 for the last.
        segment_embeddings: whether labels, text and examples are marked by vectors of their own.
        lstm: whether an LSTM reads the pieces of the text.
        dropout: of the projections and the text's vector, while training.
        label_token: piece id of ``<<LABEL>>``; -1 where the configuration does not say.
        text_token: likewise, of ``<<SEP>>``.
        example_token: likewise, of ``<<EXAMPLE>>``.
        layer_wise: whether gliclass adds up the losses of all layers; has no effect here.
        calibrator: what scales the logits of each text and label; None without one.
        decoder: what belongs to a decoder alone; None where the text is read by something else.
        raw: the file as it was read.

    >>> config = GliclassConfig.from_dict({"scorer_type": "mlp"})
    >>> config.scorer, config.pooling, config.prompt_first
    ('mlp', 'first', False)
    """

    architecture: str
    encoder: Mapping[str, Any]
    label_encoder: Mapping[str, Any] | None
    label_backbone: str | None
    hidden: int
    activation: str
    scorer: str
    scorer_heads: int
    scorer_width: int
    scorer_dropout: float
    pooling: str
    class_pooling: str
    embed_class_token: bool
    text_features: bool
    normalize: bool
    logit_scale: float
    prompt_first: bool
    squeeze_layers: bool
    encoder_layer: int
    segment_embeddings: bool
    lstm: bool
    dropout: float
    label_token: int
    text_token: int
    example_token: int
    layer_wise: bool
    calibrator: CalibratorConfig | None
    decoder: DecoderConfig | None
    raw: Mapping[str, Any]

    @property
    def label_vectors(self) -> bool:
        """Whether labels are read by an encoder of their own."""
        return self.architecture in (BI, FUSED)

    @property
    def two_sequences(self) -> bool:
        """Whether labels and text stand in different sequences of an encoder-decoder."""
        return self.architecture in (TEXT_ENCODER, LABEL_ENCODER)

    @property
    def encoder_hidden(self) -> int:
        """Size of the vectors of what reads texts."""
        return _hidden(self.encoder)

    @classmethod
    def from_dict(cls, raw: Mapping[str, Any]) -> GliclassConfig:
        """Read a published configuration.

        Raises:
            CheckpointError: for a wrong value, or a kind that is not supported.
        """
        options = Options(raw, _OWNER)
        architecture = options.one_of("architecture_type", ARCHITECTURES, UNI)
        encoder = _encoder(raw, "encoder_config")
        labels = None
        if architecture in (BI, FUSED):
            labels = _encoder(raw, "label_model_config")
        decoder = DecoderConfig.read(raw, _OWNER) if architecture == DECODER else None
        scorer = DECODER if decoder else options.one_of("scorer_type", SCORERS, "simple")
        pooling = options.one_of("pooling_strategy", POOLINGS, "first")
        if architecture not in (LABEL_ENCODER, DECODER):
            _check_pooling(scorer, pooling)
        unnamed = raw.get("label_model_name") is None
        own = _hidden(encoder)
        return cls(
            architecture=architecture,
            encoder=encoder,
            label_encoder=labels,
            label_backbone=None if unnamed else options.text("label_model_name"),
            hidden=options.whole("hidden_size", own, null=own, least=1, most=SIZE),
            activation=options.text("projector_hidden_act", "gelu"),
            scorer=scorer,
            scorer_heads=options.whole("scorer_num_heads", 16, least=1, most=SIZE),
            scorer_width=options.whole("scorer_mlp_hidden_size", 1024, least=2, most=SIZE),
            scorer_dropout=options.share("scorer_attn_dropout", 0.1),
            pooling=pooling,
            class_pooling="average" if raw.get("class_token_pooling") == "average" else "first",
            embed_class_token=options.flag("embed_class_token", True, null=False),
            # Only where labels and text come out of one encoder are they told apart.
            text_features=options.flag("extract_text_features", False, null=False)
            and labels is None,
            normalize=options.flag("normalize_features", False, null=False),
            logit_scale=options.number("logit_scale_init_value", 2.6592),
            prompt_first=options.flag("prompt_first", False, null=False),
            squeeze_layers=options.flag("squeeze_layers", False, null=False),
            encoder_layer=options.whole("encoder_layer_id", -1, least=-LAYERS, most=LAYERS),
            segment_embeddings=options.flag("use_segment_embeddings", False, null=False),
            lstm=options.flag("use_lstm", False, null=False),
            dropout=options.share("dropout", 0.1),
            label_token=options.whole("class_token_index", -1),
            text_token=options.whole("text_token_index", -1, null=-1),
            example_token=options.whole("example_token_index", -1, null=-1),
            layer_wise=options.flag("layer_wise", False, null=False),
            calibrator=CalibratorConfig.read(raw),
            decoder=decoder,
            raw=raw,
        )


def _check_pooling(scorer: str, pooling: str) -> None:
    """Refuse a scorer that would not get what it reads."""
    reads_pieces = scorer == "cross-attn"
    if reads_pieces != (pooling == "pass"):
        raise CheckpointError(
            f"The scorer {scorer!r} of this GLiClass checkpoint reads "
            f"{'every piece' if reads_pieces else 'one vector'} of a text, but its "
            f"pooling_strategy is {pooling!r}; 'pass' belongs to 'cross-attn' alone."
        )


def _encoder(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    options = Options(raw, _OWNER)
    found = options.mapping(key)
    decoder = raw.get("architecture_type") == DECODER  # of which there is no usual one
    if found is None and (decoder or key != "encoder_config"):
        raise options.wrong(key, "an object", None)
    found = found or {}
    part = Options(found, f"the {key} of {_OWNER}").mapping("text_config") if decoder else None
    if part is not None:  # of a network that reads images or sound, too
        return {"model_type": f"{found.get('model_type')}_text", **part}
    return {"model_type": _DEFAULT_ENCODER, **found}


def _hidden(encoder: Mapping[str, Any]) -> int:
    """Return the size of an encoder's vectors, as transformers reads its configuration."""
    default = _HIDDEN.get(str(encoder.get("model_type")), 768)
    key = next((name for name in _SIZE_NAMES if name in encoder), _SIZE_NAMES[0])
    owner = f"the encoder of {_OWNER}"
    return Options(encoder, owner).whole(key, default, least=1, most=SIZE)
