"""Tiny random checkpoints made and saved by gliner2 itself, and its own answers on them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch
from gliner2 import GLiNER2
from gliner2.configuration import ExtractorConfig
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import (
    BertConfig,
    DebertaV2Config,
    ModernBertConfig,
    PretrainedConfig,
    PreTrainedTokenizerFast,
)

WORDS = (
    "tim cook runs apple in cupertino the iphone costs 999 dollars . and galaxy is great ! it "
    "does not work ? ( ) | , : person company product price name entities sentiment positive "
    "negative neutral head tail works for located city color red blue green size small large "
    "works_for topic sports news science a b c description legal of firm by e employs x q r"
)
BACKBONES = ("bert", "deberta-v3", "deberta-v2", "modernbert")
HIDDEN = 32


def encoder_config(backbone: str, vocabulary: int) -> PretrainedConfig:
    """Return the configuration of a tiny encoder, two or three layers."""
    common = {
        "vocab_size": vocabulary,
        "hidden_size": HIDDEN,
        "num_attention_heads": 4,
        "intermediate_size": 48,
        "max_position_embeddings": 512,
        "pad_token_id": 0,
    }
    if backbone == "bert":
        return BertConfig(num_hidden_layers=2, **common)
    if backbone == "modernbert":
        return ModernBertConfig(
            num_hidden_layers=3, global_attn_every_n_layers=2, local_attention=8,
            bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2, **common,
        )  # fmt: skip
    shared = {
        "num_hidden_layers": 2,
        "relative_attention": True,
        "position_biased_input": False,
        "pos_att_type": ["p2c", "c2p"],
        "type_vocab_size": 0,
        "norm_rel_ebd": "layer_norm",
        **common,
    }
    if backbone == "deberta-v3":
        return DebertaV2Config(
            share_att_key=True, position_buckets=16, max_relative_positions=-1, **shared
        )
    return DebertaV2Config(
        share_att_key=False, max_relative_positions=64, conv_kernel_size=3, conv_act="gelu",
        **shared,
    )  # fmt: skip


def tokenizer() -> PreTrainedTokenizerFast:
    """Return a WordPiece tokenizer over a small vocabulary with letters to fall back on."""
    letters = [chr(c) for c in range(ord("a"), ord("z") + 1)] + list("0123456789.!?()|,:-'")
    pieces = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS.split(), *letters]
    pieces += [f"##{letter}" for letter in letters] + ["##s", "##ing", "##er"]
    vocabulary = {piece: i for i, piece in enumerate(dict.fromkeys(pieces))}
    inner = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    inner.normalizer = normalizers.BertNormalizer(lowercase=True)
    inner.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, pad_token="[PAD]", unk_token="[UNK]", cls_token="[CLS]",
        sep_token="[SEP]", mask_token="[MASK]",
    )  # fmt: skip


def make_reference(
    directory: Path,
    *,
    backbone: str = "bert",
    counting_layer: str = "count_lstm_v2",
    pooling: str = "first",
    seed: int = 0,
    spread: float = 0.2,
) -> GLiNER2:
    """Make a random checkpoint with gliner2, save it with gliner2, and return its model.

    Args:
        directory: receives the checkpoint in the published layout.
        backbone: one of `BACKBONES`.
        counting_layer: of the checkpoint.
        pooling: of words.
        seed: of all weights.
        spread: standard deviation of the matrices; large, so that scores differ from 0.5.
    """
    torch.manual_seed(seed)
    own = tokenizer()
    config = ExtractorConfig(
        model_name=backbone, counting_layer=counting_layer, token_pooling=pooling, max_width=8
    )
    model = GLiNER2(config, encoder_config=encoder_config(backbone, len(own)), tokenizer=own)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.ndim > 1:
                parameter.normal_(0, spread, generator=generator)
            else:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        # Mostly counts of 1 to 4, so that random models do find instances.
        slope = torch.linspace(3.0, -12, 20)
        slope[0] = -1.0
        model.count_pred[2].bias.add_(slope)
    model.eval()
    _tame(model)
    model.save_pretrained(str(directory))
    return model


def _tame(model: GLiNER2) -> None:
    """Scale the last span layer so that logits spread by about 2: sigmoids must tell them apart."""
    layer = model.span_rep.span_rep_layer
    scored: list[torch.Tensor] = []
    plain = layer.score_queries

    def noted(*args: Any, **options: Any) -> torch.Tensor:
        scored.append(plain(*args, **options))
        return scored[-1]

    layer.score_queries = noted
    model.extract_entities("tim cook runs apple in cupertino .", ["person", "company", "city"])
    layer.score_queries = plain
    values = torch.cat([part[torch.isfinite(part)].flatten() for part in scored])
    with torch.no_grad():
        layer.out_project[3].weight.mul_(2.0 / values.std())
        layer.out_project[3].bias.mul_(2.0 / values.std())


def reference_raw(model: GLiNER2, text: str, schema: Any, **options: Any) -> dict[str, Any]:
    """Return gliner2's own answer with scores and places."""
    return model.extract(text, schema, include_confidence=True, include_spans=True, **options)


def read_config(directory: Path) -> dict[str, Any]:
    """Return the checkpoint's own config.json."""
    content: dict[str, Any] = json.loads((directory / "config.json").read_text())
    return content
