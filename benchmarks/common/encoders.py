"""Configurations of the encoder that benchmarks run, full-size or tiny; files of a tokenizer."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tokenizers import Tokenizer


@dataclass(frozen=True)
class Size:
    """How large an encoder is."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int


BASE = Size(hidden=768, layers=12, heads=12, inner=3072, vocabulary=128_003)
TINY = Size(hidden=32, layers=2, heads=4, inner=48, vocabulary=200)
BUCKETS = 256  # of relative positions, to each side
POSITIONS = 512  # beyond which all distances are in the last bucket


def encoder_config(size: Size) -> dict[str, Any]:
    """Return the configuration of DeBERTa-v3 at a size."""
    return {
        "model_type": "deberta-v2", "vocab_size": size.vocabulary, "hidden_size": size.hidden,
        "num_hidden_layers": size.layers, "num_attention_heads": size.heads,
        "intermediate_size": size.inner, "max_position_embeddings": POSITIONS,
        "relative_attention": True, "position_buckets": BUCKETS, "max_relative_positions": -1,
        "norm_rel_ebd": "layer_norm", "share_att_key": True, "pos_att_type": ["p2c", "c2p"],
        "position_biased_input": False, "type_vocab_size": 0, "pad_token_id": 0,
    }  # fmt: skip


def write_tokenizer(directory: Path, tokenizer: Tokenizer) -> Path:
    """Write a tokenizer as transformers and onepass read it; return where it is."""
    directory.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(directory / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 2048,
        "pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]", "unk_token": "[UNK]",
        "mask_token": "[MASK]", "model_input_names": ["input_ids", "attention_mask"],
    }  # fmt: skip
    path = directory / "tokenizer_config.json"
    path.write_text(json.dumps(settings), encoding="utf-8")
    return directory
