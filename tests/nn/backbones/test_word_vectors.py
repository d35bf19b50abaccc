"""Word vectors of an encoder replaced, against transformers' ``inputs_embeds``."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers import AutoConfig, AutoModel, T5EncoderModel, UMT5EncoderModel

from onepass.nn.backbones.build import build_backbone
from onepass.nn.keymap import to_ours

SIZES = {
    "vocab_size": 40, "hidden_size": 24, "num_hidden_layers": 3, "num_attention_heads": 3,
    "intermediate_size": 40, "max_position_embeddings": 90, "pad_token_id": 0,
}  # fmt: skip
T5 = {"vocab_size": 40, "d_model": 24, "d_kv": 8, "d_ff": 40, "num_layers": 3, "num_heads": 3}
DEBERTA = SIZES | {
    "model_type": "deberta-v2", "relative_attention": True, "position_buckets": 8,
    "pos_att_type": ["p2c", "c2p"], "norm_rel_ebd": "layer_norm", "share_att_key": True,
    "type_vocab_size": 0, "position_biased_input": False,
}  # fmt: skip
CONFIGS: dict[str, dict[str, Any]] = {
    "bert": SIZES | {"model_type": "bert"},
    "deberta": DEBERTA,
    "deberta-narrow": DEBERTA | {"embedding_size": 16, "position_biased_input": True},
    "modernbert": SIZES
    | {"model_type": "modernbert", "global_attn_every_n_layers": 3, "local_attention": 8},
    "roberta": SIZES | {"model_type": "roberta", "pad_token_id": 1},
    "t5": T5 | {"model_type": "t5"},
    "umt5": T5 | {"model_type": "umt5"},
}


def pair(name: str) -> tuple[Any, Any]:
    """Return a network of transformers, and ours with its weights."""
    torch.manual_seed(0)
    config = AutoConfig.for_model(**CONFIGS[name])
    classes = {"t5": T5EncoderModel, "umt5": UMT5EncoderModel}
    if name in classes:
        theirs = classes[name](config).eval()
    else:
        theirs = AutoModel.from_config(config).eval()
    with torch.no_grad():
        for weight in theirs.parameters():
            weight += 0.2 * torch.randn_like(weight)
    ours = build_backbone(CONFIGS[name])
    ours.load_state_dict(to_ours(theirs.state_dict(), ours.keys(), ours.depth))
    ours.prepare()
    return theirs, ours


def ragged() -> tuple[torch.Tensor, torch.Tensor]:
    mask = (torch.arange(20) < torch.tensor([20, 11, 1])[:, None]).long()
    return torch.where(mask.bool(), torch.randint(3, 40, (3, 20)), 1), mask


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_replaced_word_vectors(name: str) -> None:
    theirs, ours = pair(name)
    ids, mask = ragged()
    real = mask.bool()
    words = ours.word_vectors(ids)
    torch.testing.assert_close(words, theirs.get_input_embeddings()(ids), atol=0, rtol=0)
    before = ours(ids, mask)
    torch.testing.assert_close(ours(ids, mask, words)[real], before[real], atol=1e-6, rtol=0)
    words[:, ::3] += torch.randn_like(words[:, ::3])
    expected = theirs(inputs_embeds=words, attention_mask=mask).last_hidden_state[real]
    assert (expected - before[real]).abs().mean() > 0.05
    torch.testing.assert_close(ours(ids, mask, words)[real], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", CONFIGS)
@torch.no_grad()
def test_layers_with_the_embeddings_before_them(name: str) -> None:
    theirs, ours = pair(name)
    ids, mask = ragged()
    real = mask.bool()
    words = ours.word_vectors(ids) * 0.5
    options = {"attention_mask": mask, "output_hidden_states": True}
    for own, given in ((None, {"input_ids": ids}), (words, {"inputs_embeds": words})):
        expected = theirs(**given, **options).hidden_states
        layers = list(ours.each_layer(ids, mask, own, embedded=True))
        assert len(layers) == len(expected) == ours.layer_count + 1
        for got, there in zip(layers, expected, strict=True):
            torch.testing.assert_close(got[real], there[real], atol=1e-5, rtol=0)
        without = list(ours.each_layer(ids, mask, own))
        assert len(without) == ours.layer_count
        torch.testing.assert_close(without[0], layers[1], atol=0, rtol=0)
