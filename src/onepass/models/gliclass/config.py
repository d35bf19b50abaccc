"""``config.json`` of a GLiClass checkpoint, read strictly: which parts it is made of.

Keys that say nothing about inference (losses, reinforcement, notes) are passed over here and kept
in ``raw``, which is what a saved checkpoint says again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.errors import CheckpointError

UNI, BI, FUSED = "uni-encoder", "bi-encoder", "bi-encoder-fused"
TEXT_ENCODER, LABEL_ENCODER = "encoder-decoder", "encoder-decoder-cls"  # what the encoder reads
ARCHITECTURES = (UNI, BI, FUSED, TEXT_ENCODER, LABEL_ENCODER)
SCORERS = ("simple", "weighted-dot", "mlp", "hopfield", "cross-attn")
POOLINGS = ("first", "last", "max", "avg", "sum", "rms", "abs_max", "abs_avg", "pass")
LABEL, SEP, EXAMPLE = "<<LABEL>>", "<<SEP>>", "<<EXAMPLE>>"

_STREAMING = "decoder-kv"
_DEFAULT_ENCODER = "deberta-v2"
_HIDDEN = {"deberta-v2": 1536, "t5": 512, "mt5": 512, "umt5": 512}  # where transformers' is not 768


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
        if not _flag(raw, "use_calibrator", False):
            return None
        return cls(
            inner=_whole(raw, "calibrator_hidden_size", 256, least=1),
            most=_number(raw, "calibrator_beta_max", 3.0),
            dropout=_number(raw, "calibrator_dropout", 0.1),
            biased=_flag(raw, "calibrator_use_bias", False),
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
        scorer: one of `SCORERS`.
        scorer_heads: of the scorer "cross-attn".
        scorer_width: likewise, size of its perceptron.
        scorer_dropout: likewise, while training.
        pooling: how the pieces of a text become its vector, one of `POOLINGS`; "pass" leaves them.
        class_pooling: how the pieces of a label become its vector, "first" or "average".
        embed_class_token: whether a label's vector begins at its marker, not at the piece behind.
        text_features: whether the text's vector is of the pieces from ``<<SEP>>`` on, not of all.
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
        architecture = _one_of(raw, "architecture_type", UNI, (*ARCHITECTURES, _STREAMING))
        if architecture == _STREAMING:
            raise CheckpointError(
                "This is a streaming GLiClass checkpoint (architecture_type 'decoder-kv'), which "
                "is not supported yet; use one of the others: " + ", ".join(ARCHITECTURES) + "."
            )
        encoder = _encoder(raw, "encoder_config")
        labels = None
        if architecture in (BI, FUSED):
            labels = _encoder(raw, "label_model_config")
        scorer = _one_of(raw, "scorer_type", "simple", SCORERS)
        pooling = _one_of(raw, "pooling_strategy", "first", POOLINGS)
        reads_pieces = scorer == "cross-attn"
        if reads_pieces != (pooling == "pass") and architecture != LABEL_ENCODER:
            raise CheckpointError(
                f"The scorer {scorer!r} of this GLiClass checkpoint reads "
                f"{'every piece' if reads_pieces else 'one vector'} of a text, but its "
                f"pooling_strategy is {pooling!r}; 'pass' belongs to 'cross-attn' alone."
            )
        return cls(
            architecture=architecture,
            encoder=encoder,
            label_encoder=labels,
            label_backbone=_text(raw, "label_model_name"),
            hidden=_whole(raw, "hidden_size", _hidden(encoder), least=1),
            activation=str(raw.get("projector_hidden_act", "gelu")),
            scorer=scorer,
            scorer_heads=_whole(raw, "scorer_num_heads", 16, least=1),
            scorer_width=_whole(raw, "scorer_mlp_hidden_size", 1024, least=2),
            scorer_dropout=_number(raw, "scorer_attn_dropout", 0.1),
            pooling=pooling,
            class_pooling="average" if raw.get("class_token_pooling") == "average" else "first",
            embed_class_token=_flag(raw, "embed_class_token", True),
            text_features=_flag(raw, "extract_text_features", False),
            normalize=_flag(raw, "normalize_features", False),
            logit_scale=_number(raw, "logit_scale_init_value", 2.6592),
            prompt_first=_flag(raw, "prompt_first", False),
            squeeze_layers=_flag(raw, "squeeze_layers", False),
            encoder_layer=_whole(raw, "encoder_layer_id", -1),
            segment_embeddings=_flag(raw, "use_segment_embeddings", False),
            lstm=_flag(raw, "use_lstm", False),
            dropout=_number(raw, "dropout", 0.1),
            label_token=_whole(raw, "class_token_index", -1),
            text_token=_whole(raw, "text_token_index", -1),
            example_token=_whole(raw, "example_token_index", -1),
            layer_wise=_flag(raw, "layer_wise", False),
            calibrator=CalibratorConfig.read(raw),
            raw=raw,
        )


def _encoder(raw: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = raw.get(key)
    if not isinstance(found, Mapping):
        if key == "encoder_config" and found is None:
            return {"model_type": _DEFAULT_ENCODER}
        raise CheckpointError(
            f"{key} of this GLiClass checkpoint must be an object, but {found!r:.60} was found."
        )
    return {"model_type": _DEFAULT_ENCODER, **found}


def _hidden(encoder: Mapping[str, Any]) -> int:
    """Return the size of an encoder's vectors, as transformers reads its configuration."""
    default = _HIDDEN.get(str(encoder.get("model_type")), 768)
    key = "d_model" if "d_model" in encoder and "hidden_size" not in encoder else "hidden_size"
    return _whole(encoder, key, default, least=1)


def _one_of(raw: Mapping[str, Any], key: str, default: str, known: tuple[str, ...]) -> str:
    found = raw.get(key, default)
    for name in known:
        if found == name:
            return name
    raise CheckpointError(
        f"{key} {found!r} of this GLiClass checkpoint is not known; {', '.join(known)} are."
    )


def _whole(raw: Mapping[str, Any], key: str, default: int, *, least: int | None = None) -> int:
    found = raw.get(key, default)
    if type(found) is int and (least is None or found >= least):
        return found
    raise CheckpointError(
        f"{key} of this GLiClass checkpoint must be a whole number, but {found!r:.60} was found."
    )


def _number(raw: Mapping[str, Any], key: str, default: float) -> float:
    found = raw.get(key, default)
    if isinstance(found, int | float) and not isinstance(found, bool):
        return float(found)
    raise CheckpointError(
        f"{key} of this GLiClass checkpoint must be a number, but {found!r:.60} was found."
    )


def _flag(raw: Mapping[str, Any], key: str, default: bool) -> bool:
    found = raw.get(key, default)
    if isinstance(found, bool):
        return found
    raise CheckpointError(
        f"{key} of this GLiClass checkpoint must be true or false, but {found!r:.60} was found."
    )


def _text(raw: Mapping[str, Any], key: str) -> str | None:
    found = raw.get(key)
    if found is None or isinstance(found, str):
        return found
    raise CheckpointError(
        f"{key} of this GLiClass checkpoint must be a string, but {found!r:.60} was found."
    )
