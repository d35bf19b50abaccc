"""What a GLiNER configuration says, in old and new spellings."""

from __future__ import annotations

from typing import Any

import pytest

from onepass.errors import CheckpointError
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.graphs import graphs


@pytest.mark.parametrize(
    ("config", "architecture", "runs"),
    [
        ({}, "UniEncoderSpan", ["encode", "queries", "spans"]),
        ({"span_mode": "token_level"}, "UniEncoderToken", ["encode", "tokens"]),
        ({"span_mode": "token-level"}, "UniEncoderToken", ["encode", "tokens"]),
        (
            {"labels_encoder": "bge", "post_fusion_schema": "l2l-l2t"},
            "BiEncoderSpan",
            ["encode", "encode_labels", "fuse", "queries", "spans"],
        ),
        (
            {"labels_encoder": "bge", "span_mode": "token_level"},
            "BiEncoderToken",
            ["encode", "encode_labels", "tokens"],
        ),
        (
            {"relations_layer": "mlp"},
            "UniEncoderSpanRelex",
            ["encode", "queries", "spans", "span_states", "adjacency", "pairs"],
        ),
        (
            {"relations_layer": "none", "span_mode": "token_level"},
            "UniEncoderTokenRelex",
            ["encode", "queries", "tokens", "span_states", "pairs"],
        ),
        (
            {"labels_decoder": "gpt2"},
            "UniEncoderSpanDecoder",
            ["encode", "queries", "spans", "span_states", "generate"],
        ),
    ],
)
def test_architectures(config: dict[str, Any], architecture: str, runs: list[str]) -> None:
    read = GlinerConfig.from_dict(config)
    assert read.architecture == architecture
    assert [graph.name for graph in graphs(read)] == runs


@pytest.mark.parametrize(
    ("config", "layers"),
    [
        ({}, 1),
        ({"has_rnn": False}, 0),
        ({"has_rnn": True}, 1),
        ({"num_rnn_layers": 2, "has_rnn": False}, 2),
        ({"labels_encoder": "bge", "num_rnn_layers": 1}, 0),  # built there, but never run
    ],
)
def test_layers_of_the_lstm(config: dict[str, Any], layers: int) -> None:
    assert GlinerConfig.from_dict(config).rnn_layers == layers


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"span_mode": "wavelet"}, "span_mode 'wavelet' is not known"),
        ({"subtoken_pooling": "median"}, "subtoken_pooling 'median' is not known"),
        ({"relations_layer": "biaffine"}, "relations_layer 'biaffine' is not known"),
        ({"relations_layer": "dot", "triples_layer": "ConvE"}, "triples_layer 'ConvE'"),
        ({"labels_encoder": "bge", "post_fusion_schema": "l2x"}, "post_fusion_schema 'l2x'"),
        ({"labels_decoder": "gpt2", "decoder_mode": "free"}, "decoder_mode 'free'"),
        ({"encoder_config": "bert"}, "encoder_config must be an object"),
        ({"model_type": "gliner_streaming_span"}, "streaming GLiNER checkpoint"),
        ({"precomputed_prompts_mode": True}, "labels compressed into it"),
        ({"span_encoder_config": {"model_type": "rnn"}}, "context encoder in front of its span"),
    ],
)
def test_what_cannot_be_read_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError) as refused:
        GlinerConfig.from_dict(config)
    assert said in str(refused.value)


def test_special_tokens_by_kind() -> None:
    assert GlinerConfig.from_dict({}).special_tokens == ("[FLERT]", "<<ENT>>", "<<SEP>>")
    relex = GlinerConfig.from_dict({"relations_layer": "dot", "ent_token": "[E]"})
    assert relex.special_tokens == ("[E]", "<<SEP>>", "<<REL>>")
