"""T5, MT5 and UMT5 are transformers' own, weight for weight and number for number."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tests.nn.tracing import traced
from torch import nn
from transformers import (
    AutoConfig,
    AutoModel,
    MT5EncoderModel,
    PreTrainedModel,
    T5EncoderModel,
    UMT5EncoderModel,
)
from transformers.models.t5.modeling_t5 import T5Attention

from onepass.errors import CheckpointError
from onepass.nn.backbones.build import build_backbone
from onepass.nn.backbones.t5 import T5Backbone, T5Config, T5EncoderDecoder
from onepass.nn.backbones.t5_layer import distance_buckets
from onepass.nn.keymap import to_ours, to_theirs

# Texts are longer than the farthest distance, and heads do not fill the vectors.
TINY: dict[str, Any] = {
    "vocab_size": 50,
    "d_model": 16,
    "d_kv": 5,
    "d_ff": 24,
    "num_layers": 2,
    "num_decoder_layers": 3,
    "num_heads": 3,
    "relative_attention_num_buckets": 8,
    "relative_attention_max_distance": 12,
}
ENCODERS = {"t5": T5EncoderModel, "mt5": MT5EncoderModel, "umt5": UMT5EncoderModel}
KINDS = tuple(ENCODERS)
FEED_FORWARD = ("relu", "gated-gelu", "gated-silu", "gelu")


def scattered(theirs: PreTrainedModel) -> PreTrainedModel:
    torch.manual_seed(0)
    for parameter in theirs.parameters():
        parameter.data += 0.1 * torch.randn_like(parameter)
    return theirs.eval()


def encoders(kind: str, **options: Any) -> tuple[PreTrainedModel, T5Backbone]:
    """Return their encoder with random weights, and ours with the same."""
    theirs = scattered(ENCODERS[kind](AutoConfig.for_model(kind, **TINY | options)))
    ours = build_backbone(theirs.config.to_dict()).eval()
    assert isinstance(ours, T5Backbone)
    ours.load_state_dict(to_ours(theirs.state_dict(), ours.keys(), ours.depth))
    return theirs, ours


def both(kind: str, **options: Any) -> tuple[PreTrainedModel, T5EncoderDecoder]:
    """Return their encoder and decoder with random weights, and ours with the same."""
    theirs = scattered(AutoModel.from_config(AutoConfig.for_model(kind, **TINY | options)))
    ours = T5EncoderDecoder(T5Config.from_dict(theirs.config.to_dict())).eval()
    ours.load_state_dict(to_ours(theirs.state_dict(), ours.keys()))
    return theirs, ours


def batch(pieces: int = 30, *, full: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask of three texts of different lengths; ``full`` is the longest one."""
    torch.manual_seed(pieces)
    ids = torch.randint(1, 50, (3, pieces))
    lengths = torch.tensor([7, 1, 19]).clamp(max=pieces)
    lengths[full] = pieces
    mask = (torch.arange(pieces)[None] < lengths[:, None]).long()
    return ids * mask, mask


def close(got: torch.Tensor, expected: torch.Tensor, mask: torch.Tensor) -> None:
    real = mask.bool()
    torch.testing.assert_close(got[real], expected[real], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("feed_forward", FEED_FORWARD)
@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_encoder_has_the_same_vectors(kind: str, feed_forward: str) -> None:
    theirs, ours = encoders(kind, feed_forward_proj=feed_forward)
    ids, mask = batch()
    expected = theirs(input_ids=ids, attention_mask=mask, output_hidden_states=True)
    close(ours(ids, mask), expected.last_hidden_state, mask)
    layers = list(ours.each_layer(ids, mask, embedded=True))
    assert len(layers) - 1 == ours.layer_count == len(list(ours.each_layer(ids, mask)))
    for got, states in zip(layers, expected.hidden_states, strict=True):
        close(got, states, mask)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_other_vectors_can_be_read_in_place_of_the_pieces(kind: str) -> None:
    theirs, ours = encoders(kind)
    ids, mask = batch()
    words = ours.word_vectors(ids) + torch.randn(3, 30, 16)
    expected = theirs(inputs_embeds=words, attention_mask=mask).last_hidden_state
    close(ours(ids, mask, words), expected, mask)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_decoder_has_the_same_vectors(kind: str) -> None:
    theirs, ours = both(kind)
    ids, mask = batch()
    others, others_mask = batch(26, full=1)
    expected = theirs(
        input_ids=ids, attention_mask=mask, decoder_input_ids=others,
        decoder_attention_mask=others_mask,
    )  # fmt: skip
    states = ours.encode(ids, mask)
    close(states, expected.encoder_last_hidden_state, mask)
    close(ours.decode(others, others_mask, states, mask), expected.last_hidden_state, others_mask)


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_a_decoder_can_look_both_ways(kind: str) -> None:
    theirs, ours = both(kind)
    ids, mask = batch()
    others, others_mask = batch(26, full=1)
    lowest = torch.finfo(torch.float32).min
    open_mask = ((1.0 - others_mask.float())[:, None, None] * lowest).expand(3, 1, 26, 26)
    expected = theirs(
        input_ids=ids, attention_mask=mask, decoder_input_ids=others,
        decoder_attention_mask=open_mask,
    ).last_hidden_state  # fmt: skip
    states = ours.encode(ids, mask)
    got = ours.decode(others, others_mask, states, mask, causal=False)
    close(got, expected, others_mask)
    backwards = ours.decode(others, others_mask, states, mask)
    assert (backwards - got)[others_mask.bool()].abs().max() > 0.01


@torch.no_grad()
def test_a_causal_decoder_does_not_see_what_follows() -> None:
    _, ours = both("t5")
    ids, mask = batch()
    states = ours.encode(ids, mask)
    whole = ours.decode(ids, torch.ones_like(mask), states, mask)
    start = ours.decode(ids[:, :9], torch.ones_like(mask)[:, :9], states, mask)
    torch.testing.assert_close(whole[:, :9], start, atol=1e-5, rtol=1e-5)


@torch.no_grad()
def test_a_decoder_of_umt5_is_causal_without_padding_too() -> None:
    """In transformers 5.16 it is not with its fused attention, unless something is padded."""
    theirs, ours = both("umt5")
    ids = batch(full=0)[0][:1]
    mask = torch.ones_like(ids)
    got = ours.decode(ids, mask, ours.encode(ids, mask), mask)
    inputs = {"input_ids": ids, "decoder_input_ids": ids}
    theirs.decoder.set_attn_implementation("eager")
    close(got, theirs(**inputs).last_hidden_state, mask)
    theirs.decoder.set_attn_implementation("sdpa")
    assert (theirs(**inputs).last_hidden_state - got).abs().max() > 0.01


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_padding_changes_nothing(kind: str) -> None:
    _, ours = both(kind)
    ids, mask = batch()
    others, others_mask = batch(26, full=1)
    states = ours.encode(ids, mask)
    beside = ours.decode(others, others_mask, states, mask, causal=False)
    lengths = zip(mask.sum(1).tolist(), others_mask.sum(1).tolist(), strict=True)
    for row, (length, other) in enumerate(lengths):
        rows, few, fewer = slice(row, row + 1), slice(0, length), slice(0, other)
        own_mask = mask[rows, few]
        own = ours.encode(ids[rows, few], own_mask)
        torch.testing.assert_close(own, states[rows, few], atol=1e-5, rtol=1e-5)
        alone = ours.decode(
            others[rows, fewer], others_mask[rows, fewer], own, own_mask, causal=False
        )
        torch.testing.assert_close(alone, beside[rows, fewer], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("both_ways", [True, False])
@pytest.mark.parametrize(("buckets", "farthest"), [(32, 128), (8, 12), (32, 50), (7, 64), (4, 4)])
def test_buckets_are_theirs(buckets: int, farthest: int, both_ways: bool) -> None:
    """Farther than the table reaches, theirs are as at its ends."""
    steps = torch.arange(-3 * farthest, 3 * farthest + 1)
    theirs = T5Attention._relative_position_bucket(steps, both_ways, buckets, farthest)
    ours = distance_buckets(buckets, farthest, both_ways=both_ways)
    assert ours.shape == (2 * farthest + 1,)
    assert torch.equal(ours[steps.clamp(-farthest, farthest) + farthest], theirs)


def test_gradients_are_theirs() -> None:
    theirs, ours = both("umt5", dropout_rate=0.0)
    ids, mask = batch()
    expected = theirs(
        input_ids=ids, attention_mask=mask, decoder_input_ids=ids, decoder_attention_mask=mask
    ).last_hidden_state
    expected[mask.bool()].sin().sum().backward()
    ours.train()
    ours.decode(ids, mask, ours.encode(ids, mask), mask)[mask.bool()].sin().sum().backward()
    gradients = {
        name: p.grad for name, p in ours.named_parameters(remove_duplicate=False)
        if p.grad is not None
    }  # fmt: skip
    back = to_theirs(gradients, ours.keys())
    for name, parameter in theirs.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(back[name], parameter.grad, atol=1e-4, rtol=1e-3)


def test_dropout_is_on_while_training_only() -> None:
    _, ours = encoders("mt5", dropout_rate=0.5)
    ids, mask = batch()
    with torch.no_grad():
        assert torch.equal(ours(ids, mask), ours(ids, mask))
        assert not torch.equal(ours.train()(ids, mask), ours(ids, mask))
        ours.prepare()
        assert not ours.training


@pytest.mark.parametrize("kind", KINDS)
def test_names_go_both_ways(kind: str) -> None:
    for theirs, ours, layers in ((*encoders(kind), 2), (*both(kind), 0)):
        back = to_theirs(ours.state_dict(), ours.keys(), layers)
        assert back.keys() == theirs.state_dict().keys()
        for name, tensor in theirs.state_dict().items():
            assert torch.equal(back[name], tensor)


def test_the_table_of_vectors_is_one() -> None:
    _, ours = both("t5")
    assert ours.word_embeddings.weight is ours.decoder_embeddings.weight
    state = ours.state_dict()
    state["decoder_embeddings.weight"] = state["decoder_embeddings.weight"] + 1
    with pytest.raises(CheckpointError, match=r"shared.weight and decoder.embed_tokens.weight"):
        ours.load_state_dict(state)
    holder = nn.ModuleDict({"backbone": ours})
    with pytest.raises(CheckpointError, match="leave out the one that was not trained"):
        holder.load_state_dict({f"backbone.{name}": tensor for name, tensor in state.items()})


@pytest.mark.parametrize("kind", KINDS)
def test_encoder_in_onnx(
    kind: str, exported: Callable[[nn.Module], Callable[..., np.ndarray]]
) -> None:
    _, ours = encoders(kind)
    run = exported(ours)
    for pieces in (1, 5, 70):
        ids, mask = batch(pieces)
        with torch.no_grad():
            close(torch.from_numpy(run(ids, mask)), ours(ids, mask), mask)


class Reader(nn.Module):
    """An encoder and a decoder as one function."""

    def __init__(self, inner: T5EncoderDecoder, *, causal: bool) -> None:
        super().__init__()
        self.inner, self.causal = inner, causal

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        ids, mask, others, others_mask = inputs
        states = self.inner.encode(ids, mask)
        return self.inner.decode(others, others_mask, states, mask, causal=self.causal)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("kind", ["t5", "umt5"])
def test_decoder_in_onnx(kind: str, causal: bool, tmp_path: Path) -> None:
    ours = Reader(both(kind)[1], causal=causal).eval()
    axes = {
        "ids": ("batch", "pieces"), "mask": ("batch", "pieces"), "others": ("batch", "steps"),
        "others_mask": ("batch", "steps"), "out": ("batch", "steps", "hidden"),
    }  # fmt: skip
    example = dict(zip(axes, (*batch(16), *batch(9, full=1)), strict=False))
    run = traced(ours, example, axes, tmp_path / "graph.onnx")
    for pieces, steps in ((1, 1), (5, 40), (70, 3)):
        inputs = (*batch(pieces), *batch(steps, full=2))
        with torch.no_grad():
            close(run(*inputs), ours(*inputs), inputs[3])


@pytest.mark.parametrize("kind", KINDS)
def test_absent_options_mean_what_they_mean_in_transformers(kind: str) -> None:
    default = T5Config.from_dict(AutoConfig.for_model(kind).to_dict())
    assert T5Config.from_dict({"model_type": kind}) == default
    assert default.decoder_layers == default.layers


def test_sizes() -> None:
    backbone = build_backbone({"model_type": "t5", **TINY})
    assert (backbone.hidden, backbone.heads, backbone.layer_count) == (16, 3, 2)
    assert backbone.max_pieces is None


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"model_type": "bart"}, "'bart' is not of the T5 family; expected t5, mt5, umt5"),
        ({"feed_forward_proj": "gated-swish9"}, "feed_forward_proj 'swish9' of this T5 network"),
        ({"feed_forward_proj": "closed-gelu"}, "'closed-gelu' .* expected gated-NAME or NAME"),
        ({"num_heads": 0}, "num_heads .* a whole number from 1 to 65,536, but 0 was found"),
        ({"d_kv": "5"}, "d_kv .* '5' was found"),
        ({"num_layers": None}, "num_layers of this"),
        ({"num_decoder_layers": 1.5}, "num_decoder_layers of this"),
        ({"layer_norm_epsilon": "x"}, "layer_norm_epsilon of this"),
        ({"dropout_rate": [1]}, "dropout_rate of this"),
        ({"feed_forward_proj": None}, "feed_forward_proj of this"),
        ({"model_type": []}, "is not of the T5 family"),
        ({"relative_attention_num_buckets": 2}, "expected a number from 4 to 23"),
        ({"relative_attention_num_buckets": 24}, "expected a number from 4 to 23"),
    ],
)
def test_what_is_not_computed_is_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        T5Config.from_dict({"model_type": "t5", **TINY, **options})
