"""The BERT encoder is transformers' BertModel, weight for weight and number for number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn
from transformers import BertConfig as TheirConfig
from transformers import BertModel

from onepass.errors import CheckpointError
from onepass.nn.backbones.bert import BertBackbone, BertConfig
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
Pair = tuple[BertModel, BertBackbone]


def pair(*, pooler: bool = True, **options: Any) -> Pair:
    """Return their encoder with random weights, and ours with the same."""
    torch.manual_seed(0)
    theirs = BertModel(TheirConfig(**TINY | options), add_pooling_layer=pooler).eval()
    for parameter in theirs.parameters():
        parameter.data += 0.2 * torch.randn_like(parameter)
    ours = BertBackbone(BertConfig.from_dict(theirs.config.to_dict()), pooler=pooler).eval()
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
def test_same_vectors(options: dict[str, Any]) -> None:
    theirs, ours = pair(**options)
    ids, mask = batch()
    with torch.no_grad():
        expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
        got = ours(ids, mask)
    real = mask.bool()
    torch.testing.assert_close(got[real], expected[real], atol=1e-5, rtol=1e-4)


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
def test_names_go_both_ways(pooler: bool) -> None:
    theirs, ours = pair(pooler=pooler)
    back = to_theirs(ours.state_dict(), ours.keys(), ours.depth)
    assert set(back) == set(theirs.state_dict())
    for name, tensor in theirs.state_dict().items():
        assert torch.equal(back[name], tensor)


def test_onnx(exported: Callable[[nn.Module], Callable[..., np.ndarray]]) -> None:
    _, ours = pair()
    run = exported(ours)
    for rows, pieces in ((1, 1), (3, 20), (2, 40)):
        ids, mask = torch.randint(0, 50, (rows, pieces)), torch.ones(rows, pieces).long()
        with torch.no_grad():
            np.testing.assert_allclose(run(ids, mask), ours(ids, mask), atol=1e-5)


def test_sizes() -> None:
    backbone = build_backbone({"model_type": "bert", **TINY})
    assert isinstance(backbone, BertBackbone)
    assert (backbone.hidden, backbone.depth, backbone.max_pieces) == (16, 2, 40)
    assert BertConfig.from_dict({}) == BertConfig.from_dict(TheirConfig().to_dict())


@pytest.mark.parametrize(
    ("option", "value", "said"),
    [
        ("position_embedding_type", "relative_key", "'relative_key' of this BERT encoder is not"),
        ("hidden_act", "swish9", "hidden_act 'swish9' of this BERT encoder is not supported; gelu"),
    ],
)
def test_what_is_not_computed_is_refused(option: str, value: str, said: str) -> None:
    with pytest.raises(CheckpointError, match=said):
        BertConfig.from_dict(TINY | {option: value})
