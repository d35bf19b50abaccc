"""What a GLiNER configuration says, in old and new spellings."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest

from onepass.errors import CheckpointError
from onepass.models.gliner.config import GlinerConfig
from onepass.models.gliner.context import CONTEXTS
from onepass.models.gliner.graphs import graphs

PAGE = Path(__file__).resolve().parents[3] / "docs" / "gliner.md"


def rnn(**values: Any) -> dict[str, Any]:
    return {"span_encoder_config": {"model_type": "rnn", **values}}


def fixed(labels: dict[str, Any]) -> dict[str, Any]:
    return {"precomputed_prompts_mode": True, "id_to_classes": labels}


@pytest.mark.parametrize(
    ("config", "architecture", "runs"),
    [
        ({}, "UniEncoderSpan", ["encode", "queries", "spans"]),
        (rnn(), "UniEncoderSpan", ["encode", "context", "queries", "spans"]),
        ({"span_mode": "token_level"}, "UniEncoderToken", ["encode", "tokens"]),
        (fixed({"1": "a"}), "UniEncoderSpan", ["encode", "fixed_labels", "queries", "spans"]),
        ({"span_mode": "token_level", **rnn()}, "UniEncoderToken", ["encode", "tokens"]),
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
        ({"num_rnn_layers": -1}, 0),
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
        ({"num_rnn_layers": 1.5}, "num_rnn_layers of this"),
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
        (
            {"precomputed_prompts_mode": True},
            "id_to_classes of this GLiNER checkpoint must be labels",
        ),
        (fixed({"1": "a", "3": "b"}), "by their numbers, from 1 on, but {'1': 'a', '3': 'b'} was"),
        (fixed({"1": "a", "2": "a"}), "id_to_classes of this GLiNER checkpoint must be"),
        (fixed({"1": 5}), "id_to_classes of this GLiNER checkpoint must be"),
        (fixed({"1": "a"}) | {"labels_encoder": "x"}, "This BiEncoderSpan checkpoint has its lab"),
        (fixed({"1": "a"}) | {"labels_decoder": "x"}, "This UniEncoderSpanDecoder checkpoint has"),
        ({"precomputed_prompts_mode": "yes"}, "precomputed_prompts_mode of this GLiNER checkpoint"),
        ({"span_encoder_config": {}}, "model_type None of the span_encoder_config of this GLiNER"),
        ({"span_encoder_config": {"model_type": "bert"}}, "'bert' of the span_encoder_config of"),
        (
            {"span_encoder_config": "rnn"},
            "span_encoder_config of this GLiNER checkpoint must be an",
        ),
        ({"neg_spans_ratio": "x"}, "neg_spans_ratio of this GLiNER checkpoint must be a number"),
        (
            {"span_loss_coef": -1},
            "span_loss_coef of this GLiNER checkpoint must be a number from 0",
        ),
        (rnn(hidden_size=0), "hidden_size of the span_encoder_config of this GLiNER checkpoint"),
        (rnn(hidden_size=5), "must be an even number, since it reads both ways, but 5"),
        (rnn(num_hidden_layers=0), "num_hidden_layers of the span_encoder_config"),
        (rnn(rnn_type="gru"), "rnn_type 'gru' of the span_encoder_config of this GLiNER"),
        (rnn(bidirectional="no"), "bidirectional of the span_encoder_config"),
        (rnn(dropout=2), "dropout of the span_encoder_config"),
    ],
)
def test_what_cannot_be_read_is_refused(config: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError) as refused:
        GlinerConfig.from_dict(config)
    assert said in str(refused.value)


def test_what_a_context_encoder_leaves_out_is_what_gliner_takes() -> None:
    pytest.importorskip("gliner")
    from gliner.config import normalize_context_encoder_config

    for kind in CONTEXTS:
        for more in ({}, {"hidden_size": 640, "num_hidden_layers": 3}):
            own = {"model_type": kind, "num_hidden_layers": 2, **more}
            size = {"hidden_size": 96, "dropout": 0.3}
            read = GlinerConfig.from_dict({"span_encoder_config": own, **size}).context
            theirs = normalize_context_encoder_config(own, **size).to_dict()
            assert read is not None
            assert read == {key: theirs[key] for key in read}


def test_encoders_that_do_not_say_their_kind() -> None:
    written = {"encoder_config": {}, "labels_encoder_config": {}, "labels_encoder": "bge"}
    read = GlinerConfig.from_dict(written)
    assert read.encoder == read.label_encoder == {"model_type": "deberta-v2"}
    decoder = GlinerConfig.from_dict({"labels_decoder": "x", "labels_decoder_config": {}}).decoder
    assert decoder is not None
    assert decoder.encoder == {"model_type": "gpt2"}


def test_the_page_has_every_key_of_gliner() -> None:
    config = pytest.importorskip("gliner.config")
    page = PAGE.read_text(encoding="utf-8")
    _, _, said = page.partition("\n## What `gliner_config.json` says\n")
    said, _, _ = said.partition("\n## ")
    keys = {
        name
        for kind in vars(config).values()
        if isinstance(kind, type) and issubclass(kind, config.BaseGLiNERConfig)
        for name in inspect.signature(kind.__init__).parameters
    }
    assert len(keys) > 40
    assert {key for key in keys - {"self", "kwargs"} if f"`{key}`" not in said} == set()


def test_null_means_what_it_means_in_gliner() -> None:
    keys = ("model_name", "embed_ent_token", "fuse_layers", "decoder_mode", "has_rnn")
    keys += ("vocab_size", "num_post_fusion_layers", "neg_spans_ratio", "span_loss_coef")
    keys += ("class_token_index",)  # which it does not read beside a label encoder
    read = GlinerConfig.from_dict({"labels_decoder": "gpt2"} | dict.fromkeys(keys))
    assert read.backbone == GlinerConfig.from_dict({}).backbone
    assert (read.embed_token, read.fuse_layers, read.rnn_layers) == (False, False, 0)
    assert (read.token_index, read.vocabulary, read.fusion_layers) == (-1, -1, 1)
    assert read.decoder is not None
    assert read.decoder.mode == "span"


def test_special_tokens_by_kind() -> None:
    assert GlinerConfig.from_dict({}).special_tokens == ("[FLERT]", "<<ENT>>", "<<SEP>>")
    relex = GlinerConfig.from_dict({"relations_layer": "dot", "ent_token": "[E]"})
    assert relex.special_tokens == ("[E]", "<<SEP>>", "<<REL>>")
