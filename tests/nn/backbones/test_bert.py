"""BERT and RoBERTa are transformers' own, weight for weight and number for number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import AutoConfig, AutoModel, PreTrainedModel

from onepass.errors import CheckpointError
from onepass.nn.backbones.bert import KINDS, BertBackbone, BertConfig
from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import to_ours, to_theirs

TINY: dict[str, Any] = {
    "vocab_size": 50,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "max_position_embeddings": 40,
}
Pair = tuple[PreTrainedModel, BertBackbone]


def pair(kind: str = "bert", *, pooler: bool = True, **options: Any) -> Pair:
    """Return their encoder with random weights, and ours with the same."""
    torch.manual_seed(0)
    padding = {"pad_token_id": 0 if kind == "bert" else 1}
    config = AutoConfig.for_model(kind, **TINY | padding | options)
    theirs = AutoModel.from_config(config, add_pooling_layer=pooler).eval()
    for parameter in theirs.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    ours = build_backbone(theirs.config.to_dict(), pooler=pooler).eval()
    assert isinstance(ours, BertBackbone)
    ours.load_state_dict(to_ours(theirs.state_dict(), ours.keys(), ours.depth))
    return theirs, ours


def batch() -> tuple[torch.Tensor, torch.Tensor]:
    torch.manual_seed(1)
    ids = torch.randint(1, 50, (3, 20))
    mask = (torch.arange(20)[None] < torch.tensor([20, 7, 1])[:, None]).long()
    return ids * mask, mask


@pytest.mark.parametrize(
    "options",
    [{}, {"hidden_act": "relu"}, {"hidden_act": "gelu_new"}, {"hidden_act": "silu"},
     {"type_vocab_size": 1}, {"layer_norm_eps": 1e-3}, {"num_hidden_layers": 1}],
)  # fmt: skip
@pytest.mark.parametrize("prepared", [False, True])
def test_same_vectors(options: dict[str, Any], prepared: bool) -> None:
    theirs, ours = pair(**options)
    if prepared:
        ours.prepare()
    ids, mask = batch()
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
        got = ours(ids, mask)
    real = mask.bool()
    torch.testing.assert_close(got[real], expected[real], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("padding", [0, 1, 3])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "bert"])
@torch.no_grad()
def test_positions_are_counted_from_behind_the_padding_id(kind: str, padding: int) -> None:
    theirs, ours = pair(kind, pad_token_id=padding)
    ids, mask = batch()
    ids = torch.where(mask.bool(), ids, padding)
    ids[0, 4] = ids[1, 2] = padding  # spelled in a text: it takes no position
    real = mask.bool()
    expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(ours(ids, mask)[real], expected[real], atol=1e-5, rtol=1e-4)
    words = ours.word_vectors(ids)
    expected = theirs(inputs_embeds=words, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(ours(ids, mask, words)[real], expected[real], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_longest_input_is_what_the_position_table_holds() -> None:
    theirs, ours = pair("roberta")
    assert ours.max_pieces == 38
    longest = torch.full((1, 38), 5)
    mask = torch.ones_like(longest)
    expected = theirs(input_ids=longest, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(ours(longest, mask), expected, atol=1e-5, rtol=1e-4)
    with pytest.raises(IndexError):
        ours(torch.full((1, 39), 5), torch.ones(1, 39, dtype=torch.long))


@torch.no_grad()
def test_what_was_prepared_is_dropped_with_the_weights() -> None:
    _, ours = pair()
    ids, mask = batch()
    ours.prepare()
    before = ours(ids, mask)
    ours.load_state_dict({name: weight * 1.5 for name, weight in ours.state_dict().items()})
    loaded = ours(ids, mask)
    assert (loaded - before).abs().max() > 0.1
    ours.prepare()
    torch.testing.assert_close(ours(ids, mask), loaded, atol=1e-5, rtol=1e-4)


def test_padding_changes_nothing() -> None:
    _, ours = pair()
    ids, mask = batch()
    with torch.no_grad():
        beside, alone = ours(ids, mask)[1, :7], ours(ids[1:2, :7], mask[1:2, :7])[0]
    torch.testing.assert_close(beside, alone, atol=1e-5, rtol=1e-4)


def test_training_computes_the_same_without_dropout() -> None:
    """While training the attention is written out: the fused kernel is slow backwards."""
    _, ours = pair(hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    ids, mask = batch()
    with torch.no_grad():
        evaluated, trained = ours(ids, mask), ours.train()(ids, mask)
    real = mask.bool()
    torch.testing.assert_close(trained[real], evaluated[real], atol=1e-5, rtol=1e-4)


def test_gradients_are_theirs() -> None:
    theirs, ours = pair(pooler=False, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    ids, mask = batch()
    theirs(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()].sin().sum().backward()
    ours.train()(ids, mask)[mask.bool()].sin().sum().backward()
    gradients = {name: p.grad for name, p in ours.named_parameters() if p.grad is not None}
    back = to_theirs(gradients, ours.keys(), ours.depth)
    for name, parameter in theirs.named_parameters():
        assert parameter.grad is not None
        torch.testing.assert_close(back[name], parameter.grad, atol=1e-4, rtol=1e-3)


def test_dropout_is_on_while_training_only() -> None:
    _, ours = pair(hidden_dropout_prob=0.5)
    ids, mask = batch()
    with torch.no_grad():
        assert torch.equal(ours(ids, mask), ours(ids, mask))
        assert not torch.equal(ours.train()(ids, mask), ours(ids, mask))
        ours.prepare()
        assert not ours.training


@pytest.mark.parametrize("pooler", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_names_go_both_ways(kind: str, pooler: bool) -> None:
    theirs, ours = pair(kind, pooler=pooler)
    back = to_theirs(ours.state_dict(), ours.keys(), ours.depth)
    assert set(back) == set(theirs.state_dict())
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(back[name], tensor)


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
@pytest.mark.parametrize("prepared", [False, True])
def test_onnx(
    kind: str, prepared: bool, exported: Callable[[nn.Module], Callable[..., np.ndarray]]
) -> None:
    theirs, ours = pair(kind)
    if prepared:
        ours.prepare()
    run = exported(ours)
    padding = 0 if kind == "bert" else 1
    for pieces in (1, 20, 38):
        ids = torch.randint(0, 50, (3, pieces))
        mask = (torch.arange(pieces)[None] < torch.tensor([pieces, 7, 1])[:, None]).long()
        ids = torch.where(mask.bool(), ids, padding)
        for rows in (slice(0, 1), slice(0, 3)):
            real = mask[rows].bool()
            with torch.no_grad():
                expected = theirs(input_ids=ids[rows], attention_mask=mask[rows]).last_hidden_state
            got = torch.from_numpy(run(ids[rows], mask[rows]))
            torch.testing.assert_close(got[real], expected[real], atol=1e-5, rtol=1e-5)


def test_sizes() -> None:
    backbone = build_backbone({"model_type": "bert", **TINY})
    assert isinstance(backbone, BertBackbone)
    assert (backbone.hidden, backbone.depth, backbone.max_pieces) == (16, 2, 40)


@pytest.mark.parametrize("kind", KINDS)
def test_an_absent_option_means_what_it_means_in_transformers(kind: str) -> None:
    full = AutoConfig.for_model(kind).to_dict()
    assert BertConfig.from_dict({"model_type": kind}) == BertConfig.from_dict(full)


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("position_embedding_type", "relative_key", "'relative_key' of this BERT encoder is not"),
        ("is_decoder", True, "reads from left to right"),
        ("is_decoder", "false", "is_decoder of this BERT encoder must be true or false"),
        ("hidden_act", [], "hidden_act .* is not known"),
        ("hidden_size", 0, "hidden_size of this BERT encoder must be a whole number from 1 to"),
        ("hidden_size", 25, "hidden_size .* must be a multiple of its"),
        ("hidden_size", 10**12, "hidden_size of this"),
        ("num_hidden_layers", None, "num_hidden_layers .* but None was found; correct it"),
        ("num_attention_heads", "2", "num_attention_heads of this"),
        ("vocab_size", True, "vocab_size of this"),
        ("intermediate_size", 8.0, "intermediate_size of this"),
        ("max_position_embeddings", -5, "max_position_embeddings of this"),
        ("type_vocab_size", 0, "type_vocab_size of this"),
        ("layer_norm_eps", "1e-12", "layer_norm_eps of this BERT encoder must be a number"),
        ("layer_norm_eps", 10**400, "layer_norm_eps of this"),
        ("hidden_dropout_prob", 1.5, "hidden_dropout_prob .* must be a number from 0 to 1"),
        ("attention_probs_dropout_prob", None, "attention_probs_dropout_prob of this"),
        ("hidden_act", "swish9", "hidden_act 'swish9' of this BERT encoder is not known; gelu"),
    ],
)
def test_what_is_not_computed_is_refused(option: str, value: object, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        BertConfig.from_dict(TINY | {option: value})


@pytest.mark.parametrize("padding", [None, "<pad>", True, -1])
def test_positions_need_a_padding_id(padding: object) -> None:
    with pytest.raises(CheckpointError, match="positions are counted from behind that id"):
        BertConfig.from_dict(TINY | {"model_type": "roberta", "pad_token_id": padding})


@pytest.mark.parametrize("kind", ["bert", "xlm-roberta"])
@torch.no_grad()
def test_types_of_pieces(kind: str) -> None:
    theirs, ours = pair(kind)
    ids, mask = batch()
    types = (torch.arange(20)[None] > torch.tensor([9, 3, 0])[:, None]).long()
    real = mask.bool()
    expected = theirs(input_ids=ids, attention_mask=mask, token_type_ids=types).last_hidden_state
    got = ours(ids, mask, types=types)
    torch.testing.assert_close(got[real], expected[real], atol=1e-5, rtol=1e-4)
    assert (got - ours(ids, mask))[real].abs().max() > 0.1
