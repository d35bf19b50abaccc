"""The streaming architecture: what its ``gliner_config.json`` says in other words than the rest.

A decoder reads the prompt and the words behind it from left to right. So a label stands in front of
its marker, and the labels' vectors depend on the prompt alone: a small encoder makes them of what
the decoder says of it. No piece begins or ends a sequence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from onepass.encoding.options import Options
from onepass.models.gliner.context import context_config

STREAMING = "gliner_streaming_span"  # as model_type
LABEL = "<<LABEL>>"
DECODER_KEY = "decoder_config"  # of the decoder's own configuration
_LABELS = "labels_encoder_config"
_DEFAULT_BACKBONE = "microsoft/deberta-v3-small"  # which is no decoder: nothing was said
_LAYERS = 2  # of the encoder of labels, where nothing is said of them


@dataclass(frozen=True, slots=True)
class StreamingConfig:
    """What a streaming checkpoint has beside the parts of others.

    Attributes:
        labels: whole configuration of what makes label vectors of the prompt that the decoder read.
    """

    labels: Mapping[str, Any]


def is_streaming(config: Mapping[str, Any]) -> bool:
    """Return whether a ``gliner_config.json`` is of the streaming architecture.

    >>> is_streaming({"model_type": "gliner_streaming_span"})
    True
    """
    return config.get("model_type") == STREAMING


def as_others(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a configuration in the words of other architectures, with this one's defaults.

    Parts of theirs that this one never has are left out. Other configurations are returned as they
    are.

    Args:
        config: the content of a ``gliner_config.json``.

    >>> as_others({"model_type": "gliner_streaming_span", "model_name": "gpt2"})["span_mode"]
    'markerV2'
    """
    if not is_streaming(config):
        return config
    said = {"num_rnn_layers": 0, "span_mode": "markerV2"} | dict(config)
    if said.get(DECODER_KEY) is None:  # the first ones called it as those do that write labels
        said[DECODER_KEY] = said.get("labels_decoder_config")
    named = said.get("labels_decoder")
    if named is not None and said.get("model_name") in (None, _DEFAULT_BACKBONE):
        said["model_name"] = named
    never = {"labels_encoder", "labels_decoder", "relations_layer", "post_fusion_schema"}
    return {key: value for key, value in said.items() if key not in never} | {
        "embed_ent_token": True,
        "fuse_layers": False,
        "represent_spans": False,
    }


def streaming_config(
    config: Mapping[str, Any], *, hidden: int, dropout: float
) -> StreamingConfig | None:
    """Return what a streaming checkpoint has of its own; None for every other.

    Args:
        config: the content of a ``gliner_config.json``.
        hidden: size of the checkpoint's vectors.
        dropout: of the checkpoint.

    Raises:
        CheckpointError: for an unknown kind of encoder of labels, or a wrong value.
    """
    if not is_streaming(config):
        return None
    said = dict(config)
    if said.get(_LABELS) is None:
        said[_LABELS] = {"model_type": "deberta-v2"}
    options = Options(said, "this GLiNER checkpoint")
    labels = context_config(options, _LABELS, hidden=hidden, dropout=dropout, layers=_LAYERS)
    assert labels is not None
    return StreamingConfig(labels)
