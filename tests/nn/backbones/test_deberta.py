from __future__ import annotations

import copy
from math import ceil, sqrt
from typing import Any

import pytest
import torch
from torch import nn
from transformers import DebertaV2Config, DebertaV2Model
from transformers.models.deberta_v2.modeling_deberta_v2 import make_log_bucket_position

from onepass.errors import CheckpointError
from onepass.nn.backbones.deberta import DebertaBackbone, DebertaConfig
from onepass.nn.backbones.deberta_layer import distance_rows
from onepass.nn.graphs.branches import MANY
from onepass.nn.keymap import to_ours, to_theirs

TINY = {
    "vocab_size": 40,
    "hidden_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 32,
    "relative_attention": True,
    "position_buckets": 16,
    "norm_rel_ebd": "layer_norm",
    "share_att_key": True,
    "pos_att_type": ["p2c", "c2p"],
    "position_biased_input": False,
    "type_vocab_size": 0,
}
OWN = {"share_att_key": False}
VARIANTS: dict[str, dict[str, Any]] = {
    "v3": {},
    "own-projections": OWN,
    "c2p": {"pos_att_type": ["c2p"]},
    "p2c": {"pos_att_type": "p2c"},
    "own-c2p": OWN | {"pos_att_type": "c2p"},
    "own-p2c": OWN | {"pos_att_type": ["p2c"]},
    "neither": {"pos_att_type": []},
    "pos-att-none": {"pos_att_type": None},
    "no-buckets": {"position_buckets": -1},
    "max-relative": {"position_buckets": -1, "max_relative_positions": 7},
    "buckets-of-max-relative": {"max_relative_positions": 50},
    "two-buckets": {"position_buckets": 2},
    "most-buckets": {"position_buckets": 60},
    "no-norm": {"norm_rel_ebd": "none"},
    "v2-xlarge": {"conv_kernel_size": 3, "conv_act": "gelu"},
    "conv-default": {"conv_kernel_size": 5, "conv_groups": 2},
    "types": {"type_vocab_size": 2},
    "narrow": {"embedding_size": 12},
    "not-relative": {"relative_attention": False},
    "not-relative-buckets": {"relative_attention": False, "position_buckets": 256},
    "absolute": {"position_biased_input": True, "max_position_embeddings": 80},
    "absolute-only": {
        "position_biased_input": True,
        "relative_attention": False,
        "max_position_embeddings": 80,
    },
    "one-layer-silu": {"num_hidden_layers": 1, "hidden_act": "silu"},
    "gelu-new": {"hidden_act": "gelu_new"},
}


def pair(**options: Any) -> tuple[DebertaV2Model, DebertaBackbone]:
    """Return transformers' network with random weights and ours with the same."""
    torch.manual_seed(7)
    theirs = DebertaV2Model(DebertaV2Config(**TINY | options)).eval()
    with torch.no_grad():
        for weights in theirs.parameters():
            weights.normal_(std=0.3)
    ours = DebertaBackbone(DebertaConfig.from_dict(theirs.config.to_dict())).eval()
    ours.load_state_dict(to_ours(theirs.state_dict(), ours.keys(), ours.config.layers))
    return theirs, ours


def ragged(pieces: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask of three texts: one full, one half, one of a single piece."""
    ids = torch.randint(0, TINY["vocab_size"], (3, pieces))
    lengths = torch.tensor([pieces, (pieces + 1) // 2, 1])
    return ids, (torch.arange(pieces) < lengths[:, None]).long()


@pytest.mark.parametrize("variant", VARIANTS)
@torch.no_grad()
def test_equals_transformers(variant: str) -> None:
    theirs, ours = pair(**VARIANTS[variant])
    plain, prepared = ours, copy.deepcopy(ours)
    prepared.prepare()
    for pieces in (1, 2, 9, 33, 70):
        ids, mask = ragged(pieces)
        expected = theirs(ids, attention_mask=mask).last_hidden_state[mask.bool()]
        for backbone in (plain, prepared):
            vectors = backbone(ids, mask)
            assert vectors.shape == (3, pieces, ours.hidden)
            torch.testing.assert_close(vectors[mask.bool()], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("variant", VARIANTS)
def test_weights_go_back_to_their_published_names(variant: str) -> None:
    theirs, ours = pair(**VARIANTS[variant])
    back = to_theirs(ours.state_dict(), ours.keys(), ours.config.layers)
    published = theirs.state_dict()
    assert back.keys() == published.keys()
    assert all(torch.equal(back[name], published[name]) for name in published)


@torch.no_grad()
def test_padding_and_neighbors_change_nothing() -> None:
    _, ours = pair(conv_kernel_size=3)
    ours.prepare()
    ids, mask = ragged(20)
    vectors = ours(ids, mask)
    other = ours(torch.where(mask.bool(), ids, 3), mask.bool())
    torch.testing.assert_close(other[mask.bool()], vectors[mask.bool()], atol=0, rtol=0)
    for row, length in enumerate(mask.sum(1).tolist()):
        alone = ours(ids[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(alone[0], vectors[row, :length], atol=1e-5, rtol=0)


@pytest.mark.parametrize(("buckets", "max_distance"), [(256, 512), (32, 128), (16, 1000), (2, 9)])
def test_distance_rows_are_the_published_ones(buckets: int, max_distance: int) -> None:
    farthest = 3 * max_distance
    distance = torch.arange(-farthest, farthest + 1)
    published = make_log_bucket_position(distance, buckets, max_distance).long()
    expected = (published + buckets).clamp(0, 2 * buckets - 1)
    rows = distance_rows(buckets, buckets, max_distance)
    ours = rows[distance.clamp(-max_distance, max_distance) + max_distance]
    assert torch.equal(ours, expected)


@pytest.mark.parametrize("variant", ["v3", "own-projections", "v2-xlarge"])
def test_gradients_equal_transformers(variant: str) -> None:
    still = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    theirs, ours = pair(**VARIANTS[variant] | still)
    theirs.train()
    ours.train()
    ids, mask = ragged(21)
    weights = torch.randn(ours.hidden)
    (
        theirs(ids, attention_mask=mask).last_hidden_state * mask[..., None] @ weights
    ).sum().backward()
    (ours(ids, mask) * mask[..., None] @ weights).sum().backward()
    own = {name: weights.grad for name, weights in ours.named_parameters()}
    grads = to_theirs(own, ours.keys(), ours.config.layers)
    words = "embeddings.word_embeddings.weight"
    grads[words][0] = 0.0  # transformers holds the row of the padding piece still
    for name, parameter in theirs.named_parameters():
        torch.testing.assert_close(grads[name], parameter.grad, atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_dropout_acts_in_training_alone() -> None:
    for only in ("hidden_dropout_prob", "attention_probs_dropout_prob"):
        off = {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
        _, ours = pair(**off | {only: 0.5})
        ids, mask = ragged(8)
        assert torch.equal(ours(ids, mask), ours(ids, mask))
        ours.train()
        assert not torch.equal(ours(ids, mask), ours(ids, mask))


@pytest.mark.parametrize("variant", ["v3", "own-projections"])
@torch.no_grad()
def test_dropout_falls_where_transformers_has_it(variant: str) -> None:
    theirs, ours = pair(**VARIANTS[variant])
    theirs.train()
    ours.train()
    # One text, and no padding to a multiple of four: the axes of the drawn masks are in one order.
    ids = torch.randint(0, 40, (1, 12))
    torch.manual_seed(3)
    expected = theirs(ids, attention_mask=torch.ones_like(ids)).last_hidden_state
    torch.manual_seed(3)
    vectors = ours(ids, torch.ones_like(ids))
    torch.testing.assert_close(vectors, expected, atol=1e-5, rtol=0)


@torch.no_grad()
def test_new_weights_replace_what_was_prepared() -> None:
    _, ours = pair()
    ids, mask = ragged(8)
    ours.prepare()
    names = ours.state_dict().keys()
    changed = {name: weights * 1.1 for name, weights in ours.state_dict().items()}
    fresh = DebertaBackbone(ours.config).eval()
    fresh.load_state_dict(changed)
    ours.load_state_dict(changed)
    torch.testing.assert_close(ours(ids, mask), fresh(ids, mask), atol=0, rtol=0)
    ours.prepare()
    ours.train()
    ours.encoder.distances.weight += 1.0
    ours.encoder.layers[0].qkv.bias += 1.0
    fresh.load_state_dict(ours.state_dict())
    torch.testing.assert_close(ours.eval()(ids, mask), fresh(ids, mask), atol=0, rtol=0)
    assert ours.state_dict().keys() == names


def test_prepared_in_inference_mode_runs_outside_of_it() -> None:
    _, ours = pair()
    ids, mask = ragged(8)
    with torch.inference_mode():
        ours.prepare()
        expected = ours(ids, mask)
    torch.testing.assert_close(ours(ids, mask), expected, atol=1e-6, rtol=0)


def test_prepare_does_not_read_behind_an_adapter() -> None:
    _, ours = pair()
    layer = ours.encoder.layers[1]
    layer.qkv = nn.Sequential(layer.qkv)
    with pytest.raises(TypeError, match="merge the adapters"):
        ours.prepare()


@pytest.mark.parametrize("variant", ["v3", "own-p2c", "no-buckets", "v2-xlarge", "absolute"])
@torch.no_grad()
def test_exported_graph_equals_torch(variant: str, exported: Any) -> None:
    _, ours = pair(**VARIANTS[variant])
    ours.prepare()
    run = exported(ours)
    many = ceil(sqrt(MANY / 3))  # of a batch of three, head by head
    lengths = (1, 5, 70) if ours.max_pieces else (1, 5, 70, many)
    for pieces in lengths:
        ids, mask = ragged(pieces)
        for rows in (slice(0, 1), slice(0, 3)):
            real = mask[rows].bool()
            vectors = torch.from_numpy(run(ids[rows], mask[rows]))
            expected = ours(ids[rows], mask[rows])
            torch.testing.assert_close(vectors[real], expected[real], atol=1e-5, rtol=0)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
@torch.no_grad()
def test_half_precision_stays_finite(dtype: torch.dtype) -> None:
    _, ours = pair()
    ids, mask = ragged(12)
    mask[2] = 0  # a row of padding alone
    expected = ours(ids, mask)
    ours.to(dtype).prepare()
    vectors = ours(ids, mask)
    assert vectors.dtype == dtype
    assert torch.isfinite(vectors).all()
    apart = (vectors.float() - expected)[mask.bool()].abs().mean()
    assert apart < 0.1 * expected[mask.bool()].abs().mean()


@torch.no_grad()
def test_a_row_of_padding_alone_does_not_overflow() -> None:
    _, ours = pair()
    for layer in ours.encoder.layers:
        layer.qkv.bias[:24] = 10.0
        layer.qkv.bias[24:48] = -10.0  # every score far below zero
    ours.to(torch.float16).prepare()
    ids = torch.ones(1, 6, dtype=torch.long)
    assert torch.isfinite(ours(ids, torch.zeros_like(ids))).all()


def test_absent_options_mean_what_they_mean_in_transformers() -> None:
    assert DebertaConfig.from_dict({}) == DebertaConfig.from_dict(DebertaV2Config().to_dict())


def test_only_absolute_positions_limit_the_length() -> None:
    sizes = {name: TINY[name] for name in TINY if name != "position_biased_input"}
    assert DebertaBackbone(DebertaConfig.from_dict(sizes)).max_pieces == 32
    assert DebertaBackbone(DebertaConfig.from_dict(TINY)).max_pieces is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"hidden_size": "24"}, "hidden_size .*'24' was found"),
        ({"num_attention_heads": 0}, "num_attention_heads .* from 1 to .* but 0 was found"),
        ({"num_hidden_layers": None}, "num_hidden_layers .* None was found"),
        ({"position_buckets": None}, "position_buckets of this"),
        ({"max_relative_positions": "x"}, "max_relative_positions of this"),
        ({"relative_attention": "false"}, "relative_attention .* must be true or false"),
        ({"position_biased_input": 1}, "position_biased_input .* must be true or false"),
        ({"hidden_dropout_prob": "x"}, "hidden_dropout_prob of this"),
        ({"layer_norm_eps": None}, "layer_norm_eps of this"),
        ({"type_vocab_size": -1}, "type_vocab_size of this"),
        ({"embedding_size": 0}, "embedding_size of this"),
        ({"hidden_act": []}, "hidden_act .* is not known"),
        ({"pos_att_type": [5]}, "pos_att_type of this DeBERTa encoder must be a list of strings"),
        ({"pos_att_type": 5}, "pos_att_type of this"),
        ({"norm_rel_ebd": 5}, "norm_rel_ebd of this"),
        ({"attention_head_size": "x"}, "attention_head_size 'x'"),
        ({"conv_kernel_size": 3, "conv_groups": 5}, "conv_groups 5"),
        ({"conv_kernel_size": "x"}, "conv_kernel_size of this"),
        ({"hidden_act": "glu"}, "hidden_act 'glu'"),
        ({"conv_kernel_size": 3, "conv_act": "glu"}, "conv_act 'glu'"),
        ({"conv_kernel_size": 4}, "conv_kernel_size 4"),
        ({"pos_att_type": ["c2p", "p2p"]}, "pos_att_type 'c2p, p2p'"),
        ({"norm_rel_ebd": "batch_norm"}, "norm_rel_ebd 'batch_norm'"),
        ({"attention_head_size": 64}, "attention_head_size 64"),
        ({"num_attention_heads": 5}, "hidden_size 24"),
        ({"position_buckets": 15}, "position_buckets 15"),
        ({"position_buckets": 62}, "position_buckets 62"),
    ],
)
def test_what_is_not_computed_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        DebertaConfig.from_dict(TINY | options)
