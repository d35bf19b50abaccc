from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoConfig, AutoModel
from transformers.models.auto import modeling_auto

from onepass.encoding.sequences import LONGEST, OFFSET_POSITIONS, encoder_limit
from onepass.errors import BackendError, CheckpointError
from onepass.nn.backbones.foreign import ForeignBackbone
from onepass.nn.keymap import to_ours, to_theirs

TINY = {
    "vocab_size": 40,
    "hidden_size": 24,
    "num_hidden_layers": 3,
    "num_attention_heads": 3,
    "intermediate_size": 40,
    "max_position_embeddings": 90,
    "pad_token_id": 0,
}
ELECTRA = TINY | {"model_type": "electra", "embedding_size": 12}
MPNET = TINY | {"model_type": "mpnet", "pad_token_id": 1}  # counts positions from behind that id
KINDS = [ELECTRA, MPNET]


def ragged(pieces: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask of three texts: one full, one half, one of a single piece."""
    lengths = torch.tensor([pieces, (pieces + 1) // 2, 1])
    mask = (torch.arange(pieces) < lengths[:, None]).long()
    return torch.where(mask.bool(), torch.randint(3, 40, (3, pieces)), 1), mask


@pytest.mark.parametrize("config", KINDS, ids=lambda c: c["model_type"])
@torch.no_grad()
def test_equals_transformers_and_its_names(config: dict[str, Any]) -> None:
    torch.manual_seed(0)
    theirs = AutoModel.from_config(AutoConfig.for_model(**config)).eval()
    ours = ForeignBackbone(theirs.config.to_dict()).eval()
    ours.load_state_dict(to_ours(theirs.state_dict(), ours.keys()))
    ids, mask = ragged(30)
    expected = theirs(ids, attention_mask=mask).last_hidden_state
    torch.testing.assert_close(ours(ids, mask), expected, atol=0, rtol=0)
    assert ours.hidden == 24
    assert to_theirs(ours.state_dict(), ours.keys()).keys() == theirs.state_dict().keys()


@pytest.mark.parametrize("config", KINDS, ids=lambda c: c["model_type"])
@torch.no_grad()
def test_exported_graph_equals_torch(config: dict[str, Any], exported: Any) -> None:
    torch.manual_seed(0)
    ours = ForeignBackbone(config)
    ours.prepare()
    run = exported(ours)
    for pieces in (1, 5, 70):
        ids, mask = ragged(pieces)
        for rows in (slice(0, 1), slice(0, 3)):
            real = mask[rows].bool()
            vectors = torch.from_numpy(run(ids[rows], mask[rows]))
            expected = ours(ids[rows], mask[rows])
            torch.testing.assert_close(vectors[real], expected[real], atol=1e-5, rtol=0)


@pytest.mark.parametrize("config", KINDS, ids=lambda c: c["model_type"])
@torch.no_grad()
def test_padding_changes_nothing(config: dict[str, Any]) -> None:
    ours = ForeignBackbone(config)
    ours.prepare()
    ids, mask = ragged(20)
    vectors = ours(ids, mask)
    for row, length in enumerate(mask.sum(1).tolist()):
        alone = ours(ids[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(alone[0], vectors[row, :length], atol=1e-5, rtol=0)


@pytest.mark.parametrize("config", KINDS, ids=lambda c: c["model_type"])
@torch.no_grad()
def test_every_layer(config: dict[str, Any]) -> None:
    ours = ForeignBackbone(config)
    ours.prepare()
    ids, mask = ragged(20)
    layers = list(ours.each_layer(ids, mask))
    assert len(layers) == ours.layer_count == 3
    assert ours.heads == 3
    torch.testing.assert_close(layers[-1], ours(ids, mask), atol=0, rtol=0)


@torch.no_grad()
def test_longest_input_is_what_the_position_table_holds() -> None:
    ours = ForeignBackbone(MPNET)
    assert ours.max_pieces == 88  # positions start behind the padding id 1
    longest = torch.full((1, 88), 5)
    ours.prepare()
    assert ours(longest, torch.ones_like(longest)).shape == (1, 88, 24)
    with pytest.raises((IndexError, RuntimeError)):
        ours(torch.full((1, 89), 5), torch.ones(1, 89, dtype=torch.long))
    assert ForeignBackbone(ELECTRA).max_pieces == 90


@pytest.mark.parametrize("kind", sorted(OFFSET_POSITIONS))
@torch.no_grad()
def test_what_counts_from_behind_the_padding_id_reads_up_to_its_limit(kind: str) -> None:
    config = TINY | {"model_type": kind, "pad_token_id": 1, "num_hidden_layers": 1}
    config |= {"attention_window": [8], "languages": ["en_XX"], "default_language": "en_XX"}
    ours = ForeignBackbone(config)
    ours.prepare()
    assert encoder_limit(config) == ours.max_pieces == 88
    longest = torch.full((1, 88), 5)
    assert ours(longest, torch.ones_like(longest)).shape == (1, 88, 24)
    with pytest.raises((IndexError, RuntimeError)):
        ours(torch.full((1, 89), 5), torch.ones(1, 89, dtype=torch.long))


def test_a_limit_that_is_not_said_is_that_of_transformers() -> None:
    for kind in sorted(modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES):
        config = CONFIG_MAPPING[kind]()
        if config.is_encoder_decoder:
            continue
        positions = config.to_dict().get("max_position_embeddings") or LONGEST
        first = 2 if kind in OFFSET_POSITIONS else 0  # behind the padding id 1
        assert encoder_limit({"model_type": kind}) == min(positions - first, LONGEST), kind


def test_what_computes_by_length_is_not_traced(exported: Any) -> None:
    ours = ForeignBackbone(TINY | {"model_type": "longformer", "attention_window": 8})
    with pytest.raises(BackendError, match=r"'longformer' .*; open it with backend='torch'"):
        exported(ours)


@pytest.mark.parametrize("name", ["dtype", "torch_dtype"])
def test_weights_are_fp32_whatever_the_checkpoint_was_saved_in(name: str) -> None:
    ours = ForeignBackbone(ELECTRA | {name: "float16"})
    assert {weights.dtype for weights in ours.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (ELECTRA | {"auto_map": {"AutoModel": "evil.Model"}}, "auto_map"),
        (TINY | {"model_type": "no-such-encoder"}, "'no-such-encoder'"),
        (TINY, "model_type None"),
        (ELECTRA | {"hidden_size": "wide"}, "hidden_size"),
        (TINY | {"model_type": "llama"}, "from left to right"),
        ({"model_type": "bart", "d_model": 8, "encoder_layers": 1}, "encoder-decoder"),
    ],
)
def test_what_cannot_be_run_is_refused(config: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckpointError, match=message):
        ForeignBackbone(config)
