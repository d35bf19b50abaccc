"""The ModernBERT encoder is transformers' ModernBertModel, number for number, at every length."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from transformers import ModernBertConfig as TheirConfig
from transformers import ModernBertModel

from onepass.errors import CheckpointError
from onepass.nn.backbones.build import build_backbone
from onepass.nn.backbones.modernbert import ModernBertBackbone, ModernBertConfig
from onepass.nn.backbones.modernbert_layer import BLOCK, Blocks
from onepass.nn.keymap import to_ours, to_theirs

# Three layers: one global, two local. A query sees four pieces to either side, and the longest
# texts here are cut into blocks.
TINY: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 20,
    "max_position_embeddings": 1000,
    "local_attention": 8,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "cls_token_id": 1,
    "sep_token_id": 2,
}
LENGTHS = (1, 5, 70, 2 * BLOCK + 7, 2 * BLOCK + 8, 3 * BLOCK + 61)
Pair = tuple[ModernBertModel, ModernBertBackbone]


def pair(**options: Any) -> Pair:
    """Return their encoder with random weights, and ours with the same."""
    torch.manual_seed(0)
    layers = options.pop("layer_types", None)
    config = TheirConfig(**TINY | options)
    if layers is not None:  # its constructor takes no list with one kind alone
        config.layer_types = layers
    theirs = ModernBertModel(config).eval()
    for parameter in theirs.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    ours = build_backbone(theirs.config.to_dict()).eval()
    assert isinstance(ours, ModernBertBackbone)
    ours.load_state_dict(to_ours(theirs.state_dict(), ours.keys(), ours.depth))
    return theirs, ours


def batch(pieces: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask of three texts: one full, one of a third, one of a single piece."""
    torch.manual_seed(pieces)
    lengths = torch.tensor([pieces, (pieces + 2) // 3, 1])
    mask = (torch.arange(pieces)[None] < lengths[:, None]).long()
    return torch.randint(3, 50, (3, pieces)) * mask, mask


def close(got: torch.Tensor, expected: torch.Tensor, mask: torch.Tensor) -> None:
    real = mask.bool()
    torch.testing.assert_close(got[real], expected[real], atol=1e-5, rtol=0)


@pytest.mark.parametrize("prepared", [False, True])
@pytest.mark.parametrize("pieces", LENGTHS)
@torch.no_grad()
def test_same_vectors_at_every_length(pieces: int, prepared: bool) -> None:
    theirs, ours = pair()
    if prepared:
        ours.prepare()
    ids, mask = batch(pieces)
    expected = theirs(ids, attention_mask=mask, output_hidden_states=True)
    close(ours(ids, mask), expected.last_hidden_state, mask)
    layers = list(ours.each_layer(ids, mask, embedded=True))
    assert len(layers) == ours.layer_count + 1
    for got, states in zip(layers, expected.hidden_states, strict=True):
        close(got, states, mask)


ALL_LOCAL = {"layer_types": ["sliding_attention"] * 3}
ALL_GLOBAL = {"layer_types": ["full_attention"] * 3}


@pytest.mark.parametrize(
    "options",
    [{"hidden_activation": "relu"}, {"hidden_activation": "gelu_pytorch_tanh"},
     {"attention_bias": True}, {"mlp_bias": True}, {"norm_bias": True}, {"norm_eps": 1e-2},
     {"local_attention": 2}, {"local_attention": 7}, {"local_attention": 500},
     {"num_attention_heads": 1}, {"global_attn_every_n_layers": 2},
     {"global_rope_theta": 500.0, "local_rope_theta": 20.0}, ALL_LOCAL, ALL_GLOBAL],
    ids=lambda options: "-".join(f"{k}={v}" for k, v in options.items())[:40],
)  # fmt: skip
@torch.no_grad()
def test_options(options: dict[str, Any]) -> None:
    theirs, ours = pair(**options)
    ours.prepare()
    ids, mask = batch(LENGTHS[-1])
    close(ours(ids, mask), theirs(ids, attention_mask=mask).last_hidden_state, mask)


@pytest.mark.parametrize("options", [{}, ALL_LOCAL, ALL_GLOBAL], ids=["mixed", "local", "global"])
@torch.no_grad()
def test_onnx(
    options: dict[str, Any], exported: Callable[[nn.Module], Callable[..., np.ndarray]]
) -> None:
    theirs, ours = pair(attention_bias=True, mlp_bias=bool(options), **options)
    ours.prepare()
    run = exported(ours)
    for pieces in LENGTHS:
        ids, mask = batch(pieces)
        for rows in (slice(0, 1), slice(0, 3)):
            expected = theirs(ids[rows], attention_mask=mask[rows]).last_hidden_state
            close(torch.from_numpy(run(ids[rows], mask[rows])), expected, mask[rows])


@given(pieces=st.integers(1, 2000), reach=st.integers(0, 300))
@settings(max_examples=50, deadline=None)
def test_blocks_hold_every_near_piece(pieces: int, reach: int) -> None:
    blocks = Blocks.of(pieces, reach)
    padded = blocks.count * blocks.queries
    assert pieces <= padded < pieces + blocks.count
    assert blocks.count == 1 or blocks.queries >= BLOCK
    places = blocks.places(reach, torch.device("cpu"))
    assert places.shape == (blocks.count, blocks.keys)
    assert int(places.min()) >= 0
    assert int(places.max()) < padded
    queries = torch.arange(padded).view(blocks.count, -1)
    first = (queries[:, 0] - reach).clamp(min=0)
    last = (queries[:, -1] + reach).clamp(max=padded - 1)
    assert (places[:, 0] <= first).all()
    assert (places[:, -1] >= last).all()


@torch.no_grad()
def test_both_layouts_of_the_configuration_are_one() -> None:
    published = {
        "global_attn_every_n_layers": 2, "global_rope_theta": 160000.0, "local_rope_theta": None,
        "num_hidden_layers": 4,
    }  # fmt: skip
    ours = ModernBertConfig.from_dict(published)
    assert ours.local_layers == (False, True, False, True)
    assert ours.global_theta == ours.local_theta == 160000.0
    theirs = TheirConfig(**published | {"local_rope_theta": 160000.0}).to_dict()
    assert "layer_types" in theirs
    assert "rope_parameters" in theirs
    assert ModernBertConfig.from_dict(theirs) == ours
    assert ModernBertConfig.from_dict({}) == ModernBertConfig.from_dict(TheirConfig().to_dict())


def test_gradients_are_theirs() -> None:
    theirs, ours = pair()
    ids, mask = batch(LENGTHS[-1])
    theirs(ids, attention_mask=mask).last_hidden_state[mask.bool()].sin().sum().backward()
    ours.train()(ids, mask)[mask.bool()].sin().sum().backward()
    gradients = {name: p.grad for name, p in ours.named_parameters() if p.grad is not None}
    back = to_theirs(gradients, ours.keys(), ours.depth)
    for name, parameter in theirs.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(back[name], parameter.grad, atol=1e-3, rtol=1e-3)


@torch.no_grad()
def test_what_was_prepared_is_dropped_with_the_weights() -> None:
    _, ours = pair()
    ids, mask = batch(20)
    ours.prepare()
    before = ours(ids, mask)
    ours.load_state_dict({name: weight * 1.1 for name, weight in ours.state_dict().items()})
    loaded = ours(ids, mask)
    assert (loaded - before).abs().max() > 0.01
    ours.prepare()
    close(ours(ids, mask), loaded, mask)
    ours.train()
    for weight in ours.parameters():
        weight *= 0.5
    trained = ours.eval()(ids, mask)
    ours.prepare()
    close(ours(ids, mask), trained, mask)


@torch.no_grad()
def test_dropout_is_on_while_training_only() -> None:
    for option in ("embedding_dropout", "attention_dropout", "mlp_dropout"):
        _, ours = pair(**{option: 0.5})
        ids, mask = batch(20)
        assert torch.equal(ours(ids, mask), ours(ids, mask))
        assert not torch.equal(ours.train()(ids, mask), ours(ids, mask))


def test_names_go_both_ways() -> None:
    for bias in (False, True):
        theirs, ours = pair(norm_bias=bias, attention_bias=bias, mlp_bias=not bias)
        back = to_theirs(ours.state_dict(), ours.keys(), ours.depth)
        assert back.keys() == theirs.state_dict().keys()
        for name, tensor in theirs.state_dict().items():
            assert torch.equal(back[name], tensor)


@torch.no_grad()
def test_half_precision_has_finite_vectors() -> None:
    _, ours = pair()
    ids, mask = batch(LENGTHS[-1])
    expected = ours(ids, mask)
    ours.to(torch.bfloat16).prepare()
    got = ours(ids, mask)
    assert got.dtype == torch.bfloat16
    real = mask.bool()
    assert (got.float() - expected)[real].abs().mean() < 0.05


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("hidden_activation", "swish9", "hidden_activation 'swish9'"),
        ("hidden_size", 25, "a multiple of twice 3 heads"),
        ("num_hidden_layers", "many", "num_hidden_layers .* 'many' was found"),
        ("num_hidden_layers", 10**12, "num_hidden_layers of this"),
        ("norm_bias", "false", "norm_bias .* must be true or false"),
        ("norm_eps", None, "norm_eps of this"),
        ("mlp_dropout", "x", "mlp_dropout of this"),
        ("layer_types", [[], {}, []], "layer_types"),
        ("rope_parameters", "x", "rope_parameters of this ModernBERT encoder must be an object"),
        ("rope_parameters", {"full_attention": 5}, "full_attention of the rope_parameters"),
        ("rope_scaling", [5], "rope_scaling of this"),
        ("global_rope_theta", "x", "global_rope_theta of this"),
        ("hidden_activation", [], "hidden_activation .* is not known"),
        ("layer_types", ["full_attention"], "layer_types"),
        ("layer_types", ["full_attention", "linear", "linear"], "layer_types"),
        ("rope_scaling", {"rope_type": "yarn"}, "rope_type 'yarn'"),
        ("rope_parameters", {"full_attention": {"rope_type": "linear"}}, "rope_type 'linear'"),
        ("global_rope_theta", -1, "rope_theta -1"),
        ("auto_map", {"AutoModel": "evil.Model"}, "auto_map"),
    ],
)
def test_what_is_not_computed_is_refused(option: str, value: object, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        build_backbone({"model_type": "modernbert", **TINY, option: value})


def test_sizes() -> None:
    _, ours = pair()
    assert (ours.hidden, ours.heads, ours.layer_count, ours.max_pieces) == (24, 3, 3, 1000)
