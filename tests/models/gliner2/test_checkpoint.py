"""Checkpoints in the published layout: read strictly, written so that they read back equal."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.tiny import make_tiny_checkpoint

from onepass.errors import CheckpointError, OnepassError
from onepass.hub.files import read_json
from onepass.models.gliner2.config import COUNTING_LAYERS, Gliner2Config
from onepass.models.gliner2.network.checkpoint import load_network, save_network

State = dict[str, torch.Tensor]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_tiny_checkpoint(tmp_path_factory.mktemp("made"))


@pytest.fixture
def directory(made: Path, tmp_path: Path) -> Path:
    """A checkpoint that a test may break."""
    return Path(shutil.copytree(made, tmp_path / "broken"))


def edit_weights(directory: Path, change: Callable[[State], object]) -> None:
    path = directory / "model.safetensors"
    state = load_file(path)
    change(state)
    save_file(state, path)


def edit_config(directory: Path, **values: Any) -> None:
    path = directory / "config.json"
    path.write_text(json.dumps(read_json(path) | values))


def message(directory: Path, kind: type[OnepassError] = CheckpointError) -> str:
    with pytest.raises(kind) as caught:
        load_network(directory)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("counting_layer", COUNTING_LAYERS)
@pytest.mark.parametrize("backbone", ["bert", "deberta-v2"])
def test_round_trip(tmp_path: Path, backbone: str, counting_layer: str) -> None:
    source = make_tiny_checkpoint(
        tmp_path / "one", backbone=backbone, counting_layer=counting_layer
    )
    network = load_network(source)
    encoder_config = read_json(source / "encoder_config" / "config.json")
    save_network(network, tmp_path / "two", encoder_config=encoder_config, tokenizer_from=source)
    files = {path.relative_to(source) for path in source.rglob("*") if path.is_file()}
    again = {p.relative_to(tmp_path / "two") for p in (tmp_path / "two").rglob("*") if p.is_file()}
    assert again == files
    for name in files:
        assert (tmp_path / "two" / name).read_bytes() == (source / name).read_bytes()
    loaded = load_network(tmp_path / "two")
    assert not loaded.training
    assert loaded.config == network.config
    for name, tensor in network.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], tensor)


def test_saving_where_the_tokenizer_already_is(directory: Path) -> None:
    encoder_config = read_json(directory / "encoder_config" / "config.json")
    network = load_network(directory)
    tokenizer = (directory / "tokenizer.json").read_bytes()
    weight = next(network.parameters())
    with torch.no_grad():
        weight += 1
    save_network(network, directory, encoder_config=encoder_config, tokenizer_from=directory)
    assert (directory / "tokenizer.json").read_bytes() == tokenizer
    assert torch.equal(next(load_network(directory).parameters()), weight)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_weights_of_other_precisions_become_fp32(directory: Path, dtype: torch.dtype) -> None:
    edit_weights(directory, lambda s: s.update({k: v.to(dtype) for k, v in s.items()}))
    network = load_network(directory)
    assert {parameter.dtype for parameter in network.parameters()} == {torch.float32}


def test_a_bert_without_pooler(directory: Path) -> None:
    def drop(state: State) -> None:
        for name in [name for name in state if name.startswith("encoder.pooler.")]:
            del state[name]

    edit_weights(directory, drop)
    assert not [name for name in load_network(directory).state_dict() if "pooler" in name]


def test_a_missing_weight_is_named(directory: Path) -> None:
    edit_weights(directory, lambda state: state.pop("count_pred.0.weight"))
    assert "missing: count_pred.0.weight" in message(directory)


def test_an_unexpected_weight_is_named(directory: Path) -> None:
    edit_weights(directory, lambda state: state.update({"extra.weight": torch.zeros(1)}))
    text = message(directory)
    assert "unexpected: extra.weight" in text
    assert "missing" not in text


def test_many_missing_weights_are_counted(directory: Path) -> None:
    def drop(state: State) -> None:
        for name in [name for name in state if name.startswith("encoder.encoder.layer.1.")]:
            del state[name]

    edit_weights(directory, drop)
    assert "encoder.encoder.layer.1." in message(directory)
    assert "and 8 more" in message(directory)


def test_a_weight_of_another_shape_is_named(directory: Path) -> None:
    edit_weights(directory, lambda s: s.update({"classifier.0.bias": torch.zeros(5)}))
    text = message(directory)
    assert "classifier" in text
    assert "(5,)" in text
    assert "(64,)" in text


def test_another_counting_layer_is_told_from_the_weights(directory: Path) -> None:
    edit_config(directory, counting_layer="count_lstm")
    text = message(directory)
    assert "missing: count_embed.projector" in text
    assert "unexpected: count_embed.transformer" in text


@pytest.mark.parametrize("size", [0, 7, 5_000])
def test_a_truncated_file(directory: Path, size: int) -> None:
    path = directory / "model.safetensors"
    path.write_bytes(path.read_bytes()[:size])
    assert "is not a readable safetensors file" in message(directory)


@pytest.mark.parametrize("name", ["config.json", "encoder_config/config.json", "model.safetensors"])
def test_a_missing_file(directory: Path, name: str) -> None:
    (directory / name).unlink()
    assert f"has no {Path(name).name}" in message(directory)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        (
            {"counting_layer": "count_gru"},
            "'count_gru' of this GLiNER2 checkpoint is not known; count_lstm,",
        ),
        ({"architecture": "boundary"}, "architecture 'boundary', which is not supported yet"),
        (
            {"token_pooling": "last"},
            "token_pooling 'last' of this GLiNER2 checkpoint is not known",
        ),
        ({"span_head": {"span_mode": "markerV1"}}, "span_mode 'markerV1' is not supported"),
        ({"span_head": "x"}, "span_head of this GLiNER2 checkpoint must be an object"),
        ({"span_head": {"max_width": "x"}}, "max_width of the span_head of this GLiNER2"),
        ({"span_head": {"max_width": float("inf")}}, "a whole number from 1 to 1,000, but inf"),
        ({"span_head": {"max_width": 10**12}}, "max_width of the span_head"),
        ({"span_head": {"max_width": -1}}, "max_width of the span_head"),
        ({"span_head": {"dropout": None}}, "dropout of the span_head"),
        ({"span_head": None, "max_width": None}, "max_width of this GLiNER2 checkpoint must be"),
        ({"word_shapes": "false"}, "word_shapes of this GLiNER2 checkpoint must be true or false"),
        ({"model_name": 5}, "model_name of this"),
    ],
)
def test_a_configuration_that_is_not_supported(
    directory: Path, values: dict[str, Any], said: str
) -> None:
    edit_config(directory, **values)
    assert said in message(directory)


def test_configurations_read_back(made: Path) -> None:
    config = Gliner2Config.from_dict(read_json(made / "config.json"))
    assert Gliner2Config.from_dict(config.to_dict()) == config
    assert (config.max_width, config.counting_layer) == (4, "count_lstm_v2")


def test_an_old_configuration_has_its_width_at_the_top() -> None:
    published = {"model_name": "x", "max_width": 12, "counting_layer": "count_lstm_v2"}
    config = Gliner2Config.from_dict(published | {"model_type": "extractor"})
    assert (config.max_width, config.pooling) == (12, "first")
    assert Gliner2Config.from_dict({}).counting_layer == "count_lstm"  # the published default
    nulls = {"token_pooling": None, "span_head": {"span_mode": None}}
    assert Gliner2Config.from_dict(nulls).pooling == "first"
