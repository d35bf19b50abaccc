"""GLiClass networks and their checkpoints, without the reference library."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tests.gliclass_checkpoints import (
    ENCODERS,
    EXAMPLE,
    LABEL,
    LABEL_ENCODER,
    TEXT,
    VOCABULARY,
)

from onepass.errors import CheckpointError
from onepass.models.gliclass.config import GliclassConfig
from onepass.models.gliclass.network.build import build_network
from onepass.models.gliclass.network.checkpoint import load_network, save_network
from onepass.models.gliclass.network.network import Encoders, GliclassNetwork

FUSED = {"architecture_type": "bi-encoder-fused"}
BI = {"architecture_type": "bi-encoder"}
Change = Callable[[dict[str, torch.Tensor]], None]


def raw(encoder: str = "bert", **options: Any) -> dict[str, Any]:
    """Return a ``config.json``."""
    labels = {}
    if options.get("architecture_type", "").startswith("bi"):
        labels = {"label_model_name": "labels", "label_model_config": dict(LABEL_ENCODER)}
    return {
        "model_type": "GLiClass", "architecture_type": "uni-encoder", "encoder_model_name": "text",
        "encoder_config": dict(ENCODERS[encoder]), "hidden_size": 32, "vocab_size": VOCABULARY,
        "class_token_index": LABEL, "text_token_index": TEXT, "example_token_index": EXAMPLE,
        "scorer_num_heads": 4, "scorer_mlp_hidden_size": 40, **labels, **options,
    }  # fmt: skip


def build(content: dict[str, Any], *, mixed: int | None = None) -> GliclassNetwork:
    """Return a network of random weights in inference mode."""
    config = GliclassConfig.from_dict(content)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = build_network(config, Encoders(config.encoder, config.label_encoder, mixed=mixed))
        with torch.no_grad():
            for weight in network.parameters():
                if weight.ndim:
                    weight += 0.2 * torch.randn_like(weight)
    return network.eval()


def written(directory: Path, change: Change | None = None, **options: Any) -> Path:
    """Write a checkpoint, with other weights than it should have."""
    save_network(build(raw(**options)), directory, tokenizer_from=directory)
    if change is not None:
        state = load_file(directory / "model.safetensors")
        change(state)
        save_file(state, directory / "model.safetensors")
    return directory


def same_weights(one: GliclassNetwork, other: GliclassNetwork) -> bool:
    first, second = one.state_dict(), other.state_dict()
    return first.keys() == second.keys() and all(torch.equal(first[k], second[k]) for k in first)


ROUND_TRIPS: dict[str, dict[str, Any]] = {
    "uni": {},
    "deberta": {"encoder": "deberta-v2", "scorer_type": "weighted-dot"},
    "lstm": {"use_lstm": True, "use_segment_embeddings": True, "scorer_type": "hopfield"},
    "squeezed": {"squeeze_layers": True, "encoder": "modernbert", "scorer_type": "mlp"},
    "cross": {"scorer_type": "cross-attn", "pooling_strategy": "pass", "encoder": "t5"},
    "bi": BI,
    "fused": FUSED | {"encoder": "deberta-v2"},
}


@pytest.mark.parametrize("name", ROUND_TRIPS)
def test_saved_and_loaded(name: str, tmp_path: Path) -> None:
    content = raw(**ROUND_TRIPS[name]) | {"shuffle_labels": True, "cross_encoder_config": None}
    network = build(content)
    save_network(network, tmp_path, tokenizer_from=tmp_path)
    again = load_network(tmp_path)
    assert same_weights(again, network)
    assert not again.training
    assert json.loads((tmp_path / "config.json").read_text()) == content
    names = load_file(tmp_path / "model.safetensors")
    assert all(key.startswith("model.") for key in names)
    if name == "cross":
        assert "model.encoder_model.shared.weight" in names
        assert "model.encoder_model.encoder.embed_tokens.weight" not in names  # one tensor


def test_layers_mixed_with_the_embeddings(tmp_path: Path) -> None:
    network = build(raw(squeeze_layers=True), mixed=4)
    save_network(network, tmp_path, tokenizer_from=tmp_path)
    assert load_file(tmp_path / "model.safetensors")[
        "model.layer_wise_attention.W1.weight"
    ].shape == (2, 4)
    again = load_network(tmp_path)
    assert same_weights(again, network)
    ids, ones = torch.tensor([[1, 57, 9, 58, 20, 2]]), torch.ones(1, 6, dtype=torch.long)
    three = build(raw(squeeze_layers=True), mixed=3)
    assert not torch.allclose(again.states(ids, ones), three.states(ids, ones))


def test_names_that_peft_made_longer(tmp_path: Path) -> None:
    def wrap(state: dict[str, torch.Tensor]) -> None:
        for name in [n for n in state if n.startswith("model.encoder_model.")]:
            wrapped = name.replace("encoder_model.", "encoder_model.base_model.model.", 1)
            state[wrapped] = state.pop(name)

    written(tmp_path, wrap)
    assert same_weights(load_network(tmp_path), build(raw()))


def test_weights_that_are_never_read(tmp_path: Path) -> None:
    def add(state: dict[str, torch.Tensor]) -> None:
        encoder = "model.encoder_model.embeddings."
        state[encoder + "position_ids"] = torch.arange(160)[None]
        state[encoder + "position_embeddings.weight"] = torch.zeros(160, 32)
        state["model.lstm.lstm.weight_ih_l0"] = torch.zeros(64, 32)
        state["model.layer_wise_attention.W1.weight"] = torch.zeros(1, 3)

    content = BI | {"encoder": "deberta-v2", "use_lstm": True, "squeeze_layers": True}
    written(tmp_path, add, **content)
    assert same_weights(load_network(tmp_path), build(raw(**content)))


def test_an_encoder_of_more_pieces_than_configured(tmp_path: Path) -> None:
    def grow(state: dict[str, torch.Tensor]) -> None:
        name = "model.encoder_model.embeddings.word_embeddings.weight"
        state[name] = torch.cat([state[name], torch.ones(3, 32)])

    network = load_network(written(tmp_path, grow))
    assert network.encoders.text["vocab_size"] == VOCABULARY + 3
    save_network(network, tmp_path / "again", tokenizer_from=tmp_path)
    content = json.loads((tmp_path / "again" / "config.json").read_text())
    assert content["vocab_size"] == content["encoder_config"]["vocab_size"] == VOCABULARY + 3


def test_tokenizers_are_copied(tmp_path: Path) -> None:
    source = tmp_path / "source"
    (source / "label_tokenizer").mkdir(parents=True)
    for part, text in ((".", "texts"), ("label_tokenizer", "labels")):
        (source / part / "tokenizer.json").write_text(text)
    save_network(build(raw(**BI)), tmp_path / "saved", tokenizer_from=source)
    assert (tmp_path / "saved" / "tokenizer.json").read_text() == "texts"
    assert (tmp_path / "saved" / "label_tokenizer" / "tokenizer.json").read_text() == "labels"


def test_a_base_model_without_a_name_gets_one() -> None:
    """The reference library takes the name for a path."""
    from onepass.models.gliclass.network.checkpoint import published_config

    assert published_config(build(raw(encoder_model_name=None)))["encoder_model_name"] == "bert"


def drop(name: str) -> Change:
    def change(state: dict[str, torch.Tensor]) -> None:
        del state[name]

    return change


def put(name: str, *shape: int) -> Change:
    return lambda state: state.update({name: torch.zeros(shape)})


LORA = "model.encoder_model.base_model.model.encoder.layer.0.q.lora_A.default.weight"
WRONG: dict[str, tuple[Change | None, dict[str, Any], str]] = {
    "missing": (drop("model.text_projector.linear_2.bias"), {}, "missing: model.text_projector"),
    "unexpected": (put("model.scorer.mlp.0.weight", 2), {}, "unexpected: model.scorer.mlp.0"),
    "lstm": (put("model.lstm.lstm.weight_ih_l0", 2), {}, "unexpected: model.lstm"),
    "shape": (put("model.text_projector.linear_2.bias", 31), {}, "head.text.last.bias has"),
    "lora": (put(LORA, 2), {}, "adapter beside its layers"),
    "layers": (
        put("model.layer_wise_attention.W1.weight", 3, 6), {"squeeze_layers": True}, "mix 6 layers"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", WRONG)
def test_weights_that_do_not_fit(name: str, tmp_path: Path) -> None:
    change, options, message = WRONG[name]
    written(tmp_path, change, **options)
    with pytest.raises(CheckpointError, match=message):
        load_network(tmp_path)


REFUSED = (
    ({"encoder_layer_id": 4}, "encoder_layer_id 4"),
    ({"encoder_layer_id": -5}, "encoder_layer_id -5"),
    ({"hidden_size": 20, "scorer_type": "mlp"}, "20 numbers"),
    ({"hidden_size": 20, "use_lstm": True}, "20 numbers"),
    ({"projector_hidden_act": "softplus"}, "'softplus'"),
    ({"scorer_type": "cross-attn", "pooling_strategy": "pass", "scorer_num_heads": 5}, "5 heads"),
    (BI | {"scorer_type": "cross-attn", "pooling_strategy": "pass"}, "every piece"),
    (FUSED | {"scorer_type": "cross-attn", "pooling_strategy": "pass"}, "every piece"),
)


@pytest.mark.parametrize(("options", "message"), REFUSED)
def test_what_cannot_be_built(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        build(raw(**options))


INVARIANT: dict[str, dict[str, Any]] = {
    **{
        pooling: {"pooling_strategy": pooling}
        for pooling in ("first", "last", "avg", "sum", "max", "rms", "abs_max", "abs_avg")
    },
    "hopfield": {"scorer_type": "hopfield", "normalize_features": True},
    "cross": {"scorer_type": "cross-attn", "pooling_strategy": "pass"},
    "average": {"class_token_pooling": "average", "use_lstm": True, "encoder": "deberta-v2"},
    "squeezed": {"squeeze_layers": True, "encoder": "modernbert"},
    "segments": {"use_segment_embeddings": True, "encoder": "t5", "pooling_strategy": "avg"},
    "bi": BI | {"pooling_strategy": "avg"},
    "fused": FUSED | {"encoder": "deberta-v2", "scorer_type": "weighted-dot"},
}


@pytest.mark.parametrize("name", INVARIANT)
@torch.no_grad()
def test_a_batch_says_what_each_of_its_texts_says(name: str) -> None:
    network = build(raw(**INVARIANT[name]))
    network.prepare()
    config, run = network.config, network.graphs()["classify"]
    torch.manual_seed(0)
    lengths, counts, pieces, labels = (14, 9, 11), (3, 1, 2), 14, 3
    rows = []
    for length, count in zip(lengths, counts, strict=True):
        starts = torch.arange(count) * 2 + 1
        row = {
            "ids": torch.randint(5, LABEL, (1, length)),
            "mask": torch.ones(1, length, dtype=torch.long),
            "segments": (torch.arange(length) > 6).long()[None],
            "text_mask": (torch.arange(length) >= 4).long()[None],  # in the middle
            "labels": torch.stack([starts, starts + 2], dim=1)[None],
            "vectors": torch.randn(1, count, 32),
            "label_mask": torch.ones(1, count, dtype=torch.long),
        }
        if not config.segment_embeddings:
            del row["segments"]
        if not config.label_vectors:
            del row["vectors"]
        elif config.architecture == "bi-encoder":
            del row["labels"]
        rows.append(row)
    together = {}
    for key, first in rows[0].items():
        shape = list(first.shape)
        shape[0], shape[1] = 3, labels if key in ("labels", "vectors", "label_mask") else pieces
        filled = torch.full(shape, 0.0 if key.endswith("mask") else 2.0, dtype=first.dtype)
        for i, row in enumerate(rows):
            filled[i, : row[key].shape[1]] = row[key][0]
        together[key] = filled
    got = run(*together.values())
    for i, row in enumerate(rows):
        alone = run(*row.values())[0]
        assert alone.abs().max() > 0.01
        torch.testing.assert_close(got[i, : counts[i]], alone, atol=1e-5, rtol=1e-4)
        assert not got[i, counts[i] :].any()


@torch.no_grad()
def test_label_vectors_do_not_depend_on_the_labels_beside_them() -> None:
    network = build(raw(**BI, pooling_strategy="avg"))
    network.prepare()
    ids = torch.randint(5, 50, (3, 7))
    mask = (torch.arange(7) < torch.tensor([[7], [3], [5]])).long()
    together = network.encode_labels(ids, mask)
    for i, length in enumerate((7, 3, 5)):
        alone = network.encode_labels(ids[i : i + 1, :length], mask[i : i + 1, :length])
        torch.testing.assert_close(alone[0], together[i], atol=1e-5, rtol=1e-5)


def test_every_weight_of_the_head_learns() -> None:
    options = {"use_lstm": True, "squeeze_layers": True, "use_segment_embeddings": True}
    more = {"scorer_type": "weighted-dot", "normalize_features": True, "pooling_strategy": "avg"}
    network = build(raw(**options, **more)).train()
    with torch.no_grad():
        network.fuser.narrow.bias += 2.0  # else nothing passes its only unit
    ids = torch.randint(5, 50, (2, 9))
    ones = torch.ones(2, 9, dtype=torch.long)
    labels = torch.tensor([[[1, 2], [3, 4]]]).expand(2, -1, -1)
    logits = network.classify(ids, ones, ones, labels, torch.ones(2, 2), torch.arange(9)[None] // 3)
    logits.square().sum().backward()
    without = [n for n, p in network.named_parameters() if p.grad is None or not p.grad.any()]
    assert [name for name in without if not name.startswith("backbone.")] == []
