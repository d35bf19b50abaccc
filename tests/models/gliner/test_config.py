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
        ({"span_mode": "wavelet"}, "span_mode 'wavelet' of this GLiNER checkpoint is not known"),
        ({"subtoken_pooling": "median"}, "subtoken_pooling 'median' of this"),
        ({"relations_layer": "biaffine"}, "relations_layer 'biaffine' of this"),
        ({"relations_layer": "dot", "triples_layer": "ConvE"}, "triples_layer 'ConvE'"),
        ({"labels_encoder": "bge", "post_fusion_schema": "l2x"}, "post_fusion_schema 'l2x'"),
        ({"labels_decoder": "gpt2", "decoder_mode": "free"}, "decoder_mode 'free'"),
        ({"encoder_config": "bert"}, "encoder_config of this GLiNER checkpoint must be an object"),
        ({"max_len": None}, "max_len of this GLiNER checkpoint must be a whole number from 1 up"),
        ({"max_len": "384"}, "max_len of this"),
        ({"max_width": 10**12}, "max_width of this GLiNER checkpoint must be a whole number from"),
        ({"max_width": -1}, "max_width of this"),
        ({"hidden_size": 0}, "hidden_size of this"),
        ({"dropout": float("inf")}, "dropout of this"),
        ({"num_rnn_layers": -1}, "num_rnn_layers of this"),
        ({"class_token_index": "x"}, "class_token_index of this"),
        ({"vocab_size": [1]}, "vocab_size of this"),
        ({"ent_token": None}, "ent_token of this GLiNER checkpoint must be a string"),
        ({"has_rnn": "false"}, "has_rnn of this GLiNER checkpoint must be true or false"),
        ({"embed_ent_token": "false"}, "embed_ent_token of this"),
        ({"fuse_layers": "false"}, "fuse_layers of this"),
        ({"represent_spans": "false"}, "represent_spans of this"),
        ({"relations_layer": "dot", "embed_rel_token": "false"}, "embed_rel_token of this"),
        ({"relations_layer": "dot", "rel_token_index": 1.5}, "rel_token_index of this"),
        ({"labels_decoder": "gpt2", "full_decoder_context": "no"}, "full_decoder_context of this"),
        ({"labels_decoder": 5}, "labels_decoder of this"),
        ({"labels_decoder": "gpt2", "blank_entity_prob": None}, "blank_entity_prob of this"),
        ({"labels_encoder": "bge", "post_fusion_schema": 5}, "post_fusion_schema of this"),
        ({"labels_encoder": "bge", "num_post_fusion_layers": "x"}, "num_post_fusion_layers of"),
        ({"model_type": "gliner_streaming_span"}, "streaming GLiNER checkpoint"),
        ({"precomputed_prompts_mode": True}, "labels compressed into it"),
        ({"span_encoder_config": {"model_type": "rnn"}}, "context encoder in front of its span"),
    ],
)
def test_what_cannot_be_read_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError) as refused:
        GlinerConfig.from_dict(config)
    assert said in str(refused.value)


def test_null_means_what_it_means_in_gliner() -> None:
    keys = ("model_name", "embed_ent_token", "fuse_layers", "decoder_mode", "has_rnn")
    keys += ("vocab_size", "num_post_fusion_layers")
    read = GlinerConfig.from_dict({"labels_decoder": "gpt2"} | dict.fromkeys(keys))
    assert read.backbone == GlinerConfig.from_dict({}).backbone
    assert (read.embed_token, read.fuse_layers, read.rnn_layers) == (False, False, 0)
    assert (read.vocabulary, read.fusion_layers) == (-1, 1)
    assert read.decoder is not None
    assert read.decoder.mode == "span"


def test_special_tokens_by_kind() -> None:
    assert GlinerConfig.from_dict({}).special_tokens == ("[FLERT]", "<<ENT>>", "<<SEP>>")
    relex = GlinerConfig.from_dict({"relations_layer": "dot", "ent_token": "[E]"})
    assert relex.special_tokens == ("[E]", "<<SEP>>", "<<REL>>")
