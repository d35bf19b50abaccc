"""What a GLiClass checkpoint says of itself: its parts, tokens and limits, for people to read."""

from __future__ import annotations

import json
from collections.abc import Mapping

from onepass.encoding.sequences import encoder_limit
from onepass.hub import Checkpoint
from onepass.hub.base import TOKENIZER
from onepass.models.facts import Facts, absent
from onepass.models.gliclass.complete import LABEL_TOKENIZER, lacks_labels
from onepass.models.gliclass.config import BI, EXAMPLE, LABEL, SEP, GliclassConfig
from onepass.models.gliclass.decoder_config import MEDIA
from onepass.models.gliclass.graphs import graphs

_PARTS: Mapping[str, str] = {
    "model.encoder_model.": "encoder",
    "model.encoder_decoder_model.": "encoder and decoder",
    **{f"model.decoder_model.{part}": "media encoders" for part in MEDIA},
    "model.decoder_model.": "decoder",
    "model.label_encoder.": "label encoder",
    "model.text_projector.": "projections",
    "model.classes_projector.": "projections",
    "model.biencoder_projector.": "projections",
    "model.layer_wise_attention.": "layer mixer",
    "model.segment_embeddings.": "segment embeddings",
    "model.scorer.": "scorer",
    "model.lstm.": "LSTM",
    "calibrator.": "calibrator",
    "model.logit_scale": "logit scale",
}
_LABELS = (f"{LABEL_TOKENIZER}/{TOKENIZER}",)


def gliclass_facts(checkpoint: Checkpoint) -> Facts:
    """Return what the configuration of a GLiClass checkpoint says.

    Raises:
        CheckpointError: for an architecture that is not supported, or an unknown value.
    """
    config = GliclassConfig.from_dict(checkpoint.config)
    kind = str(config.encoder.get("model_type"))
    base = str(checkpoint.config.get("encoder_model_name") or kind)
    encoder = _reader(config)
    encoders = {encoder: (base, config.encoder)}
    expected = [encoder] if config.decoder else [encoder, "projections"]
    if config.label_encoder is not None:
        encoders["label encoder"] = (config.label_backbone or "", config.label_encoder)
        expected.append("label encoder")
    if config.scorer != "simple":
        expected.append("scorer")
    labels = lacks_labels(checkpoint)
    lacks = () if labels is None else (labels.clause,)
    sep = config.decoder.separator if config.decoder else config.text_token
    markers = {LABEL: config.label_token, SEP: sep, EXAMPLE: config.example_token}
    return Facts(
        architecture=f"{config.architecture}, {_how(config)}",
        parts=_PARTS,
        expected=tuple(expected),
        encoders=encoders,
        tokenizers=(TOKENIZER, *_LABELS) if config.label_vectors else (TOKENIZER,),
        tokens=_tokens(checkpoint, config),
        token_ids={token: index for token, index in markers.items() if index >= 0},
        pieces=encoder_limit(config.encoder),
        graphs=tuple(graph.name for graph in graphs(config)),
        lacks=lacks,
        problems=absent(checkpoint.directory, TOKENIZER),
    )  # fmt: skip


def _reader(config: GliclassConfig) -> str:
    """Return what the part that reads texts is called."""
    if config.decoder is not None:
        return "decoder"
    return "encoder and decoder" if config.two_sequences else "encoder"


def _how(config: GliclassConfig) -> str:
    """Return in a few words how texts and labels are read and compared."""
    if config.decoder is not None:
        reasoning = config.decoder.reasoning
        steps = 1 if reasoning is None else reasoning.steps
        times = "once" if steps == 1 else f"up to {steps} times"
        alone = ", images and sound left out" if config.decoder.multimodal else ""
        return f"text first, labels read {times}{alone}"
    order = "labels first" if config.prompt_first else "text first"
    return f"{order}, {config.pooling} pool, {config.scorer} scorer"


def _tokens(checkpoint: Checkpoint, config: GliclassConfig) -> tuple[str, ...]:
    """Return the markers that prompts need, and that of examples where the tokenizer has it.

    The first three generations of checkpoints do not, and bi-encoders read no marker at all.
    """
    if config.architecture == BI:
        return ()
    path = checkpoint.directory / TOKENIZER
    shown = path.is_file() and json.dumps(EXAMPLE).encode() in path.read_bytes()
    return (LABEL, SEP, EXAMPLE) if shown else (LABEL, SEP)
