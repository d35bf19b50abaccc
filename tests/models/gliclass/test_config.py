"""``config.json`` of GLiClass checkpoints."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from tests.models.gliclass.made import raw
from transformers import CONFIG_MAPPING

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import ARCHITECTURES, POOLINGS, SCORERS, GliclassConfig
from onepass.models.gliclass.decoder_config import DecoderConfig, Reasoning

BI = {"architecture_type": "bi-encoder"}
DECODER = {"architecture_type": "decoder-kv"}


def test_defaults_are_those_of_the_reference() -> None:
    reference = pytest.importorskip("gliclass").GLiClassModelConfig(encoder_model="x")
    theirs = GliclassConfig.from_dict(reference.to_dict())
    ours = GliclassConfig.from_dict({})
    for field in dataclasses.fields(GliclassConfig):
        if field.name in ("raw", "encoder", "label_token", "text_token", "example_token"):
            continue
        assert getattr(ours, field.name) == getattr(theirs, field.name), field.name
    assert ours.encoder["model_type"] == theirs.encoder["model_type"] == "deberta-v2"
    assert theirs.label_token >= 0 > ours.label_token


def test_null_means_what_it_means_in_gliclass() -> None:
    flags = (
        "prompt_first", "use_lstm", "layer_wise", "squeeze_layers", "normalize_features",
        "extract_text_features", "use_segment_embeddings", "use_calibrator", "embed_class_token",
    )  # fmt: skip
    own = ("hidden_size", "text_token_index", "example_token_index")
    ours = GliclassConfig.from_dict(raw(**dict.fromkeys((*flags, *own))))
    assert ours.hidden == ours.encoder_hidden
    assert ours.calibrator is None
    assert (ours.text_token, ours.example_token) == (-1, -1)
    assert not any((ours.prompt_first, ours.lstm, ours.normalize, ours.embed_class_token))


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_kinds_of_checkpoints(architecture: str) -> None:
    config = GliclassConfig.from_dict(raw(architecture_type=architecture))
    assert config.architecture == architecture
    assert config.label_vectors == architecture.startswith("bi-encoder")
    assert config.two_sequences == architecture.startswith("encoder-decoder")
    assert (config.label_encoder is not None) == config.label_vectors


@pytest.mark.parametrize("kind", ["bert", "t5", "gpt2", "xlm", "flaubert", "distilbert"])
def test_the_size_of_an_encoder_is_read_by_any_of_its_names(kind: str) -> None:
    own = CONFIG_MAPPING[kind](hidden_size=24).to_dict()
    content = raw(**BI, hidden_size=None) | {"encoder_config": own}
    config = GliclassConfig.from_dict(content)
    assert (config.encoder_hidden, config.hidden) == (24, 24)


def test_scorers_and_pools() -> None:
    for scorer in SCORERS:
        for pooling in POOLINGS:
            content = raw(scorer_type=scorer, pooling_strategy=pooling)
            if (scorer == "cross-attn") == (pooling == "pass"):
                config = GliclassConfig.from_dict(content)
                assert (config.scorer, config.pooling) == (scorer, pooling)
            else:
                with pytest.raises(CheckpointError, match="'pass' belongs to 'cross-attn' alone"):
                    GliclassConfig.from_dict(content)
            content["architecture_type"] = "encoder-decoder-cls"  # has no pool
            assert GliclassConfig.from_dict(content).pooling == pooling


def test_what_belongs_to_a_decoder_is_read_as_the_reference_reads_it() -> None:
    defaults = pytest.importorskip("gliclass").GLiClassModelConfig(encoder_model="x").to_dict()
    config = GliclassConfig.from_dict(raw(**{**defaults, **DECODER, "encoder_config": {}}))
    assert config.decoder == DecoderConfig(2, -1, reasoning=None, multimodal=False)
    own = {"recurrent_steps": 3, "recurrent_halt_threshold": None, "sep_token_index": 9}
    decoder = GliclassConfig.from_dict({**defaults, **raw(**DECODER, **own)}).decoder
    assert decoder == DecoderConfig(
        layers=2, separator=9, multimodal=False,
        reasoning=Reasoning(3, 0.0, True, False, 1, 3, None, 0.1, 0.05, 0.0, "relative", 0.0),
    )  # fmt: skip
    for change, steps in (
        ({"recurrent_inference": False}, 1),
        ({"recurrent_inference_max_steps": 7}, 7),
    ):
        decoder = GliclassConfig.from_dict(raw(**DECODER, **own, **change)).decoder
        assert decoder is not None
        assert decoder.reasoning is not None
        assert decoder.reasoning.steps == steps
    for problem in ("multi_label_classification", None):
        decoder = GliclassConfig.from_dict(raw(**DECODER, **own, problem_type=problem)).decoder
        assert decoder is not None
        assert decoder.reasoning is not None
        assert not decoder.reasoning.shared
    assert GliclassConfig.from_dict(raw(**own)).decoder is None


def test_of_a_decoder_of_more_than_text_the_part_that_reads_text_counts() -> None:
    whole = {"model_type": "qwen3_5", "text_config": {"hidden_size": 24}, "vision_config": {}}
    content = raw(**DECODER, multimodal=True, hidden_size=None) | {"encoder_config": whole}
    config = GliclassConfig.from_dict(content)
    assert config.encoder == {"model_type": "qwen3_5_text", "hidden_size": 24}
    assert config.hidden == 24
    assert config.decoder is not None
    assert config.decoder.multimodal


def test_unknown_keys_are_kept() -> None:
    content = raw(shuffle_labels=True, kl_beta=0.1, class_token_pooling="something")
    config = GliclassConfig.from_dict(content)
    assert config.raw == content
    assert config.class_pooling == "first"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({**DECODER, "multimodal": 1}, "multimodal .* must be true or false, but 1"),
        ({**DECODER, "encoder_config": None}, "encoder_config .* must be an object"),
        ({**DECODER, "recurrent_steps": 65}, "recurrent_steps .* a whole number from 0 to 64"),
        (
            {**DECODER, "recurrent_steps": 2, "recurrent_confidence_mode": "sure"},
            "recurrent_confidence_mode 'sure' .* is not known; relative, absolute are",
        ),
        ({"architecture_type": "tri-encoder"}, "architecture_type 'tri-encoder' .* is not known"),
        ({"architecture_type": ["uni-encoder"]}, "architecture_type \\['uni-encoder'\\]"),
        ({"use_calibrator": 1}, "use_calibrator .* must be true or false, but 1"),
        (
            {"use_calibrator": True, "calibrator_beta_max": 1e300},
            "calibrator_beta_max .* must be a number from 0 to 1,000, but 1e.300",
        ),
        ({"scorer_type": "dot"}, "scorer_type 'dot' .* is not known"),
        ({"pooling_strategy": "median"}, "pooling_strategy 'median'"),
        ({"encoder_config": "bert"}, "encoder_config .* must be an object, but 'bert'"),
        ({**BI, "label_model_config": None}, "label_model_config .* must be an object"),
        ({"label_model_name": 3}, "label_model_name .* must be a string, but 3"),
        ({"hidden_size": 0}, "hidden_size .* must be a whole number from 1 to 65,536, but 0"),
        (
            {"encoder_config": {"d_model": "x"}},
            "d_model .* must be a whole number .*, but 'x'",
        ),
        ({"hidden_size": True}, "hidden_size .* must be a whole number from .*, but True"),
        ({"scorer_num_heads": 4.0}, "scorer_num_heads .* must be a whole number from .*, but 4.0"),
        ({"dropout": "no"}, "dropout .* must be a number from 0 to 1, but 'no'"),
        ({"prompt_first": 1}, "prompt_first .* must be true or false, but 1"),
        ({"use_lstm": "false"}, "use_lstm .* must be true or false, but 'false'"),
    ],
)
def test_wrong_values_are_refused(change: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        GliclassConfig.from_dict({**raw(**change), **change})
