"""Checkpoints in the published layout: read strictly, written so that both libraries read them."""

from __future__ import annotations

import json
import shutil
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from gliner import GLiNER
from safetensors import safe_open
from safetensors.torch import load_file, save_file, save_model
from tests.gliner_checkpoints import KINDS, LABELS, TEXTS, reference_answer
from tests.models.gliner.conftest import Case

from onepass.errors import CheckpointError
from onepass.hub.files import read_json
from onepass.models.gliner.network.checkpoint import load_network, save_network
from onepass.nn.weights import read_weights

State = dict[str, torch.Tensor]
ROUND_TRIPS = (
    "span", "span-bert", "span-projected", "span-no-lstm", "span-two-lstm", "span-fused-layers",
    "span-markerV1", "span-cat", "span-conv_conv", "token", "token-spans", "bi-span-bert",
    "bi-token", "poly-span-twice", "relex-span-gat", "relex-token-mlp-DistMult", "decoder-span",
    "decoder-token", "span-context-deberta-v2", "span-context-deberta-v2-bare",
    "span-context-modernbert", "span-context-rnn", "span-context-rnn-forward", "bi-span-context",
    "relex-token-context", "streaming", "streaming-words", "streaming-llama", "streaming-qwen3",
    "streaming-gemma3", "streaming-lstm", "streaming-context",
)  # fmt: skip
EMBEDDINGS = "token_rep_layer.bert_layer.model.embeddings.word_embeddings.weight"
LSTM = "rnn.lstm.weight_ih_l0"


def edit_weights(directory: Path, change: Callable[[State], object]) -> None:
    path = directory / "model.safetensors"
    state = read_weights(directory)
    change(state)
    save_file({name: tensor.clone() for name, tensor in state.items()}, path)


def edit_config(directory: Path, change: Callable[[dict[str, Any]], object]) -> None:
    path = directory / "gliner_config.json"
    content = read_json(path)
    change(content)
    path.write_text(json.dumps(content))


def drop(state: State, prefix: str) -> None:
    for name in [name for name in state if name.startswith(prefix)]:
        del state[name]


@pytest.fixture
def copy_of(case_of: Callable[[str], Case], tmp_path: Path) -> Callable[[str], Path]:
    """Returns a checkpoint that a test may break."""
    return lambda name: Path(shutil.copytree(case_of(name).directory, tmp_path / name))


def message(directory: Path) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_network(directory)
    text = str(caught.value)
    assert "\n" not in text
    return text


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_round_trip(name: str, case_of: Callable[[str], Case], tmp_path: Path) -> None:
    case = case_of(name)
    save_network(case.network, tmp_path / "saved", tokenizer_from=case.directory)
    again = load_network(tmp_path / "saved")
    assert not again.training
    for key, tensor in case.network.state_dict().items():
        assert torch.equal(again.state_dict()[key], tensor)
    before, after = (
        read_json(directory / "gliner_config.json")
        for directory in (case.directory, tmp_path / "saved")
    )
    assert after == before  # the reference library says everything
    kept = {path.relative_to(case.directory) for path in case.directory.rglob("*.json")}
    saved = {path.relative_to(tmp_path / "saved") for path in (tmp_path / "saved").rglob("*.json")}
    assert saved == kept
    ours, theirs = (read_weights(one) for one in (tmp_path / "saved", case.directory))
    dead = ("rnn.",) if "labels_encoder" in KINDS.get(name, {}) else ()
    dead = (*dead, "span_rep_layer.span_rep_layer.project_first.")
    if name == "decoder-token":
        dead = (*dead, "prompt_rep_layer.")
    assert ours.keys() == {key for key in theirs if not key.startswith(dead)}
    for key, tensor in ours.items():
        assert torch.equal(tensor, theirs[key])


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_the_reference_reads_what_we_save(
    name: str, case_of: Callable[[str], Case], tmp_path: Path
) -> None:
    case = case_of(name)
    save_network(case.network, tmp_path / "saved", tokenizer_from=case.directory)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        model = GLiNER.from_pretrained(str(tmp_path / "saved"), local_files_only=True)
    expected = reference_answer(case.model, TEXTS, LABELS)
    found = reference_answer(model, TEXTS, LABELS)
    assert torch.equal(found["logits"], expected["logits"])
    for key in ("span_logits", "rel_logits"):
        if expected.get(key) is not None:
            assert torch.equal(found[key], expected[key])


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("span", "prompt_rep_layer.3.bias"),
        ("span", "span_rep_layer.span_rep_layer.project_end.0.weight"),
        ("span", LSTM),
        ("token", "scorer.proj_label.weight"),
        ("bi-span", "token_rep_layer.labels_encoder.model.embeddings.LayerNorm.weight"),
        ("bi-span", "token_rep_layer.labels_projection.weight"),
        ("span-fused-layers", "token_rep_layer.bert_layer.layers_fuser.W1.weight"),
        ("poly-span-t2l", "cross_fuser.layers.0.0.v_proj.bias"),
        ("relex-span-mlp", "pair_rep_layer.0.weight"),
    ],
)
def test_a_missing_weight_is_named(name: str, lost: str, copy_of: Callable[[str], Path]) -> None:
    directory = copy_of(name)
    edit_weights(directory, lambda state: state.pop(lost))
    assert f"missing: {lost}" in message(directory)


def test_an_unexpected_weight_is_named(copy_of: Callable[[str], Path]) -> None:
    directory = copy_of("span")
    edit_weights(directory, lambda state: state.update({"extra.weight": torch.zeros(1)}))
    text = message(directory)
    assert "unexpected: extra.weight" in text
    assert "missing" not in text


def test_a_weight_of_another_shape_is_named(copy_of: Callable[[str], Path]) -> None:
    directory = copy_of("span")
    edit_weights(directory, lambda s: s.update({"prompt_rep_layer.0.bias": torch.zeros(5)}))
    assert "prompt.first.bias has (5,), expected (96,)" in message(directory)


@pytest.mark.parametrize(
    ("name", "dead"),
    [
        ("bi-span", "rnn."),
        ("span-markerV1", "span_rep_layer.span_rep_layer.project_first."),
    ],
)
def test_weights_that_nothing_reads_may_be_there_or_not(
    name: str, dead: str, case_of: Callable[[str], Case], copy_of: Callable[[str], Path]
) -> None:
    directory = copy_of(name)
    assert any(key.startswith(dead) for key in read_weights(directory))
    edit_weights(directory, lambda state: drop(state, dead))
    again = load_network(directory).state_dict()
    for key, tensor in case_of(name).network.state_dict().items():
        assert torch.equal(again[key], tensor)


@pytest.mark.parametrize(
    "dead",
    [
        "token_rep_layer.bert_layer.model.embeddings.position_ids",  # of old versions
        "cross_fuser.layers.0.0.v_proj.weight",
        "precomputed_prompts",  # of labels that were compressed into it, and are read again
        "precomputed_rel_prompts",
    ],
)
def test_weights_that_a_uni_encoder_never_reads(
    dead: str, copy_of: Callable[[str], Path], case_of: Callable[[str], Case]
) -> None:
    directory = copy_of("span")
    edit_weights(directory, lambda state: state.update({dead: torch.zeros(1)}))
    again, known = load_network(directory).state_dict(), case_of("span").network.state_dict()
    assert again.keys() == known.keys()
    assert all(torch.equal(again[key], tensor) for key, tensor in known.items())


@pytest.mark.parametrize(("name", "layers"), [("span", 1), ("span-two-lstm", 2)])
@pytest.mark.parametrize("said", [None, True])
def test_the_lstm_is_told_from_the_weights(
    said: bool | None, name: str, layers: int, copy_of: Callable[[str], Path]
) -> None:
    """Old configurations say nothing of it, or only that there is one."""
    directory = copy_of(name)
    edit_config(directory, lambda config: config.pop("num_rnn_layers"))
    if said is not None:
        edit_config(directory, lambda config: config.update(has_rnn=said))
    network = load_network(directory)
    assert network.config.rnn_layers == layers
    edit_weights(directory, lambda state: drop(state, "rnn."))
    if said:
        assert "missing: rnn.lstm" in message(directory)
        return
    network = load_network(directory)
    assert network.lstm is None
    save_network(network, directory, tokenizer_from=directory)
    assert read_json(directory / "gliner_config.json")["num_rnn_layers"] == 0


def test_an_lstm_that_the_configuration_denies(copy_of: Callable[[str], Path]) -> None:
    directory = copy_of("span")
    edit_config(directory, lambda config: config.update(num_rnn_layers=0))
    assert "unexpected: rnn.lstm" in message(directory)
    edit_config(directory, lambda config: config.pop("num_rnn_layers"))
    edit_config(directory, lambda config: config.update(has_rnn=False))
    assert "unexpected: rnn.lstm" in message(directory)


def test_the_vocabulary_is_as_large_as_its_vectors(copy_of: Callable[[str], Path]) -> None:
    """The configuration of a base model does not know of the markers."""
    directory = copy_of("span")
    edit_config(directory, lambda config: config["encoder_config"].update(vocab_size=100))
    edit_config(directory, lambda config: config.update(vocab_size=-1, class_token_index=-1))
    network = load_network(directory)
    rows = load_file(directory / "model.safetensors")[EMBEDDINGS].shape[0]
    assert network.encoder["vocab_size"] == rows > 100


def test_a_missing_encoder_configuration(copy_of: Callable[[str], Path]) -> None:
    directory = copy_of("bi-span")
    edit_config(directory, lambda config: config.update(labels_encoder_config=None))
    assert "(labels_encoder_config is missing)" in message(directory)
    edit_config(directory, lambda config: config.update(encoder_config=None))
    assert "(encoder_config is missing)" in message(directory)


def test_a_bert_without_poolers(copy_of: Callable[[str], Path]) -> None:
    directory = copy_of("bi-span-bert")
    pooled = [key for key in load_network(directory).state_dict() if "pooler" in key]
    assert len(pooled) == 4
    edit_weights(directory, lambda s: drop(s, "token_rep_layer.bert_layer.model.pooler"))
    edit_weights(directory, lambda s: drop(s, "token_rep_layer.labels_encoder.model.pooler"))
    assert not [key for key in load_network(directory).state_dict() if "pooler" in key]


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_weights_of_other_precisions_become_fp32(
    dtype: torch.dtype, copy_of: Callable[[str], Path]
) -> None:
    directory = copy_of("token")
    edit_weights(directory, lambda s: s.update({k: v.to(dtype) for k, v in s.items()}))
    assert {weights.dtype for weights in load_network(directory).parameters()} == {torch.float32}


def test_weights_in_several_files(
    case_of: Callable[[str], Case], copy_of: Callable[[str], Path]
) -> None:
    directory = copy_of("span")
    state = load_file(directory / "model.safetensors")
    (directory / "model.safetensors").unlink()
    names = sorted(state)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for file, own in parts.items():
        save_file({name: state[name] for name in own}, directory / file)
    index = {"weight_map": {name: file for file, own in parts.items() for name in own}}
    (directory / "model.safetensors.index.json").write_text(json.dumps(index))
    again = load_network(directory).state_dict()
    for key, tensor in case_of("span").network.state_dict().items():
        assert torch.equal(again[key], tensor)
    (directory / "model-2.safetensors").unlink()
    assert "model-2.safetensors" in message(directory)


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.one = torch.nn.Linear(3, 3, bias=False)
        self.two = torch.nn.Linear(3, 3, bias=False)
        self.two.weight = self.one.weight


def test_a_tied_weight_is_read_under_both_names(tmp_path: Path) -> None:
    tied = Tied()
    save_model(tied, tmp_path / "model.safetensors")
    with safe_open(tmp_path / "model.safetensors", framework="pt") as file:
        assert len(list(file.keys())) == 1
    state = read_weights(tmp_path)
    assert set(state) == {"one.weight", "two.weight"}
    assert torch.equal(state["one.weight"], state["two.weight"])


def test_a_t5_encoder_has_its_vectors_once_in_the_file(
    copy_of: Callable[[str], Path], tmp_path: Path
) -> None:
    sizes = {
        "model_type": "mt5", "vocab_size": 60, "d_model": 16, "d_kv": 4, "d_ff": 20,
        "num_layers": 1, "num_heads": 4,
    }  # fmt: skip
    config = {"model_name": "none", "encoder_config": sizes, "hidden_size": 8, "max_width": 3,
              "class_token_index": 5, "vocab_size": 60}  # fmt: skip
    from gliner.config import UniEncoderSpanConfig
    from gliner.modeling.base import UniEncoderSpanModel

    theirs = UniEncoderSpanModel(UniEncoderSpanConfig(**config))
    directory = tmp_path / "t5"
    directory.mkdir()
    (directory / "gliner_config.json").write_text(json.dumps(config))
    save_model(theirs, directory / "model.safetensors")
    network = load_network(directory)
    save_network(network, tmp_path / "again", tokenizer_from=directory)
    saved = read_weights(tmp_path / "again")
    assert saved.keys() == theirs.state_dict().keys()
    for key, tensor in theirs.state_dict().items():
        assert torch.equal(saved[key], tensor)
    state = load_file(directory / "model.safetensors")
    save_file(
        state, directory / "model.safetensors"
    )  # as other tools do: nothing says what is tied
    load_network(directory)
