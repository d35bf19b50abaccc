"""Decoders of transformers as encoders: its numbers, without a mask, and as graphs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import CONFIG_MAPPING, AutoModel

from onepass.encoding.sequences import encoder_limit
from onepass.errors import BackendError, CheckpointError
from onepass.nn.backbones.build import build_decoder
from onepass.nn.backbones.causal import EXPORTED, CausalBackbone

PAGE = Path(__file__).resolve().parents[3] / "docs" / "gliner.md"
SIZES = {
    "vocab_size": 60, "hidden_size": 16, "num_attention_heads": 2, "num_hidden_layers": 2,
    "intermediate_size": 24, "max_position_embeddings": 64, "bos_token_id": 1, "eos_token_id": 2,
    "pad_token_id": 0,
}  # fmt: skip
ALL_HEADS = {"num_key_value_heads": 2}
ONE_HEAD = {"num_key_value_heads": 1, "head_dim": 8}
LOCAL = {"sliding_window": 4}
KINDS: dict[str, Mapping[str, Any]] = {
    "bloom": {},
    "falcon": {},
    "gemma": ONE_HEAD,
    "gemma2": ONE_HEAD | LOCAL,
    "gemma3_text": ONE_HEAD | LOCAL,
    "gpt2": {},
    "gpt_neo": {"attention_types": [[["global", "local"], 1]], "window_size": 4},
    "gpt_neox": {},
    "gptj": {"rotary_dim": 4},
    "granite": {},
    "llama": {"num_key_value_heads": 1},
    "mistral": ALL_HEADS | LOCAL,
    "modernbert-decoder": {"local_attention": 4},
    "olmo2": {},
    "opt": {"ffn_dim": 24, "word_embed_proj_dim": 16},
    "phi": {},
    "phi3": ALL_HEADS,
    "qwen2": ALL_HEADS,
    "qwen3": ONE_HEAD,
    "smollm3": ALL_HEADS,
    "starcoder2": ALL_HEADS,
}
# Of these no graphs are written; their layers have configurations of their own.
NESTED: dict[str, Mapping[str, Any]] = {
    "dbrx": {
        "d_model": 16,
        "attn_config": {"kv_n_heads": 1, "rope_theta": 10_000, "clip_qkv": 1.0},
        "ffn_config": {"ffn_hidden_size": 24, "moe_num_experts": 2, "moe_top_k": 1},
    },
    "mpt": {"attn_config": {"clip_qkv": 0.5}},
}
LENGTHS = (20, 11, 1)


def config_of(kind: str) -> dict[str, Any]:
    return SIZES | {"model_type": kind} | dict((KINDS | NESTED).get(kind, {}))


def make(kind: str) -> CausalBackbone:
    torch.manual_seed(0)
    backbone = CausalBackbone(config_of(kind))
    backbone.prepare()
    return backbone


def padded() -> tuple[torch.Tensor, torch.Tensor]:
    ids = torch.randint(
        5, 50, (len(LENGTHS), max(LENGTHS)), generator=torch.Generator().manual_seed(1)
    )
    mask = (torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]).to(torch.int64)
    return ids * mask, mask


def test_every_kind_is_here_and_on_the_page() -> None:
    assert set(KINDS) == EXPORTED
    page = PAGE.read_text(encoding="utf-8")
    assert [kind for kind in sorted(KINDS) if f"`{kind}`" not in page] == []


@pytest.mark.parametrize("kind", KINDS | NESTED)
@torch.no_grad()
def test_the_numbers_of_transformers(kind: str) -> None:
    """With its mask and its cache, at every real piece; and those of a text alone."""
    ours = make(kind)
    theirs = AutoModel.from_config(CONFIG_MAPPING[kind].from_dict(config_of(kind))).eval()
    theirs.load_state_dict(ours.model.state_dict())
    ids, mask = padded()
    found = ours(ids, mask)
    expected = theirs(input_ids=ids, attention_mask=mask, use_cache=True).last_hidden_state
    assert found.shape == (len(LENGTHS), max(LENGTHS), ours.hidden)
    for row, length in enumerate(LENGTHS):
        torch.testing.assert_close(found[row, :length], expected[row, :length])
        alone = ours(ids[row : row + 1, :length], mask[row : row + 1, :length])
        torch.testing.assert_close(found[row, :length], alone[0])


@pytest.mark.parametrize("kind", KINDS | NESTED)
@torch.no_grad()
def test_what_stands_behind_changes_nothing(kind: str) -> None:
    ours = make(kind)
    ids, mask = padded()
    front = ours(ids[:1, :9], mask[:1, :9])
    torch.testing.assert_close(ours(ids[:1], mask[:1])[:, :9], front)
    kept = torch.tensor([[8, 2]])
    assert torch.equal(ours(ids[:1, :9], mask[:1, :9], kept=kept), front[:, [8, 2]])


@pytest.mark.parametrize("kind", KINDS)
@torch.no_grad()
def test_graphs_say_the_same_at_other_lengths(kind: str, exported: Any) -> None:
    ours = make(kind)
    run = exported(ours)
    ids, mask = padded()
    for rows, length in ((3, 20), (1, 9), (1, 1)):
        given = ids[:rows, :length], mask[:rows, :length]
        real = given[1].bool()
        found = torch.from_numpy(run(*given))
        torch.testing.assert_close(found[real], ours(*given)[real], atol=1e-5, rtol=0)


def test_graphs_that_nobody_has_compared_are_not_written(exported: Any) -> None:
    ours = CausalBackbone(SIZES | {"model_type": "mamba", "state_size": 4})
    with pytest.raises(BackendError, match=r"'mamba' are not known to be right.*backend='torch'"):
        exported(ours)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"model_type": "bert"}, "The decoder 'bert' reads in both directions"),
        ({"model_type": "xlnet"}, "The decoder 'xlnet' reads in both directions"),
        (
            {"model_type": "gemma3_text", "use_bidirectional_attention": True},
            "The decoder 'gemma3_text' reads in both directions",
        ),
        ({"model_type": "bart"}, "The decoder 'bart' is an encoder-decoder, .* expected a decoder"),
        ({"model_type": "gemma3"}, "The decoder 'gemma3' reads more than text"),
        ({"model_type": "blt"}, "The decoder 'blt' reads bytes in patches, which is not supported"),
        ({"model_type": "no_such"}, "model_type 'no_such' of the decoder is not known"),
        ({"model_type": "llama", "auto_map": {}}, "The decoder 'llama' brings its own code"),
        ({"model_type": "gpt2", "n_head": None}, "The config.json of the decoder 'gpt2' is wrong"),
        ({"model_type": "gpt2", "n_head": 5}, "transformers cannot build the decoder 'gpt2'"),
    ],
)
def test_what_is_no_decoder_is_refused(config: Mapping[str, Any], said: str) -> None:
    with pytest.raises(CheckpointError, match=said) as caught:
        build_decoder(config)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "kind",
    ["clip", "fuyu", "gemma3n", "git", "llava", "phi4_multimodal", "qwen2_audio", "qwen2_vl"],
)
def test_what_reads_images_or_sound_is_told_so(kind: str) -> None:
    with pytest.raises(CheckpointError, match=f"The decoder '{kind}' reads more than text, which"):
        CausalBackbone({"model_type": kind})


def test_sizes_are_told_by_the_configuration() -> None:
    backbone = CausalBackbone(
        {"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 3, "n_positions": 40}
        | {"vocab_size": 9, "bos_token_id": 0, "eos_token_id": 0}
    )
    sizes = backbone.hidden, backbone.heads, backbone.layer_count, backbone.max_pieces
    assert sizes == (8, 2, 3, 40)
    assert CausalBackbone(config_of("bloom")).max_pieces in (None, 64)
    ids = torch.tensor([[1, 2]])
    assert backbone.word_vectors(ids).shape == (1, 2, 8)
    *_, last = backbone.eval().each_layer(ids, torch.ones_like(ids))
    assert torch.equal(last, backbone(ids, torch.ones_like(ids)))


@pytest.mark.parametrize("said", [{}, {"n_positions": 40}, {"max_position_embeddings": 40}])
@pytest.mark.parametrize("kind", ["ctrl", "gpt-sw3", "gpt2", "gpt_bigcode", "openai-gpt"])
def test_no_more_is_read_than_there_are_positions(kind: str, said: Mapping[str, int]) -> None:
    """Whatever the configuration calls them, and where it says nothing of them."""
    sizes = {"vocab_size": 9, "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1}
    config = {"model_type": kind, "bos_token_id": 0, "eos_token_id": 0} | sizes | dict(said)
    backbone = CausalBackbone(config).eval()
    assert encoder_limit(config) == backbone.max_pieces
    ids = torch.ones(1, encoder_limit(config), dtype=torch.int64)
    assert backbone(ids, ids).shape == (1, *ids.shape[1:], 8)


def test_both_names_of_the_positions_mean_what_transformers_makes_of_them() -> None:
    both = {"n_positions": 40, "max_position_embeddings": 50}
    for config in (both, dict(reversed(both.items()))):
        config = {"model_type": "gpt2", "n_embd": 8, "n_head": 2, "n_layer": 1} | config
        assert encoder_limit(config) == CausalBackbone(config).max_pieces == 50


def test_mpt_reads_as_many_pieces_as_it_has_distances_for() -> None:
    config = {"model_type": "mpt", "vocab_size": 9, "d_model": 8, "n_heads": 2, "n_layers": 1}
    config |= {"max_seq_len": 40}
    backbone = CausalBackbone(config).eval()
    assert encoder_limit(config) == backbone.max_pieces == 40
    ids = torch.ones(1, 40, dtype=torch.int64)
    assert backbone(ids, ids).shape == (1, 40, 8)
    longer = torch.ones(1, 41, dtype=torch.int64)
    with pytest.raises(RuntimeError):
        backbone(longer, longer)
